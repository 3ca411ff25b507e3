/** Appends that need direct access to the database: a full disk, an item that fails half-way. */
import { rm } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { appendOn } from '../../../../server/store/sqlite/append.ts';
import { openWriter } from '../../../../server/store/sqlite/connections.ts';
import { faultKind } from '../../../../server/store/sqlite/faults.ts';
import { readsOn } from '../../../../server/store/sqlite/logReads.ts';
import { roomsOn } from '../../../../server/store/sqlite/roomStore.ts';
import { join, newId, text, upTo } from '../../../contract/support.ts';
import { newFolder } from './harness.ts';

const author = newId();
let db: DatabaseSync;
beforeEach(async () => {
  const folder = await newFolder();
  ({ db } = openWriter(joinPath(folder, 'holdfast.db')));
  onTestFinished(async () => {
    db.close();
    await rm(folder, { recursive: true });
  });
});

it('L4 a full disk: nothing of the batch is written or acknowledged, and appends succeed again when there is space', () => {
  const [append, reads] = [appendOn(db), readsOn(db)];
  const batch = (size: number) => upTo(size).map(() => text('lobby', author, 'x'.repeat(1_000)));
  append(batch(10), 1);

  db.exec('PRAGMA max_page_count = 40');
  const tooMuch = batch(200);
  expect(faultKind(thrownBy(() => append(tooMuch, 2)))).toBe('transient');
  expect(reads.heads(['lobby'])).toEqual(new Map([['lobby', 10]]));
  expect(reads.find(tooMuch).filter(Boolean)).toEqual([]);

  db.exec('PRAGMA max_page_count = 100000');
  expect(append(tooMuch, 3).results.map((result) => 'serverOffset' in result && result.serverOffset)).toEqual(
    upTo(210).slice(10),
  );
});

it('L1 an item that fails half-way leaves nothing behind, and the others are appended', () => {
  db.exec(
    `CREATE TRIGGER broken BEFORE INSERT ON members BEGIN SELECT RAISE(ABORT, 'no members today'); END`,
  );
  const batch = [text('lobby', author, 'before'), join('lobby', author), text('lobby', author, 'after')];
  const { results, committed } = appendOn(db)(batch, 1);
  expect(results).toEqual([
    { tag: 'appended', serverOffset: 1, at: 1 },
    { tag: 'failed', message: 'no members today' },
    { tag: 'appended', serverOffset: 2, at: 1 },
  ]);
  expect(committed.map(({ seq, entry }) => [seq, entry.serverOffset, entry.kind])).toEqual([
    [1, 1, 'text'],
    [2, 2, 'text'],
  ]);
  expect(readsOn(db).range('lobby', 1, 10, 10_000).entries).toEqual(committed.map(({ entry }) => entry));
  expect(roomsOn(db).byId('lobby')).toMatchObject({ head: 2, members: 0 });
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not throw');
}
