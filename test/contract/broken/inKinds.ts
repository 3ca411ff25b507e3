/** Mistakes with entries that are more than the first five kinds, and with names that change. */
import type { AppendResult, LogStore, NewEntry, Store, UserStore } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import { MemoryData, type Row } from '../memory/data.ts';
import type { Fault } from './faults.ts';

export const kindFaults: Fault[] = [
  {
    name: 'fields that the store does not know are dropped',
    data: () =>
      new (class extends MemoryData {
        override entryOf(row: Row): Entry {
          const { content: _, ...known } = row;
          return super.entryOf(known as Row);
        }
      })(),
    caughtBy: [
      'an entry of an unknown form comes back whole',
      'a text with a field that this version does not know',
    ],
  },
  {
    name: 'only one’s own messages can be named',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          return item.targetAuthor === undefined ? super.insert(item, at) : { tag: 'no-target' };
        }
      })(),
    caughtBy: ['an aggregate names anybody’s message', 'a removal by somebody else redacts the message'],
  },
  {
    name: 'a reaction to nothing is stored without its target',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          const result = super.insert(item, at);
          const isAlone = 'tag' in result && result.tag === 'no-target' && item.kind === 'test-reaction';
          return isAlone ? super.insert({ ...item, kind: 'test-silent' }, at) : result;
        }
      })(),
    caughtBy: ['what is named must be a message that is there'],
  },
  {
    name: 'an entry is always about its author',
    data: () =>
      new (class extends MemoryData {
        override finish(row: Row): void {
          const { subject: _, ...rest } = row;
          super.finish(rest as Row);
          row.isUnfinished = false;
        }
      })(),
    caughtBy: ['an entry about somebody else ends their membership'],
  },
  {
    name: 'every entry counts as a message',
    around: (store) =>
      withLog(store, {
        messageAt: async (room, upTo, count) => {
          const head = (await store.log.heads([room])).get(room) ?? 0;
          return head === 0 ? undefined : Math.max(1, Math.min(upTo, head) - count + 1);
        },
      }),
    caughtBy: ['S3 are found by how many there are'],
  },
  {
    name: 'one’s own and deleted messages are unread',
    around: (store) =>
      withLog(store, {
        unread: async (room, _user, after, most) => {
          const { entries } = await store.log.range(room, after + 1, after + 1_000, Number.POSITIVE_INFINITY);
          return Math.min(most, entries.filter(({ kind }) => kind === 'text').length);
        },
      }),
    caughtBy: ['of others, after a mark, are counted'],
  },
  {
    name: 'a new name is no new revision',
    around: (store) =>
      withUsers(store, {
        async rename(...asked) {
          const renamed = await store.users.rename(...asked);
          return renamed === 'taken' ? renamed : { ...renamed, rev: 0 };
        },
      }),
    caughtBy: ['a name changes with the next revision'],
  },
  {
    name: 'strangers hear who changed',
    around: (store) =>
      withUsers(store, { changedAround: (_user, rev, limit) => store.users.changedSince(rev, limit) }),
    caughtBy: ['tells who changed since a revision'],
  },
];

function withLog(store: Store, changed: Partial<LogStore>): Store {
  return { ...store, log: { ...store.log, ...changed } };
}

function withUsers(store: Store, changed: Partial<UserStore>): Store {
  return { ...store, users: { ...store.users, ...changed } };
}
