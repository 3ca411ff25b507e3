/** The file as `npm run migrate` reads it: the changes since the move began. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { MovedKey } from '../../../server/store/move.ts';
import { openSqlite } from '../../../server/store/sqlite/index.ts';
import { openMoveSource } from '../../../server/store/sqlite/moveSource.ts';
import { newFolder, silent } from '../store/sqlite/harness.ts';

/** A few hundred milliseconds; with a cost that grows with the square of their number, 20 s. */
const WITHIN_MS = 5_000;
const CHANGES = 50_000;

test('50,000 changes are read in pages of limited size, each change once, within seconds', async () => {
  const folder = await newFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'holdfast.db');
  await (await openSqlite({ file, log: silent })).close();
  const source = await openMoveSource(file);
  source.begin('somewhere');
  {
    using db = new DatabaseSync(file);
    db.exec(`
      INSERT INTO marks (room, user, upTo)
      WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${CHANGES})
      SELECT 'room', 'user ' || n, 1 FROM numbers`);
  }
  const before = performance.now();
  const pages = [...source.changes(0, source.lastChange())].map(({ rows }) => rows.get('marks')!);
  expect(performance.now() - before).toBeLessThan(WITHIN_MS);
  source.close();
  expect(Math.max(...pages.map(({ length }) => length))).toBeLessThanOrEqual(1_000);
  const users = pages.flat().map(([, user]: MovedKey) => user);
  expect(new Set(users).size).toBe(CHANGES);
  expect(users).toHaveLength(CHANGES);
});
