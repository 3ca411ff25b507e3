/** What changed in the database, for everything that shows it: here and in the user's other tabs (S5). */

import type { Placed } from '../outbox/store.ts';

export type Change =
  /** The list of rooms, or all there is. */
  | { type: 'all' }
  /** What is held of these rooms' logs. */
  | { type: 'log'; rooms: readonly string[] }
  /** Rows of the outbox in these rooms, and perhaps their logs. */
  | { type: 'rows'; rooms: readonly string[] }
  /** The same, and there is something to send. */
  | { type: 'queued'; rooms: readonly string[] }
  /** Own entries were acknowledged where nothing held covers them: what changed them since is not known. */
  | { type: 'placed'; placed: readonly Placed[] }
  | { type: 'draft'; room: string }
  /** These users have another name. */
  | { type: 'users'; users: readonly string[] }
  /** How far these rooms are read. */
  | { type: 'marks'; rooms: readonly string[] }
  /** The holder of the drain lock is at work (not: alive). Told every DRAIN_BEAT_MS while that is so. */
  | { type: 'draining'; holder: string };

/** What is used of a `BroadcastChannel`. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  close(): void;
}

export interface Changes {
  tell(change: Change): void;
  close(): void;
}

/** `heard` is called for each change, whichever tab told it. */
export function createChanges(channel: Channel, heard: (change: Change) => void): Changes {
  channel.onmessage = ({ data }) => heard(data as Change); // from our own code in another tab
  return {
    tell(change) {
      channel.postMessage(change);
      heard(change);
    },
    close: () => channel.close(),
  };
}

/** The name of the channel of a user's tabs and worker. */
export function channelOf(userId: string): string {
  return `holdfast:${userId}`;
}

export function concerns(change: Change, room: string): boolean {
  switch (change.type) {
    case 'all':
    case 'users':
      return true;
    case 'log':
    case 'rows':
    case 'queued':
    case 'marks':
      return change.rooms.includes(room);
    case 'draft':
      return change.room === room;
    case 'placed':
    case 'draining':
      return false;
  }
}
