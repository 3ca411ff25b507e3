/** The database of a stand: its own, empty, and gone with it. */
import type { Store } from '../../../server/store/port.ts';
import { describeMongo, openCountedMongo, openMongoDatabase } from './mongo.ts';
import { openCountedSqlite, openSqliteDatabase } from './sqlite.ts';

/** On SQLite in one process; on MongoDB in one process; on MongoDB in two. */
export type Setting = 'sqlite' | 'mongo1' | 'mongo2';

export interface Database extends AsyncDisposable {
  /** By which a server finds it, and options of Node that go with it. */
  env: Record<string, string>;
  nodeOptions: readonly string[];
  /** Its process ids, where it has processes of its own. */
  pids: readonly number[];
  /** Holdfast's store on it, while no server is. */
  openStore(): Promise<Store>;
}

export interface CountedDatabase extends Database {
  /** How many there were so far. */
  operations(): Promise<Operations>;
}

/** By name. `all` is what the figure is made of. */
export type Operations = { all: number } & Record<string, number>;

export function openDatabase(setting: Setting): Promise<Database> {
  return setting === 'sqlite' ? openSqliteDatabase() : openMongoDatabase();
}

/** Counting costs time: for stands where nothing else is measured. */
export function openCounted(setting: Setting): Promise<CountedDatabase> {
  return setting === 'sqlite' ? openCountedSqlite() : openCountedMongo();
}

/** For the report. */
export async function describeDatabase(setting: Setting): Promise<string> {
  return setting === 'sqlite' ? `SQLite ${process.versions.sqlite}` : describeMongo();
}
