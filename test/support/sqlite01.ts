/** Version 0.1 on SQLite, kept as files (test/fixtures/sqlite-0.1/make.ts says how they were made). */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { NewEntry } from '../../server/store/port.ts';
import type { Entry } from '../../shared/entry.ts';
import { ROOT } from './tools.ts';

/** What that version was told, and how it answered. */
export interface Said {
  epoch: string;
  /** Ada has a password. Their devices' tokens are `token of NAME`. */
  users: { id: string; name: string; nameKey: string }[];
  /** Ada and Bob are in this private room, and were in the lobby, which Bob left. */
  deck: string;
  appended: { item: NewEntry; result: { tag: string; serverOffset: number; at: number } }[];
  /** Whole logs by room, as it read them. */
  logs: Record<string, Entry[]>;
}

const FIXTURES = join(ROOT, 'test/fixtures/sqlite-0.1');

/** Puts the database at this path. */
export async function writeSqlite01(file: string): Promise<Said> {
  await writeFile(file, await unzipped('holdfast.db.gz'));
  return JSON.parse((await unzipped('said.json.gz')).toString()) as Said;
}

/** Puts the sources of its store into a folder; today's packages are those of then. */
export async function unpackSqlite01(folder: string): Promise<void> {
  const sources = JSON.parse((await unzipped('store.json.gz')).toString()) as Record<string, string>;
  for (const [file, text] of Object.entries(sources)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
}

async function unzipped(name: string): Promise<Buffer> {
  return gunzipSync(await readFile(join(FIXTURES, name)));
}
