import { expect, test } from 'vitest';
import { Unusable } from '../../../server/store/port.ts';
import { explainingErrors } from '../../../server/store/sqlite/databaseFiles.ts';
import { SQLITE } from '../../../server/store/sqlite/faults.ts';

const wordsFor = (error: unknown) =>
  explainingErrors('/the/folder', async () => {
    throw error;
  }).catch((reason: unknown) => reason);

test.each([
  [{ code: 'ENOSPC' }, /^There is no space left on the disk of \/the\/folder: free some, then try again\./],
  [{ code: 'EDQUOT' }, /no space left/],
  [{ code: 'ERR_SQLITE_ERROR', errcode: SQLITE.FULL }, /no space left/],
  [{ code: 'EACCES' }, /not allowed \(why\): do it as the user that the server runs as\.$/],
  [{ code: 'ERR_SQLITE_ERROR', errcode: SQLITE.READONLY }, /not allowed/],
  [{ code: 'EROFS' }, /^\/the\/folder cannot be written to \(why\): name a place on another disk\.$/],
  [{ code: 'EIO' }, /did not work \(why\): look at the disk of \/the\/folder\. Nothing was changed\.$/],
])('of a disk that says %o a sentence says what to do', async (said, sentence) => {
  const words = await wordsFor(Object.assign(new Error('why'), said));
  expect(words).toBeInstanceOf(Unusable);
  expect((words as Unusable).message).toMatch(sentence);
});

test('a programming error is not reported as a disk error, and an error with a message keeps it', async () => {
  for (const error of [new TypeError('a mistake'), new Unusable('a sentence')])
    expect(await wordsFor(error)).toBe(error);
});
