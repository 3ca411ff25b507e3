/** Data and sources of version 0.1 on SQLite, as fixtures (made by test/fixtures/sqlite-0.1/make.ts). */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { NewEntry } from '../../server/store/port.ts';
import type { Entry } from '../../shared/entry.ts';
import { ROOT } from './tools.ts';

/** What was sent to that version, and its answers. */
export interface Said {
  epoch: string;
  /** Ada has a password. Their devices' tokens are `token of NAME`. */
  users: { id: string; name: string; nameKey: string }[];
  /** A private room with the members Ada and Bob. Both were in the lobby, which Bob left. */
  deck: string;
  appended: { item: NewEntry; result: { tag: string; serverOffset: number; at: number } }[];
  /** The whole logs by room, as that version read them. */
  logs: Record<string, Entry[]>;
}

const FIXTURES = join(ROOT, 'test/fixtures/sqlite-0.1');

/** Writes the database to this path. */
export async function writeSqlite01(file: string): Promise<Said> {
  await writeFile(file, await unzipped('holdfast.db.gz'));
  return JSON.parse((await unzipped('said.json.gz')).toString()) as Said;
}

/** Writes the sources of its store into a folder. They run with the current packages. */
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
