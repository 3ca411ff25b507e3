/** Prepared statements with typed rows, and transactions. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';

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
