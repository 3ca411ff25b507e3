/** The IndexedDB database of one user (O5): its schema, its migrations and its key ranges. */
import type { DBSchema, IDBPDatabase } from 'idb';
import type { User } from '../../shared/protocol/index.ts';
import type { Row } from '../records/row.ts';
import type { HeldEntry, HeldReactions, LocalRoom, ReadMark, RoomSpan } from '../records/storedRecords.ts';
import type { Clock } from './clock.ts';
import {
  type Database,
  type DatabaseOptions,
  openResilientDatabase,
  type ReadTx,
  type WriteTx,
} from './resilientDatabase.ts';

export interface UserSchema extends DBSchema {
  /** The rooms this user is a member of, as the server described them last. */
  rooms: { key: string; value: LocalRoom };
  users: { key: string; value: User };
  /** The outbox, sent in the order of `seq`. */
  rows: {
    key: number;
    value: Row;
    /** `target` contains the rows that refer to a message. */
    indexes: {
      clientOffset: string;
      room: string;
      target: [string, string];
      state: [Row['state']['tag'], string];
      /** Rows that are neither a message nor an amendment. */
      unshown: [string, 1];
    };
  };
  /** Exactly the entries that the spans cover (S1). */
  log: {
    key: [string, number];
    value: HeldEntry & { line?: number | [number] };
    /**
     * `line` contains the entries that render a line: their `line` is their serverOffset. And behind all of them, since an array
     * is greater than a number, joins and leaves: theirs is the array of it. So they need no index of their own, which an
     * upgrade would have to create.
     */
    indexes: { target: [string, number]; line: [string, number | [number]] };
  };
  logSpans: { key: [string, number]; value: RoomSpan };
  /** Own acknowledged entries, and amendments, that lie outside all spans. */
  detached: { key: [string, number]; value: HeldEntry; indexes: { target: [string, number] } };
  /** By the message, which may lie in a hole. */
  reactions: { key: [string, number]; value: HeldReactions };
  /**
   * The log as version 3 stored it: entries, spans, and entries outside spans. Readers ignore these stores. Their records
   * are moved to `log`, `logSpans` and `detached` in slices while the app runs (log/store/migrateLog.ts): creating an index
   * in an upgrade transaction would block the app for seconds.
   */
  entries: { key: [string, number]; value: HeldEntry; indexes: { target: [string, number] } };
  spans: { key: [string, number]; value: RoomSpan };
  loose: { key: [string, number]; value: HeldEntry; indexes: { target: [string, number] } };
  drafts: { key: string; value: { room: string; text: string } };
  /** How far the user has read each room. */
  marks: { key: string; value: ReadMark };
  /**
   * `epoch`: of the logs. `generation`: how often stored logs were deleted (log/store/generation.ts). `features`: of the
   * server (db/features.ts). `usersUpTo`: log/store/userNames.ts. `drain`: the fencing token of whoever may send
   * (outbox/markBatch.ts). `probe`: never committed (state/storageState.ts). `heir of …`: the last row that was moved here
   * from that user's database (state/inherit.ts). `place in …`: where the person left that room, as JSON
   * (log/read/opening.ts).
   */
  meta: {
    key:
      | 'epoch'
      | 'generation'
      | 'features'
      | 'usersUpTo'
      | 'drain'
      | 'probe'
      | `heir of ${string}`
      | `place in ${string}`;
    value: string;
  };
}

export type UserDatabase = Database<UserSchema>;
export type UserRead = ReadTx<UserSchema>;
export type UserWrite = WriteTx<UserSchema>;

/** The stores of the logs: entries in spans, the spans, and entries outside spans. */
export const LOG_STORES = ['log', 'logSpans', 'detached'] as const;

/** The stores of version 3, in the same order: what is not migrated yet. */
export const LEGACY_LOG_STORES = ['entries', 'spans', 'loose'] as const;

export function openUserDatabase(
  indexedDB: IDBFactory,
  clock: Clock,
  userId: string,
  options: Pick<DatabaseOptions<UserSchema>, 'freeSpace' | 'emptied'> = {},
): UserDatabase {
  const name = `holdfast:${userId}`;
  return openResilientDatabase<UserSchema>({ indexedDB, clock, name, version: 5, migrate, ...options });
}

/** All keys `[room, n]` with `from` ≤ n ≤ `to`. */
export function keysBetween(room: string, from: number, to: number): IDBKeyRange {
  return IDBKeyRange.bound([room, from], [room, to]);
}

/** The keys of joins and leaves in the index `line`. */
export function membershipsBetween(room: string, from: number, to: number): IDBKeyRange {
  return IDBKeyRange.bound([room, [from]], [room, [to]]);
}

export function keysOfRoom(room: string): IDBKeyRange {
  return keysBetween(room, 0, Number.POSITIVE_INFINITY);
}

/**
 * All migration steps, in order. The app shows nothing before they are done, so a step creates only empty stores, and
 * indexes only on small stores.
 */
function migrate(db: IDBPDatabase<UserSchema>, oldVersion: number, tx: IDBTransaction): void {
  if (oldVersion < 1) {
    db.createObjectStore('rooms', { keyPath: 'id' });
    db.createObjectStore('users', { keyPath: 'id' });
    const rows = db.createObjectStore('rows', { keyPath: 'seq', autoIncrement: true });
    rows.createIndex('clientOffset', 'clientOffset', { unique: true });
    rows.createIndex('room', 'room');
    createLog(db, LEGACY_LOG_STORES);
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
    createLog(db, LOG_STORES);
    tx.objectStore('log').createIndex('line', ['room', 'line']);
  }
  if (oldVersion < 5) db.createObjectStore('reactions', { keyPath: ['room', 'target'] });
}

/** Creates the three stores of the logs. */
function createLog(
  db: IDBPDatabase<UserSchema>,
  [entries, spans, outside]: typeof LOG_STORES | typeof LEGACY_LOG_STORES,
): void {
  for (const name of [entries, outside]) {
    const store = db.createObjectStore(name, { keyPath: ['room', 'serverOffset'] });
    store.createIndex('target', ['room', 'target']);
  }
  db.createObjectStore(spans, { keyPath: ['room', 'from'] });
}
