import { expect, test } from 'vitest';
import { createWrite } from '../../../server/ingest/write.ts';
import { type AppendOutcome, type NewEntry, Unavailable } from '../../../server/store/port.ts';

const entry = (clientOffset: string): NewEntry => ({
  room: 'r',
  author: 'a',
  clientOffset,
  kind: 'text',
  body: 'x',
  digest: '',
});

test('a batch that throws is split down to the guilty entry; the others go on, in order', async () => {
  const log: string[] = [];
  const append = async (entries: readonly NewEntry[]): Promise<AppendOutcome> => {
    if (entries.some((e) => e.clientOffset === 'guilty')) throw new Error('no such encoding');
    return {
      results: entries.map((e) => ({ tag: 'appended', serverOffset: log.push(e.clientOffset), at: 0 })),
    };
  };
  const write = createWrite({ append }, () => 0);
  const { results, stopped } = await write(['1', '2', 'guilty', '3', '4'].map(entry));
  expect(stopped).toBeUndefined();
  expect(results.map((r) => r.tag)).toEqual(['appended', 'appended', 'failed', 'appended', 'appended']);
  expect(log).toEqual(['1', '2', '3', '4']);
});

test('L4 a store that is away stops the batch: nothing is tried again behind it', async () => {
  let calls = 0;
  const append = async () => {
    calls++;
    throw new Unavailable('away');
  };
  const outcome = await createWrite({ append }, () => 0)([entry('1'), entry('2')]);
  expect(outcome.results).toEqual([]);
  expect(outcome.stopped).toBeInstanceOf(Unavailable);
  expect(calls).toBe(1);
});
