/**
 * What `npm run migrate` needs of the database that it moves (sqlite/moveSource.ts) and of the one that it fills
 * (mongo/moveDestination.ts). server/migrate/moveDatabase.ts moves one to the other.
 */
import type { Entry } from '../../shared/entry.ts';

/** A record of the log, as the source stores it. */
export interface MovedEntry {
  /** Its number in the order of all commits: 1, 2, 3 … */
  seq: number;
  room: string;
  serverOffset: number;
  author: string;
  clientOffset: string;
  at: number;
  kind: string;
  body: string | null;
  target: number | null;
  subject: string | null;
  /** The fields without a column, as JSON. */
  content: string | null;
  deleted: 0 | 1;
  digest: string;
  /** Of the first entry of a room, the number of its last change of roles; null: none, or not the first. */
  roleSeq: number | null;
}

/** Everything but the log, by part. Optional values are null, flags 0 or 1, lists and objects JSON. */
export interface MovedRows {
  users: {
    id: string;
    name: string;
    nameKey: string;
    passwordHash: string | null;
    createdAt: number;
    rev: number;
    recoveryHash: string | null;
    renames: string;
  };
  /** `claimHash` is null where a newer device has the same. */
  devices: {
    id: string;
    user: string;
    tokenHash: string;
    claimHash: string | null;
    createdAt: number;
    seenAt: number;
  };
  signedOut: { tokenHash: string; at: number };
  rooms: {
    id: string;
    kind: string;
    name: string;
    createdBy: string;
    createdAt: number;
    activeAt: number;
    about: string | null;
  };
  members: {
    room: string;
    user: string;
    present: 0 | 1;
    serverOffset: number;
    role: string | null;
    banned: 0 | 1;
  };
  marks: { room: string; user: string; upTo: number };
  reached: { room: string; user: string; first: number; last: number };
  settings: { room: string; user: string; chosen: string };
  passes: {
    hash: string;
    kind: string;
    user: string;
    device: string;
    createdAt: number;
    expiresAt: number;
    claimHash: string | null;
  };
  keepers: { user: string; since: number };
  suspensions: { user: string; since: number };
  requests: {
    hash: string;
    user: string;
    number: string;
    state: string;
    createdAt: number;
    expiresAt: number;
  };
  /** `users`: who has used it. */
  invitations: {
    hash: string;
    codeHash: string;
    room: string;
    createdBy: string;
    createdAt: number;
    expiresAt: number;
    maxUses: number;
    makesAccounts: 0 | 1;
    uses: number;
    revokedAt: number | null;
    users: string;
  };
  presence: { user: string; seenAt: number; hides: 0 | 1; hidesReads: 0 | 1 };
  reports: {
    id: string;
    createdBy: string;
    createdAt: number;
    about: string;
    room: string;
    serverOffset: number;
    head: number;
    shown: string | null;
    recipients: string;
    reason: string | null;
    expiresAt: number;
    closed: 0 | 1;
  };
}

export type MovedPart = keyof MovedRows;

/** The columns that identify a row. */
export const MOVED_KEYS = {
  users: ['id'],
  devices: ['id'],
  signedOut: ['tokenHash'],
  rooms: ['id'],
  members: ['room', 'user'],
  marks: ['room', 'user'],
  reached: ['room', 'user'],
  settings: ['room', 'user'],
  passes: ['hash'],
  keepers: ['user'],
  suspensions: ['user'],
  requests: ['hash'],
  invitations: ['hash'],
  presence: ['user'],
  reports: ['id'],
} as const satisfies { [Part in MovedPart]: readonly (keyof MovedRows[Part])[] };

export const MOVED_PARTS = Object.keys(MOVED_KEYS) as MovedPart[];

/** The values of the columns of MOVED_KEYS. */
export type MovedKey = readonly string[];

/** What has changed: the keys of rows, also of deleted ones, and the `seq` of changed entries. */
export interface MovedChanges {
  rows: Map<MovedPart, MovedKey[]>;
  entries: number[];
}

/** How far the destination is. */
export interface MovePosition {
  /** All entries up to this `seq` are copied. */
  seq: number;
  /** All changes up to this number are applied. */
  change: number;
  /** Whether all other parts are copied. */
  hasRows: boolean;
}

