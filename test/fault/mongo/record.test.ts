/** The checks of the fault tests detect violations: each promise is broken by hand. */
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../../shared/entry.ts';
import { upTo } from '../../contract/support.ts';
import { blankProblems, createTailOrder, orderProblems, timeProblems } from './order.ts';
import { createRecord } from './record.ts';

const room = 'lobby';
const author = 'Ada';
const entry = (serverOffset: number, clientOffset = `key ${serverOffset}`): Entry => ({
  serverOffset,
  clientOffset,
  author,
  at: 1,
  kind: 'text',
  body: 'x',
});
const told = (serverOffset: number, clientOffset?: string) => ({
  room,
  ...entry(serverOffset, clientOffset),
});
const logOf = (...entries: Entry[]) => [{ room, entries }];

describe('observations', () => {
  test('agree with a log that has the same entries', () => {
    const record = createRecord();
    for (const n of upTo(3)) record.tell(told(n), 'a writer');
    expect(record.compare(logOf(...upTo(4).map((n) => entry(n))))).toEqual([]);
  });

  test.each<[broken: string, tellings: ReturnType<typeof told>[], log: Entry[], sentence: RegExp]>([
    ['L1 a gap', [], [entry(1), entry(3)], /^L1 .*3 stands where 2 belongs/],
    ['L1 a place given twice', [told(1)], [entry(1, 'another')], /^L1 lobby#1/],
    ['L3 a key that moved', [told(2, 'key')], [entry(1, 'key')], /^L3 lobby\/Ada\/key: 2 .* 1 /],
    ['L3 another time at the repeat', [{ ...told(1), at: 2 }], [entry(1)], /^L3/],
    ['L2 L4 what was shown and is gone', [told(1), told(2)], [entry(1)], /^L2 lobby#2/],
  ])('%s', (_, tellings, log, sentence) => {
    const record = createRecord();
    for (const one of tellings) record.tell(one, 'a writer');
    expect(record.compare(logOf(...log))[0]).toMatch(sentence);
  });
});

describe('order', () => {
  const said = [{ author, room, keys: ['a', 'b', 'c'] }];

  test('L5 items in the order of queueing, with other entries between them', () => {
    const log = logOf(entry(1, 'a'), { ...entry(2, 'b'), author: 'Bo' }, entry(3, 'b'), entry(4, 'c'));
    expect(orderProblems(said, log)).toEqual([]);
  });

  test.each([
    ['L5 swapped', ['b', 'a', 'c']],
    ['L4 missing in the middle', ['a', 'c']],
    ['L4 missing at the end', ['a', 'b']],
    ['L3 twice', ['a', 'b', 'c', 'c']],
  ])('%s', (_, keys) => {
    expect(orderProblems(said, logOf(...keys.map((key, i) => entry(i + 1, key))))).toHaveLength(1);
  });

  test('L2 reports a tail that skips, goes back or repeats, but not one that starts, restarts, or had a gap', () => {
    const violations: string[] = [];
    const tail = createTailOrder((sentence) => violations.push(sentence));
    const hear = (...offsets: number[]) => tail.onBatch(offsets.map((n) => ({ room, entry: entry(n) })));
    hear(5, 6);
    tail.onGap();
    hear(9, 10);
    tail.onOpen();
    hear(10);
    expect(violations).toEqual([]);
    hear(12);
    hear(12);
    hear(11);
    expect(violations).toHaveLength(3);
  });
});

describe('redaction', () => {
  const remove = (serverOffset: number, target: number): Entry => ({
    serverOffset,
    clientOffset: 'd',
    author,
    at: 1,
    kind: 'delete',
    target,
  });
  const blank = (serverOffset: number): Entry => ({
    ...entry(serverOffset),
    kind: 'text',
    body: undefined,
    deleted: true,
  });

  test.each([
    ['what was deleted is blank', [blank(1), remove(2, 1)], 0],
    ['what was deleted is not blank', [entry(1), remove(2, 1)], 1],
    ['what is blank was not deleted', [blank(1)], 1],
  ])('%s', (_, entries, problems) => {
    expect(blankProblems({ room, entries })).toHaveLength(problems);
  });
});

test('a time that decreases is reported, an equal time is not', () => {
  const at = (...times: number[]) => times.map((time, i) => ({ ...entry(i + 1), at: time }));
  expect(timeProblems({ room, entries: at(5, 5, 6) })).toEqual([]);
  expect(timeProblems({ room, entries: at(5, 6, 5, 7) })).toEqual([
    `${room}#3 is of 5, the one before it of 6`,
  ]);
});
