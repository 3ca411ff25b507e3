/** Constraints as the last line of defence: the file refuses what the code must never write. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import { LOBBY } from '../../../../shared/mint.ts';
import { newFolder, silent } from './harness.ts';

test.each([
  ['L1 a second entry at one offset', 'entries.serverOffset', [1, 'another key']],
  ['L3 a second entry under one key', 'entries.author, entries.clientOffset', [2, 'key']],
])('%s is refused by the database', async (_, columns, [serverOffset, clientOffset]) => {
  const folder = await newFolder();
  const file = join(folder, 'holdfast.db');
  await (await openSqlite({ file, log: silent })).close();
  const db = new DatabaseSync(file);
  const insert = (offset: number, key: string) =>
    db
      .prepare(
        `INSERT INTO entries (room, serverOffset, author, clientOffset, at, kind, deleted, digest)
         VALUES (?, ?, 'author', ?, 0, 'join', 0, 'digest')`,
      )
      .run(LOBBY, offset, key);
  insert(1, 'key');
  expect(() => insert(serverOffset as number, clientOffset as string)).toThrow(
    `UNIQUE constraint failed: entries.room, ${columns}`,
  );
  db.close();
  rmSync(folder, { recursive: true });
});
