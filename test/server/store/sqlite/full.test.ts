import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { appendOn } from '../../../../server/store/sqlite/append.ts';
import { openDatabase } from '../../../../server/store/sqlite/database.ts';
import { faultKind } from '../../../../server/store/sqlite/faults.ts';
import { readsOn } from '../../../../server/store/sqlite/reads.ts';
import { newId, text, upTo } from '../../../contract/support.ts';
import { newFolder } from './harness.ts';

it('L4 a full disk: nothing of the batch is there, nothing is acknowledged, and it goes on when there is room', async () => {
  const folder = await newFolder();
  const db = openDatabase(join(folder, 'holdfast.db'));
  onTestFinished(async () => {
    db.close();
    await rm(folder, { recursive: true });
  });
  const [append, reads, author] = [appendOn(db), readsOn(db), newId()];
  const batch = (size: number) => upTo(size).map(() => text('lobby', author, 'x'.repeat(1_000)));
  append(batch(10), 1);

  db.exec('PRAGMA max_page_count = 40');
  const tooMuch = batch(200);
  const error = thrownBy(() => append(tooMuch, 2));
  expect(faultKind(error)).toBe('transient');
  expect(reads.heads(['lobby'])).toEqual(new Map([['lobby', 10]]));
  expect(reads.find(tooMuch).filter(Boolean)).toEqual([]);

  db.exec('PRAGMA max_page_count = 100000');
  expect(append(tooMuch, 3).results.map((result) => 'serverOffset' in result && result.serverOffset)).toEqual(
    upTo(210).slice(10),
  );
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not throw');
}
