import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openSqlite } from '../../../../server/store/sqlite/index.ts';
import { appendNew, edit, newId, remove, text, upTo } from '../../../contract/support.ts';
import { newFolder, silent } from './harness.ts';

it('after a deletion and a close no file contains a byte of the text', async () => {
  const folder = await newFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'holdfast.db');
  const author = newId();
  const filesWith = (secret: string) =>
    readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(secret));

  const first = await openSqlite({ file, log: silent });
  const short = text('lobby', author, 'SECRET-short');
  const long = text('lobby', author, `SECRET-long ${'and long '.repeat(2_000)}SECRET-end`); // overflow pages
  const changed = edit(short, 'SECRET-edit');
  const around = upTo(300).map((n) => text('lobby', author, `line ${n}`));
  await appendNew(first, [...around.slice(0, 150), short, long, changed, ...around.slice(150)]);
  await first.close();
  expect(filesWith('SECRET')).toEqual(['holdfast.db']); // so the search does find existing text

  const second = await openSqlite({ file, log: silent });
  await appendNew(second, [remove(short), remove(long)]);
  await second.close();
  expect(filesWith('SECRET')).toEqual([]);
  expect(readdirSync(folder)).toEqual(['holdfast.db', 'holdfast.db.checked', 'holdfast.db.lock']);
});