/** Reads of one state of the source. */
export interface MoveReader {
  lastSeq(): number;
  lastChange(): number;
  /** The greatest revision of any user. */
  usersRev(): number;
  count(part: MovedPart | 'entries'): number;
  /** In the order of commits, at most `limit`. */
  entries(after: number, upTo: number, limit: number): MovedEntry[];
  entriesBySeq(seqs: readonly number[]): MovedEntry[];
  /** The ids of all rooms. */
  rooms(): string[];
  /** By serverOffset. The iteration must end before the next one begins. */
  entriesOf(room: string): Iterable<MovedEntry>;
  /** In pages of limited size: nothing is read ahead, and nothing stays open between them. */
  changes(after: number, upTo: number): Iterable<MovedChanges>;
  /** The iteration must end before the next one begins. */
  rows<Part extends MovedPart>(part: Part): Iterable<MovedRows[Part]>;
  /** Those of these rows that exist. */
  rowsAt<Part extends MovedPart>(part: Part, keys: readonly MovedKey[]): MovedRows[Part][];
  /** The entry as clients see it. */
  seen(entry: MovedEntry): Entry;
}

/** `moved`: the source refuses writes, and the destination does not know yet that it is complete. `finished`: it does. */
export interface MoveState {
  /** Without a password. */
  place: string;
  run: string;
  state: 'copying' | 'moved' | 'finished';
}

export interface MoveSource extends MoveReader {
  readonly file: string;
  readonly epoch: string;
  state(): MoveState | undefined;
  /**
   * Begins a move to an empty database, and forgets one to another place. From now on, changes are recorded in the transactions
   * that make them. Returns a random id, by which the destination is recognised whatever its address is: the same as before where
   * that move was to the same place.
   */
  begin(place: string): string;
  /** The move goes on in the same database, whose address is written so now. */
  resume(place: string): void;
  /** Runs `work` while this reader sees one state. */
  inSnapshot<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Runs `work` while nobody can write, then marks the source as moved, in the transaction that locks it: no write comes in
   * between. Where `work` rejects, or this process dies, the source is as before, and unlocked.
   */
  handOver(work: () => Promise<void>): Promise<void>;
  /** The destination knows that it is complete. */
  finish(): void;
  /** Gives the move up. Throws `Unusable` where the source is moved. */
  cancel(): void;
  close(): void;
}

/** What an entry is, on either side, to compare it. */
export interface StoredCopy {
  serverOffset: number;
  /** Text that is equal for equal entries. */
  text: string;
}

export interface MoveDestination {
  /** Without a password. */
  readonly place: string;
  position(): MovePosition;
  save(position: MovePosition): Promise<void>;
  /** Entries that are there already are left alone. */
  insertEntries(entries: readonly MovedEntry[]): Promise<void>;
  replaceEntries(entries: readonly MovedEntry[]): Promise<void>;
  clear(part: MovedPart): Promise<void>;
  insertRows<Part extends MovedPart>(part: Part, rows: readonly MovedRows[Part][]): Promise<void>;
  deleteRows(part: MovedPart, keys: readonly MovedKey[]): Promise<void>;

  count(part: MovedPart | 'entries'): Promise<number>;
  /** By serverOffset. */
  entriesOf(room: string): AsyncIterable<StoredCopy>;
  entriesAt(room: string, offsets: readonly number[]): Promise<StoredCopy[]>;
  /** All rows of a part as text, in any order. */
  texts(part: MovedPart): AsyncIterable<string>;
  textsAt(part: MovedPart, keys: readonly MovedKey[]): Promise<string[]>;
  /** What `texts` gives for this row. */
  textOf<Part extends MovedPart>(part: Part, row: MovedRows[Part]): string;

  /** Servers may use it from now on. */
  finish(usersRev: number): Promise<void>;
  close(): Promise<void>;
}

/** The text of an entry for `StoredCopy`: as clients see it, with what they do not see. */
export function copyText(entry: Entry, digest: string, roleSeq: number | null): string {
  const sorted = Object.entries(entry).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([sorted, digest, roleSeq]);
}
