/**
 * What the server needs of a database. Two adapters stand behind it, one contract suite runs against each.
 * Every method may reject with `Unavailable`; nothing else is expected. Times are milliseconds by the server's clock.
 */
import type { Entry } from '../../shared/entry.ts';
import type { RoomKind } from '../../shared/protocol/index.ts';
import { Unavailable, Unusable } from '../base/refusal.ts';

export { Unavailable, Unusable };

export interface Store {
  /** A random id of this database. A restore by our command changes it. */
  readonly epoch: string;

  /**
   * False while entries of kinds beyond the first five must not be written, since a process of an older version may still
   * read this database. It may become true while the store is open.
   */
  takesNewKinds(): boolean;

  log: LogStore;
  users: UserStore;
  rooms: RoomStore;

  /** Rejects with `Unavailable` when the database does not answer. */
  ping(): Promise<void>;
  /** Finishes what was taken, then closes. */
  close(): Promise<void>;
}

export interface LogStore {
  /**
   * Appends in order, all stamped `at`. A result per item, in order; where the fate of one is unknown it stops there:
   * no result for that item or any after it, and `stopped` says why. Entries of a batch may build on earlier ones of it.
   * What an entry does follows from the table of kinds (shared/kinds.ts): a removal redacts its target and all that
   * replaces it; a replacement of a removed message is stored redacted; rows of members follow an entry with a membership.
   * `at` is never below that of the room's newest entry.
   */
  append(items: readonly NewEntry[], at: number): Promise<AppendOutcome>;
  /** The originals of these keys, in the order asked; undefined where there is none. */
  find(keys: readonly EntryKey[]): Promise<(Original | undefined)[]>;
  /**
   * Entries ascending from `from` to at most `to`, cut by bytes of JSON (at least one entry), and what amends them later.
   * A stored entry that cannot be read comes as one that is `unreadable`: never an error, never a gap.
   */
  range(room: string, from: number, to: number, maxBytes: number): Promise<RangeOutcome>;
  /** The durable head of each of these rooms; 0 for one that is empty or not there. One that cannot be told now is left out. */
  heads(rooms: readonly string[]): Promise<Map<string, number>>;
  /** The `at` of the entry at each point, in the order asked; undefined where there is none. */
  timesAt(points: readonly { room: string; serverOffset: number }[]): Promise<(number | undefined)[]>;
  /**
   * The serverOffset of the `count`-th newest message (as the table of kinds says) at or below `upTo`, or of the oldest one
   * where there are fewer; undefined where there is none. Deleted ones do not count.
   */
  messageAt(room: string, upTo: number, count: number): Promise<number | undefined>;
  /** How many messages of others than `user` lie after `after`, counted up to `most`. Deleted ones do not count. */
  unread(room: string, user: string, after: number, most: number): Promise<number>;
  /**
   * Every entry committed after `from` (a point this tail gave earlier; undefined: from now on), in order per room.
   * A point that is refused or too old resumes at the present, after `onGap`.
   */
  tail(from: ResumePoint | undefined, listener: TailListener): Promise<Tail>;
  /**
   * True where rooms are written independently of each other: then each has its own line of batches, and a slow room
   * holds no other up. False where one write at a time is the quickest.
   */
  readonly writesByRoom: boolean;
}

export interface TailListener {
  /** One batch at a time. */
  onBatch(batch: Committed[], point: ResumePoint): void;
  /** Commits may have passed unheard: whoever listens knows what it has of each room and ranges the rest. */
  onGap(): void;
}

export interface UserStore {
  /** Makes user and first device in one step, or says that the name is taken. */
  create(user: NewUser, device: NewDevice): Promise<'created' | 'taken'>;
  byNameKey(nameKey: string): Promise<StoredUser | undefined>;
  byId(id: string): Promise<StoredUser | undefined>;
  /** Names of those that exist. */
  names(ids: readonly string[]): Promise<Map<string, Named>>;
  /** Gives the user another name and the next revision; `taken` where it is somebody else's. */
  rename(id: string, name: string, nameKey: string): Promise<Named | 'taken'>;
  /** The users whose `rev` is greater than `rev`, ascending by it, at most `limit`. */
  changedSince(rev: number, limit: number): Promise<(Named & { id: string })[]>;
  /** The same, of those who share a room with `user`, themself among them. */
  changedAround(user: string, rev: number, limit: number): Promise<(Named & { id: string })[]>;
  /** The greatest revision that was given to a user; 0 before the first. */
  latestRev(): Promise<number>;
  setPassword(id: string, passwordHash: string): Promise<void>;

