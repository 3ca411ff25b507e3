import { expect, test } from 'vitest';
import { quotesFor } from '../../../server/feed/quotes.ts';
import type { Entry } from '../../../shared/entry.ts';

const SECRET = 'the combination is 31-7-22';
const [ada, bo] = ['A'.repeat(22), `${'B'.repeat(21)}A`];
const entry = (serverOffset: number, rest: object): Entry =>
  ({ serverOffset, author: ada, clientOffset: `${serverOffset}`, at: 1, kind: 'text', ...rest }) as Entry;
const reply = (serverOffset: number, target: number) =>
  entry(serverOffset, { author: bo, body: 'r', target, replyTo: { author: ada, clientOffset: `${target}` } });

const LOG = [
  entry(1, { body: '𝒳'.repeat(300) }),
  entry(2, { body: 'two' }),
  entry(3, { deleted: true }),
  entry(4, { kind: 'edit', target: 2, body: 'two again' }),
  entry(5, { kind: 'edit', target: 3, deleted: true }),
  entry(6, { kind: 'delete', target: 3 }),
  reply(7, 1),
  reply(8, 2),
  reply(9, 3),
  reply(10, 9),
  entry(11, { kind: 'join' }),
];

const asked: number[][] = [];
const log = {
  entriesAt: async (_: string, offsets: readonly number[]) => {
    asked.push([...offsets]);
    const entries = LOG.filter(({ serverOffset }) => offsets.includes(serverOffset));
    const amendments = LOG.filter(({ kind, target }) => kind !== 'text' && offsets.includes(target ?? 0));
    return { entries, amendments, head: 11 };
  },
};
const EXPECTED = [
  { serverOffset: 1, body: '𝒳'.repeat(200) },
  { serverOffset: 2, body: 'two again', replacedBy: 4 },
  { serverOffset: 3 },
];

test('quotes are of messages outside the frame, cut at 200 code points, with the last edit, and of a deleted one nothing', async () => {
  expect(await quotesFor(log, 'room', LOG.slice(6))).toEqual(EXPECTED);
  expect(asked).toEqual([[1, 2, 3]]);
});

test('quotes of recent messages are read from memory, and are the same', async () => {
  asked.length = 0;
  const recent = (from: number) => LOG.slice(from - 1);
  expect(await quotesFor(log, 'room', LOG.slice(6), recent)).toEqual(EXPECTED);
  expect(asked).toEqual([]);
});

test('a frame without replies, and a deleted reply, ask nothing and quote nothing', async () => {
  asked.length = 0;
  expect(await quotesFor(log, 'room', LOG.slice(0, 6))).toEqual([]);
  expect(await quotesFor(log, 'room', [{ ...reply(7, 1), deleted: true, body: SECRET } as Entry])).toEqual(
    [],
  );
  expect(asked).toEqual([]);
});
