/** Faults of tails: dropped, repeated or reordered entries, wrong resume points, gaps that are not reported. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Committed, ResumePoint, Store, Tail, TailListener } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import { LAST_WORDS } from '../histories/play.ts';
import type { Fault } from './faults.ts';

export const tailFaults: Fault[] = [
  {
    name: 'a tail drops an entry',
    around: (store) =>
      // but not the last entries of a history, so that nobody waits for them
      withBatches(store, (batch) =>
        batch.filter(
          ({ entry }) => entry.serverOffset % 7 !== 3 || ('body' in entry && entry.body === LAST_WORDS),
        ),
      ),
    caughtBy: [
      'L2 delivers every entry once, in order per room, and none before it can be read',
      'L2 every tail delivers what every store wrote, once and in order per room',
      'resumes at a point, with no gap and no duplicate, while others write',
    ],
    byHistories: true,
  },
  {
    name: 'a tail delivers an entry twice',
    around: (store) =>
      withBatches(store, (batch) =>
        batch.flatMap((one) => (one.entry.serverOffset % 7 === 3 ? [one, one] : [one])),
      ),
    caughtBy: [
      'L2 delivers every entry once, in order per room, and none before it can be read',
      'L2 every tail delivers what every store wrote, once and in order per room',
    ],
    byHistories: true,
  },
  {
    name: 'a tail delivers a batch in reverse',
    around: (store) => withBatches(store, (batch) => batch.toReversed()),
    caughtBy: [
      'L2 delivers every entry once, in order per room, and none before it can be read',
      'L2 every tail delivers what every store wrote, once and in order per room',
    ],
    byHistories: true,
  },
  {
    name: 'a tail delivers only what its own store wrote',
    around: (store) => {
      const mine = new Set<string>();
      const heard = withBatches(store, (batch) => batch.filter(({ entry }) => mine.has(entry.clientOffset)));
      const append: Store['log']['append'] = (items, at) => {
        for (const { clientOffset } of items) mine.add(clientOffset);
        return store.log.append(items, at);
      };
      return { ...heard, log: { ...heard.log, append } };
    },
    caughtBy: [
      'L2 every tail delivers what every store wrote, once and in order per room',
      'a resume point of one store’s tail is valid at another store',
    ],
  },
  {
    name: 'a tail delivers a deleted text',
    around: (store) => {
      const said = new Map<string, string | undefined>();
      const heard = withBatches(store, (batch) =>
        batch.map(({ room, entry }) => {
          const body = said.get(entry.clientOffset);
          if (!('deleted' in entry)) return { room, entry };
          const { deleted: _, ...rest } = entry;
          return { room, entry: { ...rest, body } as Entry };
        }),
      );
      const append: Store['log']['append'] = (items, at) => {
        for (const { clientOffset, body } of items) said.set(clientOffset, body);
        return store.log.append(items, at);
      };
      return { ...heard, log: { ...heard.log, append } };
    },
    caughtBy: [
      'after a deletion no method returns the text, not even a tail that starts before it',
      'a text deleted in its own batch is never shown by the tail',
    ],
  },
  {
    name: 'a tail without a resume point starts at the first entry',
    around: (store) =>
      withTail(store, (from, listener) => store.log.tail(from ?? `${store.epoch}:0`, listener)),
    caughtBy: ['without a resume point it starts at the present'],
  },
  {
    name: 'a tail ignores its resume point',
    around: (store) => withTail(store, (_, listener) => store.log.tail(undefined, listener)),
    caughtBy: [
      'resumes at a point, with no gap and no duplicate, while others write',
      'resumes over reopening',
    ],
  },
  {
    name: 'a tail does not report a gap',
    around: (store) =>
      withTail(store, (from, listener) => store.log.tail(from, { ...listener, onGap: () => {} })),
    caughtBy: [
      'an invalid resume point',
      'a resume point of another database means the present, and a gap is reported',
      'after its resume point is lost a tail reports a gap, and from then on misses nothing, while others write',
    ],
  },
  {
    name: 'after a gap a tail resumes too late',
    around: (store, _, { rows }) => {
      let onHeadsRead = () => {};
      const heads: Store['log']['heads'] = async (rooms) => {
        const found = await store.log.heads(rooms);
        onHeadsRead();
        return found;
      };
      const broken = withTail(store, async (from, listener) => {
        const hasGap = Promise.withResolvers<boolean>();
        const tail = await store.log.tail(from, { ...listener, onGap: () => hasGap.resolve(true) });
        hasGap.resolve(false);
        if (!(await hasGap.promise)) return tail;
        await tail.close();
        const headsRead = new Promise<void>((resolve) => (onHeadsRead = resolve));
        listener.onGap();
        return resumeLater(headsRead, rows, () => store.log.tail(undefined, listener));
      });
      return { ...broken, log: { ...broken.log, heads } };
    },
    caughtBy: [
      'after its resume point is lost a tail reports a gap, and from then on misses nothing, while others write',
    ],
  },
  {
    name: 'a closed tail goes on',
    around: (store) =>
      withTail(store, async (from, listener) => {
        const tail = await store.log.tail(from, listener);
        return { ...tail, close: async () => {} };
      }),
    caughtBy: ['several tails deliver the same', 'reports whether it is open'],
  },
];

/**
 * Opens the tail once the listener has read the heads and something was written after that. A delay would not do: on a busy
 * machine it may end before anything is written, and then nothing is missed.
 */
function resumeLater(headsRead: Promise<void>, rows: readonly unknown[], open: () => Promise<Tail>): Tail {
  let isClosed = false;
  let resumed: Tail | undefined;
  void headsRead.then(async () => {
    const rowsThen = rows.length;
    while (rows.length === rowsThen && !isClosed) await delay(1);
    if (isClosed) return;
    resumed = await open();
    if (isClosed) await resumed.close();
  });
  return {
    isOpen: () => true,
    async close() {
      isClosed = true;
      await resumed?.close();
    },
  };
}

function withTail(
  store: Store,
  tail: (from: ResumePoint | undefined, listener: TailListener) => Promise<Tail>,
): Store {
  return { ...store, log: { ...store.log, tail } };
}

function withBatches(store: Store, changed: (batch: Committed[]) => Committed[]): Store {
  return withTail(store, (from, listener) =>
    store.log.tail(from, { ...listener, onBatch: (batch, point) => listener.onBatch(changed(batch), point) }),
  );
}
