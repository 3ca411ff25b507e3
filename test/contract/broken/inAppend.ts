/** Faults of append: lost or reordered items, wrong results. */
import {
  type AppendResult,
  type LogStore,
  type NewEntry,
  type Store,
  Unavailable,
} from '../../../server/store/port.ts';
import { newId } from '../support.ts';
import type { Fault } from './faults.ts';

type Append = LogStore['append'];

export const appendFaults: Fault[] = [
  {
    name: 'a result is given for an item that was not written',
    around: (store) =>
      withAppend(store, async (items, at) => {
        if (items.length < 3) return store.log.append(items, at);
        const { results } = await store.log.append(items.slice(0, -1), at);
        const serverOffset = (await store.log.heads([items.at(-1)!.room])).get(items.at(-1)!.room)! + 1;
        return { results: [...results, { tag: 'appended', serverOffset, at }] };
      }),
    caughtBy: [
      'L1 has no gap and no repeat under concurrent batches',
      'L1 L5 several stores write one room',
      'stores a body unchanged: emoji, newlines, quotes, and 4,000 code points',
      'an edit or deletion may target an earlier text of its batch',
      'lists the rooms of a user, with head and read marker',
    ],
    byHistories: true,
  },
  {
    name: 'an unknown outcome is acknowledged',
    around: (store) =>
      withAppend(store, async (items, at) => {
        const { results, stopped } = await store.log.append(items, at);
        if (!stopped) return { results };
        return { results: items.map(() => ({ tag: 'appended', serverOffset: 1, at })) };
      }),
    caughtBy: ['closing finishes the calls under way; afterwards everything is unavailable'],
  },
  {
    name: 'a batch is written in reverse',
    around: (store) =>
      withAppend(store, async (items, at) => {
        const { results } = await store.log.append(items.toReversed(), at);
        return { results: results.toReversed() };
      }),
    caughtBy: [
      'L5 new, repeated, conflicting, refused and failing items over several rooms in one batch',
      'L1 has no gap and no repeat under concurrent batches',
      'L1 L5 several stores',
      'a target later in the batch is not found',
    ],
    byHistories: true,
  },
  {
    name: 'the results of a batch are swapped',
    around: (store) =>
      withAppend(store, async (items, at) => {
        const { results } = await store.log.append(items, at);
        const sorted = results.toSorted((x, y) => offsetOf(y) - offsetOf(x));
        return { results: results.every((one) => one.tag === 'appended') ? sorted : results };
      }),
    caughtBy: [
      'L1 L5 several stores write one room',
      'L1 numbers each room by itself, from 1 to its head, without a gap',
    ],
    byHistories: true,
  },
  {
    name: 'an item that the database refuses fails its whole batch',
    around: (store) =>
      withAppend(store, async (items, at) => {
        if (!items.some((one) => one.kind === 'text' && one.body === undefined))
          return store.log.append(items, at);
        return { results: items.map(() => ({ tag: 'failed', message: 'all of it' })) };
      }),
    caughtBy: ['L5 new, repeated, conflicting, refused and failing items over several rooms in one batch'],
    byHistories: true,
  },
  {
    name: 'a repeat gets a new time',
    around: (store) =>
      withAppend(store, async (items, at) => {
        const { results } = await store.log.append(items, at);
        return { results: results.map((one) => (one.tag === 'repeat' ? { ...one, at } : one)) };
      }),
    caughtBy: [
      'L3 a repeat gets the original serverOffset and time',
      'L3 a repeat on another store gets the original serverOffset and time',
    ],
    byHistories: true,
  },
  {
    name: 'a repeat is known only to the store that wrote the original',
    around: (store) => {
      const mine = new Set<string>();
      return withAppend(store, async (items, at) => {
        const known = async (one: NewEntry): Promise<NewEntry> => {
          const [there] = await store.log.find([one]);
          if (!there || there.digest !== one.digest || mine.has(one.clientOffset)) return one;
          return { ...one, clientOffset: newId() };
        };
        const sent = await Promise.all(items.map(known));
        for (const one of items) mine.add(one.clientOffset);
        return store.log.append(sent, at);
      });
    },
    caughtBy: ['L3 a repeat on another store', 'L3 a repeat after reopening'],
    byHistories: true,
  },
  {
    name: 'a conflict is treated as a repeat',
    around: (store) =>
      withAppend(store, async (items, at) => {
        const { results } = await store.log.append(items, at);
        const originals = await store.log.find(items);
        const taken = (one: AppendResult, i: number): AppendResult =>
          one.tag === 'conflict'
            ? { tag: 'repeat', serverOffset: originals[i]!.serverOffset, at: originals[i]!.at }
            : one;
        return { results: results.map(taken) };
      }),
    caughtBy: [
      'L3 the same key with other content is a conflict',
      'L3 one key with two contents on two stores',
    ],
    byHistories: true,
  },
  {
    name: 'a target is found only by the store that wrote it',
    around: (store) => {
      const mine = new Set<string>();
      return withAppend(store, async (items, at) => {
        for (const one of items) mine.add(one.clientOffset);
        const isMissing = (one: NewEntry) => one.target !== undefined && !mine.has(one.target);
        if (items.some(isMissing)) return { results: items.map(() => ({ tag: 'no-target' })) };
        return store.log.append(items, at);
      });
    },
    caughtBy: ['a store finds a target that another one wrote'],
  },
  {
    name: 'a clientOffset is unique over all rooms and authors',
    around: (store) => {
      const known = new Map<string, AppendResult>();
      return withAppend(store, async (items, at) => {
        if (items.some((one) => known.has(one.clientOffset)))
          return { results: items.map((one) => known.get(one.clientOffset) ?? { tag: 'conflict' }) };
        const { results } = await store.log.append(items, at);
        for (const [i, one] of items.entries()) known.set(one.clientOffset, results[i]!);
        return { results };
      });
    },
    caughtBy: ['a key belongs to one author in one room'],
  },
  {
    name: 'an empty batch is an error',
    around: (store) =>
      withAppend(store, async (items, at) =>
        items.length > 0
          ? store.log.append(items, at)
          : { results: [], stopped: new Unavailable('nothing to append') },
      ),
    caughtBy: ['an empty batch has no effect'],
  },
];

function withAppend(store: Store, append: Append): Store {
  return { ...store, log: { ...store.log, append } };
}

function offsetOf(result: AppendResult): number {
  return result.tag === 'appended' ? result.serverOffset : 0;
}
