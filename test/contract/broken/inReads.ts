/** Faults of reads: incomplete, stale or late ranges and heads. */
import type { LogStore, Store } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import { mentionsOf } from '../../../shared/kinds.ts';
import type { Fault } from './faults.ts';

export const readFaults: Fault[] = [
  {
    name: 'a deleted message still mentions people',
    around: (store) => {
      const found = new Map<string, Set<number>>();
      return withLog(store, {
        async mentions(room, user, after, most) {
          const known = found.get(`${room} ${user}`) ?? new Set();
          found.set(`${room} ${user}`, known);
          for (const offset of await store.log.mentions(room, user, after, most)) known.add(offset);
          return [...known].filter((offset) => offset > after).slice(0, most);
        },
        append: async (items, at) => {
          for (const { room, content } of items)
            for (const { user } of (content?.mentions ?? []) as { user: string }[])
              found.set(`${room} ${user}`, new Set(await store.log.mentions(room, user, 0, 99)));
          const outcome = await store.log.append(items, at);
          for (const { room, content } of items)
            for (const { user } of (content?.mentions ?? []) as { user: string }[])
              found.set(`${room} ${user}`, new Set(await store.log.mentions(room, user, 0, 99)));
          return outcome;
        },
      });
    },
    caughtBy: ['a deleted message mentions nobody'],
  },
  {
    name: 'only the newest messages are searched for mentions',
    around: (store) =>
      withLog(store, {
        async mentions(room, user, after, most) {
          const head = (await store.log.heads([room])).get(room) ?? 0;
          return store.log.mentions(room, user, Math.max(after, head - 300), most);
        },
      }),
    caughtBy: ['a mention many entries back is found'],
  },
  {
    name: 'people mention themselves',
    around: (store) =>
      withLog(store, {
        async mentions(room, user, after, most) {
          const { entries } = await store.log.range(room, after + 1, Number.MAX_SAFE_INTEGER, 1e9);
          return entries
            .filter((entry) => mentionsOf(entry).some((one) => one.user === user))
            .map(({ serverOffset }) => serverOffset)
            .slice(0, most);
        },
      }),
    caughtBy: ['messages that mention a user are found beyond an offset'],
  },
  {
    name: 'the last amendment is left out',
    around: (store) =>
      withLog(store, {
        async range(...asked) {
          const read = await store.log.range(...asked);
          return { ...read, amendments: read.amendments.slice(0, -1) };
        },
      }),
    caughtBy: [
      'S3 includes the last later edit of each message, or its first deletion',
      'S3 includes only amendments after the last entry that fitted',
    ],
  },
  {
    name: 'a serverOffset beyond the head has the time of the head',
    around: (store) =>
      withLog(store, {
        async timesAt(points) {
          const heads = await store.log.heads(points.map(({ room }) => room));
          const cut = (room: string, offset: number) => Math.min(offset, heads.get(room)!);
          return store.log.timesAt(
            points.map(({ room, serverOffset }) => ({ room, serverOffset: cut(room, serverOffset) })),
          );
        },
      }),
    caughtBy: [
      'a cursor of a restored database has another time at its serverOffset, or none',
      'finds entries by key, in the order of the keys, and times by serverOffset',
    ],
    byHistories: true,
  },
  {
    name: 'a range is not limited by bytes',
    around: (store) =>
      withLog(store, { range: (room, from, to) => store.log.range(room, from, to, Infinity) }),
    caughtBy: [
      'is limited by the bytes of its JSON, but has at least one entry',
      'counts bytes, not characters',
    ],
  },
  {
    name: 'a store caches entries without invalidation',
    around: (store) => {
      const kept = new Map<string, Entry>();
      return withLog(store, {
        async range(room, ...asked) {
          const read = await store.log.range(room, ...asked);
          const entries = read.entries.map((entry) => {
            const key = `${room} ${entry.serverOffset}`;
            if (!kept.has(key)) kept.set(key, entry);
            return kept.get(key)!;
          });
          return { ...read, entries };
        },
      });
    },
    caughtBy: ['after a deletion on one store every other one reads the text redacted'],
  },
  {
    name: 'a store caches heads without invalidation',
    around: (store) => {
      const known = new Map<string, number>();
      const look = async (rooms: readonly string[]) => {
        const before = new Map(rooms.map((room) => [room, known.get(room) ?? 0]));
        for (const [room, head] of await store.log.heads(rooms)) known.set(room, head);
        return before;
      };
      return withLog(store, { heads: look });
    },
    caughtBy: [
      'L4 every store reads at once what another one has acknowledged',
      'L2 delivers every entry once, in order per room, and none before it can be read',
    ],
  },
  {
    name: 'a range lags behind the tail',
    around: (store) => {
      const known = new Map<string, number>();
      return withLog(store, {
        async range(room, from, to, maxBytes) {
          const head = known.get(room) ?? 0;
          const read = await store.log.range(room, from, to, maxBytes);
          known.set(room, read.head);
          return { ...read, entries: read.entries.filter((entry) => entry.serverOffset <= head), head };
        },
      });
    },
    caughtBy: [
      'L2 a tail delivers only what every store can read',
      'only an own text in the same room can be amended; otherwise no-target',
    ],
    byHistories: true,
  },
  {
    name: 'an empty room has an entry',
    around: (store) =>
      withLog(store, {
        async range(...asked) {
          const read = await store.log.range(...asked);
          return { ...read, head: Math.max(1, read.head) };
        },
      }),
    caughtBy: ['of an empty or missing room is empty with head 0'],
    byHistories: true,
  },
];

function withLog(store: Store, changed: Partial<LogStore>): Store {
  return { ...store, log: { ...store.log, ...changed } };
}
