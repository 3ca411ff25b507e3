import { describe, expect, test } from 'vitest';
import { BATCH_MAX_ENTRIES } from '../../../server/base/serverLimits.ts';
import { createBatcher, createBatchWrite, createLanes, laneOfRoom } from '../../../server/ingest/batcher.ts';
import { type AppendOutcome, type NewEntry, Unavailable } from '../../../server/store/port.ts';

/** A write that the test finishes by hand. */
function slowWrite() {
  const writes: { entries: readonly NewEntry[]; finish: (outcome: AppendOutcome) => void }[] = [];
  let onWrite = () => {};
  const write = (entries: readonly NewEntry[]) =>
    new Promise<AppendOutcome>((finish) => {
      writes.push({ entries, finish });
      onWrite();
    });
  const nth = async (n: number) => {
    while (writes.length < n) await new Promise<void>((resolve) => (onWrite = resolve));
    return writes[n - 1]!;
  };
  return { write, nth };
}

const entry = (key: number | string): NewEntry => ({
  room: 'r',
  author: 'a',
  clientOffset: String(key),
  kind: 'text',
  body: 'x',
  digest: '',
});
const numbered = (entries: readonly NewEntry[], first = 1): AppendOutcome => ({
  results: entries.map((_, i) => ({ tag: 'appended', serverOffset: first + i, at: 0 })),
});
const offsets = ({ results }: AppendOutcome) =>
  results.map((r) => ('serverOffset' in r ? r.serverOffset : r.tag));

describe('batches', () => {
  test('requests that arrive during a write are in the next one, and each gets its own results', async () => {
    const { write, nth } = slowWrite();
    const { append } = createBatcher(write);
    const first = append([entry(1)]);
    const one = await nth(1);
    const [second, third] = [append([entry(2), entry(3)]), append([entry(4)])];
    one.finish(numbered(one.entries));
    const two = await nth(2);
    expect(two.entries.map((e) => e.clientOffset)).toEqual(['2', '3', '4']);
    two.finish(numbered(two.entries, 2));
    expect(offsets(await first)).toEqual([1]);
    expect(offsets(await second)).toEqual([2, 3]);
    expect(offsets(await third)).toEqual([4]);
  });

  test('L4 a batch that stops in the middle of a request has the known results, and none for the rest', async () => {
    const { write, nth } = slowWrite();
    const { append } = createBatcher(write);
    const [first, second, third] = [append([entry(1)]), append([entry(2), entry(3)]), append([entry(4)])];
    const { entries, finish } = await nth(1);
    finish({ results: numbered(entries).results.slice(0, 2), stopped: new Unavailable('the disk is slow') });
    expect(await first).toEqual({ results: [{ tag: 'appended', serverOffset: 1, at: 0 }] });
    expect(offsets(await second)).toEqual([2]);
    expect((await second).stopped).toBeInstanceOf(Unavailable);
    expect((await third).results).toEqual([]);
    expect((await third).stopped).toBeInstanceOf(Unavailable);
  });

  test('a batch has a maximum size, and a request is never split over two', async () => {
    const { write, nth } = slowWrite();
    const { append } = createBatcher(write);
    const many = Array.from({ length: BATCH_MAX_ENTRIES - 1 }, (_, i) => entry(i));
    const answers = [append(many), append([entry(-1), entry(-2)])];
    const one = await nth(1);
    expect(one.entries).toHaveLength(BATCH_MAX_ENTRIES - 1);
    one.finish(numbered(one.entries));
    const two = await nth(2);
    expect(two.entries).toHaveLength(2);
    two.finish(numbered(two.entries));
    await Promise.all(answers);
  });
});

describe('requests that wait', () => {
  test('L4 one that nobody waits for any more is not written; the others are, in order', async () => {
    const { write, nth } = slowWrite();
    const time = { now: 0 };
    const { append } = createBatcher(write, { now: () => time.now });
    const first = append([entry(1)]);
    const one = await nth(1);
    const [late, inTime] = [append([entry(2)], 5_000), append([entry(3)])];
    time.now = 5_000;
    one.finish(numbered(one.entries));
    const two = await nth(2);
    expect(two.entries.map((e) => e.clientOffset)).toEqual(['3']);
    two.finish(numbered(two.entries, 2));
    expect(await late).toEqual({ results: [], stopped: expect.any(Unavailable) });
    expect(offsets(await first)).toEqual([1]);
    expect(offsets(await inTime)).toEqual([2]);
  });

  test('without a time of its own a request waits for 8 s; where all are late, nothing is written', async () => {
    const { write, nth } = slowWrite();
    const time = { now: 0 };
    const { append } = createBatcher(write, { now: () => time.now });
    const first = append([entry(1)]);
    const one = await nth(1);
    const late = append([entry(2)]);
    time.now = 8_000;
    one.finish(numbered(one.entries));
    await first;
    expect((await late).stopped).toBeInstanceOf(Unavailable);
    const next = append([entry(3)]);
    const two = await nth(2);
    expect(two.entries.map((e) => e.clientOffset)).toEqual(['3']);
    two.finish(numbered(two.entries, 2));
    await next;
  });

  test('are bounded in bytes, over all lanes: further ones are refused at once, until others are written', async () => {
    const { write, nth } = slowWrite();
    const { append } = createLanes(write, laneOfRoom, { maxWaitingBytes: 10_000 });
    const to = (room: string, key: number) => append([{ ...entry(key), room, body: 'x'.repeat(1_800) }]);
    const first = to('a', 1);
    const one = await nth(1);
    const waiting = [to('a', 2), to('a', 3)];
    const refused = to('b', 4);
    expect((await refused).stopped).toBeInstanceOf(Unavailable);
    one.finish(numbered(one.entries));
    const two = await nth(2);
    expect(two.entries.map((e) => e.clientOffset)).toEqual(['2', '3']);
    const again = to('b', 4);
    (await nth(3)).finish(numbered([entry(4)], 9));
    two.finish(numbered(two.entries, 2));
    expect(offsets(await again)).toEqual([9]);
    await Promise.all([first, ...waiting]);
  });
});

describe('a batch write', () => {
  test('a batch that throws is bisected down to the bad entry; the others are written, in order', async () => {
    const log: string[] = [];
    const append = async (entries: readonly NewEntry[]): Promise<AppendOutcome> => {
      if (entries.some((e) => e.clientOffset === 'bad')) throw new Error('no such encoding');
      return {
        results: entries.map((e) => ({ tag: 'appended', serverOffset: log.push(e.clientOffset), at: 0 })),
      };
    };
    const write = createBatchWrite({ append }, () => 0);
    const { results, stopped } = await write(['1', '2', 'bad', '3', '4'].map((key) => entry(key)));
    expect(stopped).toBeUndefined();
    expect(results.map((r) => r.tag)).toEqual(['appended', 'appended', 'failed', 'appended', 'appended']);
    expect(log).toEqual(['1', '2', '3', '4']);
  });

  test('L4 an unavailable store stops the batch: no later entry is tried', async () => {
    let calls = 0;
    const append = async () => {
      calls++;
      throw new Unavailable('away');
    };
    const outcome = await createBatchWrite({ append }, () => 0)([entry('1'), entry('2')]);
    expect(outcome.results).toEqual([]);
    expect(outcome.stopped).toBeInstanceOf(Unavailable);
    expect(calls).toBe(1);
  });
});
