/** Sends change events of the database to this tab and to the user's other tabs and service worker (S5). */
import type { Change } from '../records/change.ts';

/** The part of `BroadcastChannel` that is used. */
export interface Channel {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  close(): void;
}

export interface Changes {
  tell(change: Change): void;
  close(): void;
}

/** Calls `listener` for each change, from this tab or another (`isOwn`). */
export function createChanges(channel: Channel, listener: (change: Change, isOwn: boolean) => void): Changes {
  channel.onmessage = ({ data }) => listener(data as Change, false); // trusted: sent by this app in another tab
  return {
    tell(change) {
      channel.postMessage(change);
      listener(change, true);
    },
    close: () => channel.close(),
  };
}

/** The name of the `BroadcastChannel` of a user's tabs and service worker. */
export function channelOf(userId: string): string {
  return `holdfast:${userId}`;
}
