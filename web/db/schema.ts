/** What a browser keeps of one user: one database for each (O5). The place for its migrations. */
import type { DBSchema, IDBPDatabase } from 'idb';
import type { Entry } from '../../shared/entry.ts';
import type { Room, User } from '../../shared/protocol/index.ts';
import type { Span } from '../log/spans.ts';
import type { Row } from '../outbox/row.ts';
import type { CountedUnread } from '../state/unread.ts';
import type { Clock } from './clock.ts';
import { type Database, type Opening, openDatabase, type ReadTx, type WriteTx } from './database.ts';

export interface UserSchema extends DBSchema {
  /** The rooms this user is a member of, as the server said last. */
  rooms: { key: string; value: StoredRoom };
  users: { key: string; value: User };
  /** The outbox, in the order of `seq`. */
  rows: {
    key: number;
    value: Row;
    /** `target` holds what is about a message, and nothing else. */
    indexes: {
      clientOffset: string;
      room: string;
      target: [string, string];
      state: [Row['state']['tag'], string];
      /** Rows that are neither a message nor a change of one. */
      unshown: [string, 1];
    };
  };
  /** Exactly the entries that the spans cover (S1). */
  log: {
    key: [string, number];
    value: HeldEntry & { line?: number };
    /** `line` holds the entries that are messages of their own: their `line` is their serverOffset. */
    indexes: { target: [string, number]; line: [string, number] };
  };
  logSpans: { key: [string, number]; value: RoomSpan };
  /** Own acknowledged entries and amendments that lie outside all spans. */
  detached: { key: [string, number]; value: HeldEntry; indexes: { target: [string, number] } };
  /**
   * What version 3 held as `log`, `logSpans` and `detached`. It counts as not held, and is moved in slices while the app
   * works (log/moveLog.ts): an index made in an upgrade would keep the app closed for as long as that takes.
   */
  entries: { key: [string, number]; value: HeldEntry; indexes: { target: [string, number] } };
  spans: { key: [string, number]; value: RoomSpan };
  loose: { key: [string, number]; value: HeldEntry; indexes: { target: [string, number] } };
  drafts: { key: string; value: { room: string; text: string } };
  /** How far a person has seen each room. */
  marks: { key: string; value: ReadMark };
  /**
   * `drain`: who may send, among this user's tabs and the worker (fence.ts). `probe`: never stays (storageState.ts).
   * `features`: of the server, as it said last (outbox/features.ts).
   * `generation`: how often what is held of a log was forgotten (log/generation.ts). `usersUpTo`: log/users.ts. `heir of …`: up to which row all of
   * that user's has come here (state/inherit.ts).
   */
  meta: {
    key: 'epoch' | 'generation' | 'features' | 'usersUpTo' | 'drain' | 'probe' | `heir of ${string}`;
    value: string;
  };
}

export type StoredRoom = Pick<Room, 'id' | 'kind' | 'name' | 'head' | 'readUpTo' | 'members'> & {
  /** One is in it no more; it stays while something of one's own is there. */
  left?: true;
  /** As the server counted when it described the room last. */
  unread?: CountedUnread;
};
/** `told`: the server acknowledged it. */
export interface ReadMark {
  room: string;
  upTo: number;
  told: boolean;
}
export type HeldEntry = Entry & { room: string };
export type RoomSpan = Span & { room: string };
export type UserDatabase = Database<UserSchema>;
export type UserRead = ReadTx<UserSchema>;
export type UserWrite = WriteTx<UserSchema>;

/** What is held of the logs. */
export const HELD_STORES = ['log', 'logSpans', 'detached'] as const;
/** What an older version held of them and is not moved yet, in the same order. */
export const UNMOVED_STORES = ['entries', 'spans', 'loose'] as const;

export function openUserDatabase(
  indexedDB: IDBFactory,
  clock: Clock,
  userId: string,
  heard: Pick<Opening<UserSchema>, 'makeRoom' | 'emptied'> = {},
): UserDatabase {
  const name = `holdfast:${userId}`;
  return openDatabase<UserSchema>({ indexedDB, clock, name, version: 4, migrate, ...heard });
}

/** All keys `[room, n]` with `from` ≤ n ≤ `to`. */
export function within(room: string, from: number, to: number): IDBKeyRange {
  return IDBKeyRange.bound([room, from], [room, to]);
}

export function ofRoom(room: string): IDBKeyRange {
  return within(room, 0, Number.POSITIVE_INFINITY);
}

/**
 * Every step of a browser's database from any older version to this one, in order. A step makes empty stores, and
 * indexes only where little is stored: the app shows nothing before it is done.
 */
function migrate(db: IDBPDatabase<UserSchema>, oldVersion: number, tx: IDBTransaction): void {
  if (oldVersion < 1) {
    db.createObjectStore('rooms', { keyPath: 'id' });
    db.createObjectStore('users', { keyPath: 'id' });
    const rows = db.createObjectStore('rows', { keyPath: 'seq', autoIncrement: true });
    rows.createIndex('clientOffset', 'clientOffset', { unique: true });
    rows.createIndex('room', 'room');
    createLog(db, UNMOVED_STORES);
    db.createObjectStore('drafts', { keyPath: 'room' });
    db.createObjectStore('meta');
  }
  if (oldVersion < 2) db.createObjectStore('marks', { keyPath: 'room' });
  if (oldVersion < 3) {
    const rows = tx.objectStore('rows');
    rows.createIndex('target', ['room', 'target']);
    rows.createIndex('state', ['state.tag', 'room']);
  }
  if (oldVersion < 4) {
    tx.objectStore('rows').createIndex('unshown', ['room', 'unshown']);
    createLog(db, HELD_STORES);
    tx.objectStore('log').createIndex('line', ['room', 'line']);
  }
}

/** Entries in spans, the spans, and entries outside of them. */
function createLog(
  db: IDBPDatabase<UserSchema>,
  [entries, spans, outside]: typeof HELD_STORES | typeof UNMOVED_STORES,
): void {
  for (const name of [entries, outside]) {
    const store = db.createObjectStore(name, { keyPath: ['room', 'serverOffset'] });
    store.createIndex('target', ['room', 'target']);
  }
  db.createObjectStore(spans, { keyPath: ['room', 'from'] });
}
