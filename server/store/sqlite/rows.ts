/** Rows of `entries` and the entries that clients see; prepared statements with typed rows; transactions. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Entry } from '../../../shared/entry.ts';
import type { Committed } from '../port.ts';
import { asEntry } from '../storedEntries.ts';

/** The columns of an `EntryRow`. */
export const COLUMNS =
  'serverOffset, author, clientOffset, at, kind, body, target, deleted, subject, content';

/** `content`: the fields without a column, as JSON. */
export interface EntryRow {
  serverOffset: number;
  author: string;
  clientOffset: string;
  at: number;
  kind: string;
  body: string | null;
  target: number | null;
  deleted: 0 | 1;
  subject: string | null;
  content: string | null;
}

/** A committed entry with its number in the order of all commits. */
export interface Numbered extends Committed {
  seq: number;
}

export type NumberedRow = EntryRow & { seq: number; room: string };

export function numberedOf(row: NumberedRow): Numbered {
  return { seq: row.seq, room: row.room, entry: entryOf(row) };
}

/** Never throws: a row that is no valid entry becomes an `unreadable` one in its place. */
export function entryOf(row: EntryRow): Entry {
  const { serverOffset, author, clientOffset, at, kind } = row;
  return asEntry({
    ...(row.content === null ? {} : contentOf(row.content)),
    serverOffset,
    author,
    clientOffset,
    at,
    kind,
    ...(row.target === null ? {} : { target: row.target }),
    ...(row.subject === null ? {} : { subject: row.subject }),
    ...(row.deleted ? { deleted: true as const } : row.body === null ? {} : { body: row.body }),
  });
}

function contentOf(json: string): object {
  try {
    const content: unknown = JSON.parse(json);
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content;
  } catch {
    // not JSON
  }
  return { unreadable: true };
}

export interface Query<Row> {
  get(...parameters: SQLInputValue[]): Row | undefined;
  all(...parameters: SQLInputValue[]): Row[];
  iterate(...parameters: SQLInputValue[]): Iterable<Row>;
  /** Returns the number of changed rows. */
  run(...parameters: SQLInputValue[]): number;
}

export function query<Row = never>(db: DatabaseSync, sql: string): Query<Row> {
  const statement = db.prepare(sql);
  return {
    get: (...parameters) => statement.get(...parameters) as Row | undefined,
    all: (...parameters) => statement.all(...parameters) as Row[],
    iterate: (...parameters) => statement.iterate(...parameters) as Iterable<Row>,
    run: (...parameters) => Number(statement.run(...parameters).changes),
  };
}

/** Runs `work` in a transaction: durable when it returns, rolled back when `work` or the commit throws. */
export function transactionOn(db: DatabaseSync) {
  return <T>(work: () => T): T => {
    db.exec('BEGIN IMMEDIATE');
    try {
      const value = work();
      db.exec('COMMIT');
      return value;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK'); // a full disk may have rolled it back already
      throw error;
    }
  };
}

/** A list of string literals for SQL. */
export function listOf(names: readonly string[]): string {
  return names.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ');
}

/** Runs `work` in a read transaction, so that all its reads see one snapshot. `work` may not write. */
export function readingOn(db: DatabaseSync) {
  const begin = db.prepare('BEGIN');
  const end = db.prepare('ROLLBACK'); // there is nothing to commit
  return <T>(work: () => T): T => {
    begin.run();
    try {
      return work();
    } finally {
      if (db.isTransaction) end.run();
    }
  };
}