  /** Unless its claim made one that is younger than `since`, also at this very moment: `claimed`, then. */
  addDevice(device: NewDevice, since: number): Promise<'added' | 'claimed'>;
  byToken(tokenHash: string): Promise<SignedIn | undefined>;
  /** The device that was made with this claim, if it is younger than `since`. */
  byClaim(claimHash: string, since: number): Promise<SignedIn | undefined>;
  replaceToken(device: string, tokenHash: string): Promise<void>;
  /** True when there was one. */
  removeDevice(device: string): Promise<boolean>;
  countDevices(user: string): Promise<number>;
  /** Which of these devices are still signed in. */
  devicesAlive(devices: readonly string[]): Promise<Set<string>>;
}

export interface RoomStore {
  /** Makes it, or returns the one that has this id already. Its creator's join is an entry and comes by `append`. */
  create(room: NewRoom): Promise<StoredRoom>;
  byId(id: string): Promise<StoredRoom | undefined>;
  /** Public rooms with an id greater than `after`, ascending by id. */
  listPublic(after: string | undefined, limit: number): Promise<StoredRoom[]>;
  /** The rooms this user is a member of, and how far they have read. */
  ofUser(user: string): Promise<Membership[]>;
  /** The ids of the rooms that each of these users is a member of; nothing for one who is in none. */
  ofUsers(users: readonly string[]): Promise<Map<string, string[]>>;
  isMember(room: string, user: string): Promise<boolean>;
  /** Sets the read mark where `upTo` is greater; returns the mark that holds. */
  mark(room: string, user: string, upTo: number): Promise<number>;
}

export interface EntryKey {
  room: string;
  author: string;
  clientOffset: string;
}

export interface NewEntry extends EntryKey {
  kind: string;
  body?: string;
  /** The clientOffset of a message in the same room, of the same author unless `targetAuthor` says whose it is. */
  target?: string;
  targetAuthor?: string;
  /** The user that it is about, where that is not its author. */
  subject?: string;
  /** All other fields of the entry, as JSON values. Not of the first five kinds. */
  content?: Readonly<Record<string, unknown>>;
  /** Of the content; kept when the entry is redacted, so that a repeat is known for ever. */
  digest: string;
}

export type AppendResult =
  | { tag: 'appended'; serverOffset: number; at: number }
  | { tag: 'repeat'; serverOffset: number; at: number }
  | { tag: 'conflict' }
  | { tag: 'no-target' }
  | { tag: 'no-room' }
  /** The database refuses this item and only this; `message` is for the log. */
  | { tag: 'failed'; message: string };

export interface AppendOutcome {
  results: AppendResult[];
  stopped?: Unavailable;
}

export interface Original {
  serverOffset: number;
  at: number;
  digest: string;
}

export interface RangeOutcome {
  entries: Entry[];
  amendments: Entry[];
  head: number;
}

export interface Committed {
  room: string;
  entry: Entry;
}

/** Opaque to all but the adapter that gave it. */
export type ResumePoint = string;

export interface Tail {
  /** False while the adapter knows that it is not hearing of commits; `/readyz` shows it. */
  isOpen(): boolean;
  close(): Promise<void>;
}

export interface NewUser {
  id: string;
  name: string;
  nameKey: string;
  passwordHash?: string;
  createdAt: number;
}

/** `rev`: 0 as it was made, then the greater the later it changed, over all users of the database. */
export interface Named {
  name: string;
  rev: number;
}

export interface StoredUser extends Named {
  id: string;
  passwordHash: string | undefined;
}

export interface NewDevice {
  id: string;
  user: string;
  tokenHash: string;
  claimHash: string;
  createdAt: number;
}

export interface SignedIn {
  device: string;
  user: StoredUser;
}

export interface NewRoom {
  id: string;
  kind: RoomKind;
  name: string;
  createdBy: string;
  createdAt: number;
}

export interface StoredRoom extends NewRoom {
  /** Undefined where it cannot be told now: the log of this room alone does not answer. */
  head: number | undefined;
  members: number;
}

export interface Membership {
  room: StoredRoom;
  readUpTo: number;
}
