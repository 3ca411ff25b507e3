/** The database of a stand: new and empty, removed with the stand. */
import type { Store } from '../../../server/store/port.ts';
import { describeMongo, openCountedMongo, openMongoDatabase } from './mongo.ts';
import { openCountedSqlite, openSqliteDatabase } from './sqlite.ts';

/** On SQLite in one process; on MongoDB in one process; on MongoDB in two. */
export type Setting = 'sqlite' | 'mongo1' | 'mongo2';

export interface Database extends AsyncDisposable {
  /** Environment of a server for this database, and Node options. */
  env: Record<string, string>;
  nodeOptions: readonly string[];
  /** The process ids of the database, if it has its own processes. */
  pids: readonly number[];
  /** Fills the empty database by a store, which is closed then. */
  fill<T>(work: (store: Store) => Promise<T>): Promise<T>;
  /** Holdfast's store on this database, while no server runs. */
  openStore(): Promise<Store>;
}

export interface CountedDatabase extends Database {
  /** The number of operations so far. */
  operations(): Promise<Operations>;
}

/** By name. `all` is used for the figure. */
export type Operations = { all: number } & Record<string, number>;

export function openDatabase(setting: Setting): Promise<Database> {
  return setting === 'sqlite' ? openSqliteDatabase() : openMongoDatabase();
}

/** Counting costs time, so such a stand measures nothing else. */
export function openCounted(setting: Setting): Promise<CountedDatabase> {
  return setting === 'sqlite' ? openCountedSqlite() : openCountedMongo();
}

/** The description for the report. */
export async function describeDatabase(setting: Setting): Promise<string> {
  return setting === 'sqlite' ? `SQLite ${process.versions.sqlite}` : describeMongo();
}
