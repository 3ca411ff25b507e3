/**
 * What the server needs of a database. Two adapters stand behind it, one contract suite runs against each.
 * Every method may reject with `Unavailable`; nothing else is expected. Times are milliseconds by the server's clock.
 */
import type { Entry, EntryKind } from '../../shared/entry.ts';
import type { RoomKind } from '../../shared/protocol/index.ts';

export interface Store {
  /** A random id of this database. A restore by our command changes it. */
  readonly epoch: string;

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
   * A delete blanks its target and the target's edits; an edit of a deleted text is stored blank.
   * Rows of members follow joins and leaves.
   */
  append(items: readonly NewEntry[], at: number): Promise<AppendOutcome>;
  /** The originals of these keys, in the order asked; undefined where there is none. */
  find(keys: readonly EntryKey[]): Promise<(Original | undefined)[]>;
  /** Entries ascending from `from` to at most `to`, cut by bytes of JSON (at least one entry), and what amends them later. */
  range(room: string, from: number, to: number, maxBytes: number): Promise<RangeOutcome>;
  /** The durable head of each of these rooms; 0 for one that is empty or not there. */
  heads(rooms: readonly string[]): Promise<Map<string, number>>;
  /** The `at` of the entry at each point, in the order asked; undefined where there is none. */
  timesAt(points: readonly { room: string; serverOffset: number }[]): Promise<(number | undefined)[]>;
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
  names(ids: readonly string[]): Promise<Map<string, string>>;
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
  kind: EntryKind;
  body?: string;
  /** Of an edit or delete: the clientOffset of a text of the same author in the same room. */
  target?: string;
  /** Of the content; kept when the entry is blanked, so that a repeat is known for ever. */
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

export interface StoredUser {
  id: string;
  name: string;
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
  head: number;
  members: number;
}

export interface Membership {
  room: StoredRoom;
  readUpTo: number;
}

/** The fate of what was asked is unknown, or the database cannot be asked: try again. `retryAfter` in milliseconds. */
export class Unavailable extends Error {
  readonly retryAfter: number;
  constructor(message: string, retryAfter = 1_000) {
    super(message);
    this.name = 'Unavailable';
    this.retryAfter = retryAfter;
  }
}

/** The database cannot be used as it is; the message says what to do. The process ends with it. */
export class Unusable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unusable';
  }
}
