import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLanes, laneOfRoom, oneLane } from '../../../server/ingest/batcher.ts';
import {
  type AppendOutcome,
  type AppendResult,
  mergeOutcomes,
  type NewEntry,
} from '../../../server/store/port.ts';
import { runsOf } from '../../support/runs.ts';
import { away, writesAtRandom, writesByHand } from './writes.ts';

describe('lanes of a store that writes by room', () => {
  test('a room whose write is slow does not delay other rooms', async () => {
    const store = writesByHand();
    const { append } = createLanes(store.write, laneOfRoom);
    const [slow, quick] = [entry('slow', '1'), entry('quick', '2')];
    const first = append([slow]);
    const held = await store.writing('slow');
    const second = append([quick]);
    (await store.writing('quick')).finish();
    expect(await second).toEqual({ results: [store.resultOf(quick)] });
    held.finish();
    expect(await first).toEqual({ results: [store.resultOf(slow)] });
  });

  test('the results of a request over several rooms are in the order of its items', async () => {
    const store = writesByHand();
    const { append } = createLanes(store.write, laneOfRoom);
    const asked = [entry('a', '1'), entry('b', '2'), entry('a', '3'), entry('b', '4')];
    const answer = append(asked);
    (await store.writing('b')).finish();
    (await store.writing('a')).finish();
    expect(await answer).toEqual({ results: asked.map(store.resultOf) });
  });

  test('L4 the results of a request stop at the first item whose fate is unknown, and say why', async () => {
    const store = writesByHand();
    const { append } = createLanes(store.write, laneOfRoom);
    const asked = [entry('a', '1'), entry('b', '2'), entry('a', '3'), entry('b', '4')];
    const answer = append(asked);
    (await store.writing('a')).finish(1);
    (await store.writing('b')).finish();
    expect(await answer).toEqual({ results: asked.slice(0, 2).map(store.resultOf), stopped: away });
  });

  test('L5 a room has one write in flight at a time, however many requests are queued', async () => {
    const store = writesByHand();
    let underWay = 0;
    let most = 0;
    const { append } = createLanes(async (entries) => {
      most = Math.max(most, ++underWay);
      const outcome = await store.write(entries);
      underWay--;
      return outcome;
    }, laneOfRoom);
    const keys = ['1', '2', '3', '4', '5'];
    let answer: Promise<unknown> | undefined;
    for (const key of keys) {
      const write = answer && (await store.writing('a'));
      const next = append([entry('a', key)]); // queued behind the write in flight
      for (let turns = 0; turns < 3; turns++) await new Promise(setImmediate); // it would have started by then
      write?.finish();
      await answer;
      answer = next;
    }
    (await store.writing('a')).finish();
    await answer;
    expect(most).toBe(1);
    expect(store.logOf('a')).toEqual(keys);
  });

  test('L4 L5 with concurrent, stopped and reordered writes, each request gets the results of its own items, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 }), { maxLength: 8 }),
        fc.boolean(),
        fc.nat(),
        async (requests, byRoom, seed) => {
          const store = writesAtRandom(seed);
          const { append } = createLanes(store.write, byRoom ? laneOfRoom : oneLane);
          const asked = requests.map((rooms, r) => rooms.map((room, i) => entry(room, `${r}.${i}`)));
          const outcomes = await Promise.all(asked.map((entries) => append(entries)));
          outcomes.forEach(({ results, stopped }, r) => {
            expect(results).toEqual(asked[r]!.slice(0, results.length).map(store.resultOf));
            expect(stopped).toBe(results.length < asked[r]!.length ? away : undefined);
          });
          // keys with single digits sort in the order of the requests
          for (const room of ['a', 'b', 'c']) expect(store.logOf(room)).toEqual(store.logOf(room).toSorted());
        },
      ),
      { numRuns: runsOf('lanes of batches') },
    );
  });
});

test('with one lane, all rooms are in one write', async () => {
  const batches: string[][] = [];
  const { append } = createLanes(async (entries) => {
    batches.push(entries.map(({ room }) => room));
    return { results: [], stopped: away };
  }, oneLane);
  await Promise.all([append([entry('a', '1'), entry('b', '2')]), append([entry('c', '3')])]);
  expect(batches).toEqual([['a', 'b', 'c']]);
});

test('L4 results of several lanes are merged up to the first item that has none', () => {
  const lane = fc.constantFrom('a', 'b', 'c');
  fc.assert(
    fc.property(fc.array(lane), fc.dictionary(lane, fc.nat(4)), (lanes, known) => {
      const whole = lanes.map((name, i): [string, AppendResult] => [
        name,
        { tag: 'appended', serverOffset: i + 1, at: 0 },
      ]);
      const outcomes = new Map(
        ['a', 'b', 'c'].map((name): [string, AppendOutcome] => {
          const asked = whole.flatMap(([of, result]) => (of === name ? [result] : []));
          const results = asked.slice(0, known[name] ?? asked.length);
          return [name, results.length < asked.length ? { results, stopped: away } : { results }];
        }),
      );
      const { results, stopped } = mergeOutcomes(lanes, outcomes);
      expect(results).toEqual(whole.slice(0, results.length).map(([, result]) => result));
      const next = whole[results.length];
      expect(stopped).toBe(next ? away : undefined);
      if (next) expect(outcomes.get(next[0])!.results).not.toContain(next[1]); // not one item too early
    }),
  );
});

function entry(room: string, clientOffset: string): NewEntry {
  return { room, author: 'me', clientOffset, kind: 'text', body: 'x', digest: '' };
}
