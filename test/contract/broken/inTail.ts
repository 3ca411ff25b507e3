/** Tails that drop, repeat, mix up, resume at the wrong place, or do not say that they missed something. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Committed, ResumePoint, Store, Tail, TailListener } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import { LAST_WORDS } from '../histories/play.ts';
import type { Fault } from './faults.ts';

export const tailFaults: Fault[] = [
  {
    name: 'a tail drops an entry',
    around: (store) =>
      // but not the last words of a history, so that nobody waits for them
      withBatches(store, (batch) =>
        batch.filter(
          ({ entry }) => entry.serverOffset % 7 !== 3 || ('body' in entry && entry.body === LAST_WORDS),
        ),
      ),
    caughtBy: [
      'L2 shows every entry once, in order per room',
      'L2 every tail shows what every store wrote',
      'resumes at a point, with no gap and no repeat',
    ],
    byHistories: true,
  },
  {
    name: 'a tail tells an entry twice',
    around: (store) =>
      withBatches(store, (batch) =>
        batch.flatMap((one) => (one.entry.serverOffset % 7 === 3 ? [one, one] : [one])),
      ),
    caughtBy: ['L2 shows every entry once, in order per room', 'L2 every tail shows what every store wrote'],
    byHistories: true,
  },
  {
    name: 'a tail tells a batch backwards',
    around: (store) => withBatches(store, (batch) => batch.toReversed()),
    caughtBy: ['L2 shows every entry once, in order per room', 'L2 every tail shows what every store wrote'],
    byHistories: true,
  },
  {
    name: 'a tail hears only what its own store wrote',
    around: (store) => {
      const mine = new Set<string>();
      const heard = withBatches(store, (batch) => batch.filter(({ entry }) => mine.has(entry.clientOffset)));
      const append: Store['log']['append'] = (items, at) => {
        for (const { clientOffset } of items) mine.add(clientOffset);
        return store.log.append(items, at);
      };
      return { ...heard, log: { ...heard.log, append } };
    },
    caughtBy: ['L2 every tail shows what every store wrote', 'a point that one store’s tail gave'],
  },
  {
    name: 'a tail tells of a deleted text',
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
      'after a delete no method reads the text, not even a tail that begins before it',
      'a text deleted in its own batch is never shown by the tail',
    ],
  },
  {
    name: 'a tail without a point begins at the beginning',
    around: (store) =>
      withTail(store, (from, listener) => store.log.tail(from ?? `${store.epoch}:0`, listener)),
    caughtBy: ['without a point it begins at the present'],
  },
  {
    name: 'a tail forgets where it was to resume',
    around: (store) => withTail(store, (_, listener) => store.log.tail(undefined, listener)),
    caughtBy: ['resumes at a point, with no gap and no repeat', 'resumes over reopening'],
  },
  {
    name: 'a tail does not say that it missed something',
    around: (store) =>
      withTail(store, (from, listener) => store.log.tail(from, { ...listener, onGap: () => {} })),
    caughtBy: [
      'a point that means nothing',
      'a point of another database',
      'after its point is gone a tail says so',
    ],
  },
  {
    name: 'a tail that missed something goes on a moment too late',
    around: (store) =>
      withTail(store, async (from, listener) => {
        const isGone = Promise.withResolvers<boolean>();
        const tail = await store.log.tail(from, { ...listener, onGap: () => isGone.resolve(true) });
        isGone.resolve(false);
        if (!(await isGone.promise)) return tail;
        await tail.close();
        listener.onGap();
        const later = delay(5).then(() => store.log.tail(undefined, listener));
        return { isOpen: () => true, close: async () => (await later).close() };
      }),
    caughtBy: ['after its point is gone a tail says so, and from then on misses nothing'],
  },
  {
    name: 'a tail that is closed goes on',
    around: (store) =>
      withTail(store, async (from, listener) => {
        const tail = await store.log.tail(from, listener);
        return { ...tail, close: async () => {} };
      }),
    caughtBy: ['several tails hear the same; a closed one', 'says whether it is open'],
  },
];

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
