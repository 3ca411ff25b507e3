/** A database file that cannot be used: each case has an error message of one sentence that says what to do. */
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Unusable } from '../../../../server/store/port.ts';
import { closeWriter, openWriter } from '../../../../server/store/sqlite/connections.ts';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import { appendNew, newId, text, upTo } from '../../../contract/support.ts';
import { answerOf, newFolder, silent } from './harness.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await newFolder();
  file = join(folder, 'holdfast.db');
  onTestFinished(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true });
  });
});

const open = () => openSqlite({ file, log: silent });

async function refusal(): Promise<string> {
  const error = await open().then(
    (store) => store.close(),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Unusable);
  return (error as Unusable).message;
}

it('L4 every commit is synced to the disk, and deleted content is overwritten there', () => {
  // Only a power failure would show it, no killed process: so this checks the settings of SQLite.
  const { db } = openWriter(file);
  onTestFinished(() => void closeWriter(db));
  const asked = ['journal_mode', 'synchronous', 'fullfsync', 'checkpoint_fullfsync', 'secure_delete'];
  expect(asked.flatMap((name) => Object.values(db.prepare(`PRAGMA ${name}`).get()!))).toEqual([
    'wal',
    2, // FULL
    1,
    1,
    1,
  ]);
});

describe('a file that cannot be used', () => {
  it('reports a path where no folder can be created, and does not hang', async () => {
    file = '/proc/holdfast/holdfast.db';
    expect(await refusal()).toMatch(/cannot be written to .* set DATA to another one/);
  });

  it('creates the folder if it does not exist', async () => {
    file = join(folder, 'a', 'b', 'holdfast.db');
    await (await open()).close();
  });

  it('no database at all', async () => {
    writeFileSync(file, 'Dear diary,\n'.repeat(1_000));
    expect(await refusal()).toBe(`${file} is not a database: move it away, or set DATA to another folder.`);
  });

  it('a folder in its place', async () => {
    mkdirSync(file);
    expect(await refusal()).toBe(`${file} is not a file: move it away, or set DATA to another folder.`);
  });

  it('the database of another application, which is not touched', async () => {
    const other = new DatabaseSync(file);
    other.exec('CREATE TABLE recipes (name TEXT)');
    other.close();
    const before = readFileSync(file);
    expect(await refusal()).toMatch(/is the database of another application: move it away/);
    expect(readFileSync(file)).toEqual(before);
  });

  it('a newer schema', async () => {
    await (await open()).close();
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(await refusal()).toMatch(
      /was written by a newer version of Holdfast: install that version or a later one/,
    );
  });

  it.each([
    ['cut short', (path: string) => truncateSync(path, 20_000)],
    [
      'overwritten inside',
      (path: string) => writeFileSync(path, readFileSync(path).fill(0xa5, 12_000, 40_000)),
    ],
  ])('damaged: %s', async (_, damage) => {
    const store = await open();
    const author = newId();
    await appendNew(
      store,
      upTo(500).map((n) => text('lobby', author, `line ${n}`)),
    );
    await store.close();
    damage(file);
    expect(await refusal()).toBe(
      `The database ${file} is damaged: put a backup in its place, or move it away to begin with an empty one.`,
    );
  });
});

describe('a file without write permission', () => {
  /** In a process of its own, not as root: for root nothing is read-only. */
  async function refusalOfNobody(): Promise<string> {
    if (process.getuid?.() === 0) for (const path of [folder, file]) chownSync(path, NOBODY, NOBODY);
    return (await answerOf('open-database', file))[0];
  }
  const NOBODY = 65_534;

  it('the file', async () => {
    await (await open()).close();
    chmodSync(file, 0o444);
    expect(await refusalOfNobody()).toMatch(
      /^Unusable: The database .* cannot be written to \(EACCES: permission denied\): change its permissions, or/,
    );
  });

  it('the folder', async () => {
    await (await open()).close();
    chmodSync(folder, 0o555);
    expect(await refusalOfNobody()).toMatch(
      /^Unusable: The folder .* cannot be written to \(EACCES: permission denied\)/,
    );
  });
});
