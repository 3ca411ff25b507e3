/** Types of the records that db, log and state share, as they are stored in IndexedDB. */
import type { Entry } from '../../shared/entry.ts';
import type { Quote, Reactions, Room, RoomChoice } from '../../shared/protocol/index.ts';
import type { Span } from './spans.ts';

/** A room of the user, as the server described it last. */
export type LocalRoom = Pick<
  Room,
  'id' | 'kind' | 'name' | 'head' | 'readUpTo' | 'members' | 'settings' | 'about'
> & {
  /** The user's role in it, as the server said it last; absent for a member without one. */
  role?: 'owner' | 'moderator';
  /** The newest edit of the pinned message that this device has heard of: its text is read again. */
  pinnedEdit?: number;
  /** The user is no longer a member; the record stays while an outbox row or a draft of the room exists. */
  left?: true;
  /** Somebody else has removed the user: why, as the server said it. Then the record stays until the person has seen it. */
  out?: string;
  /** The room was made on this device, and the server has not described it yet. */
  making?: true;
  /** The generation of the stored logs (log/store/generation.ts) in which this room's log was deleted last. */
  logGeneration?: number;
  /** The server's unread count in its last description of the room. */
  unread?: CountedUnread;
  /**
   * What the person chose on this device, with the time by its clock: until the server has acknowledged it. Meanwhile it holds
   * on this device.
   */
  choices?: WaitingChoices;
  /** Messages that mention the person beyond a read marker, ascending: the server's list, and those that came since. */
  mentions?: readonly number[];
  /** How far each member has read, as far as this device knows; none in large rooms. A place in this log, as a read marker is. */
  readers?: Readonly<Record<string, number>>;
  /** Members who hide how far they have read: of them `readers` has 0. */
  hidingReads?: readonly string[];
  /** The range of the log of which the server knows that this device has stored it: the first and the last entry. */
  toldStored?: readonly [number, number];
};

/** Names; empty where one is not known. */
export interface ReadBy {
  read: string[];
  /** Neither read nor known to be on a device of theirs. */
  unread: string[];
  /** Not read, but on a device of theirs. */
  reached: string[];
  /** They do not show what they have read. */
  hiding: string[];
}

/** What the person wants of a room: as chosen on this device, else as the server knows it. */
export function choicesOf({ settings, choices }: LocalRoom): RoomChoice {
  const chosen = Object.entries(choices ?? {}).map(([name, { value }]) => [name, value]);
  return { ...settings, ...Object.fromEntries(chosen) };
}

/** The serverOffset up to which all other members have read; 0 where that is not known. */
export function readByAll({ readers = {} }: Pick<LocalRoom, 'readers'>, me: string): number {
  const others = Object.entries(readers).flatMap(([user, upTo]) => (user === me ? [] : upTo));
  return others.length === 0 ? 0 : Math.min(...others);
}

/**
 * The server's count of messages by others with `after` < serverOffset ≤ `upTo` that are not deleted, at most
 * UNREAD_COUNTED_MAX.
 */
export interface CountedUnread {
  count: number;
  after: number;
  upTo: number;
}

/**
 * Up to which serverOffset the user has read a room. `told`: the server has acknowledged it. Deleted with the stored log, since
 * it is a place in that log.
 */
export interface ReadMark {
  room: string;
  upTo: number;
  told: boolean;
}

export type WaitingChoices = {
  [Name in keyof RoomChoice]?: { value: NonNullable<RoomChoice[Name]> | null; at: number };
};

/** The key of a message on the screen. It stays the same from queued to sent. */
export function messageKey(author: string, clientOffset: string): string {
  return `${author} ${clientOffset}`;
}

/** Where the person left a room: a line, and the distance of its top from the top of the view, in pixels. */
export interface SavedPlace {
  key: string;
  serverOffset: number;
  px: number;
}

/** `quote`: of a reply, the message that it answers as a frame had it, which may lie in a hole. Without content once that is deleted. */
export type HeldEntry = Entry & { room: string; quote?: Quote };
/** The reactions to a message, as the server counted them last, wherever in the log the message is. */
export type HeldReactions = Reactions & { room: string; mine: string[] };
/** How many people react with an emoji. `mine`: the person does; `waiting`: that, or that no more, waits to be sent. */
export interface ShownReaction {
  emoji: string;
  count: number;
  mine: boolean;
  waiting?: true;
}

export type RoomSpan = Span & { room: string };
