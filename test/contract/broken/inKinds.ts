/** Faults with kinds of entries beyond the first five, and with renamed users. */
import { countReactions, type LastReaction } from '../../../server/store/countReactions.ts';
import type { AppendResult, LogStore, NewEntry, Store, UserStore } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import { kindsThat } from '../../../shared/kinds.ts';
import { MemoryData, type Row } from '../memory/data.ts';
import type { Fault } from './faults.ts';

export const kindFaults: Fault[] = [
  {
    name: 'unknown fields are dropped',
    data: () =>
      new (class extends MemoryData {
        override entryOf(row: Row): Entry {
          const { content: _, ...known } = row;
          return super.entryOf(known as Row);
        }
      })(),
    caughtBy: [
      'an entry of an unknown form is returned unchanged',
      'a text keeps a field that this version does not know',
      'O2 a reply to what is no message of the log is appended, with the key alone',
    ],
  },
  {
    name: 'only own messages can be targets',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          return item.targetAuthor === undefined ? super.insert(item, at) : { tag: 'no-target' };
        }
      })(),
    caughtBy: [
      'an aggregate may target anybody’s message, and does not change it',
      'a removal by another user redacts the message and its replacements, with all their fields',
      'a reply names anybody’s message by its key, and gets its serverOffset, also within one batch',
      'a reply neither changes its message nor is changed with it; deleted, it keeps no key',
    ],
  },
  {
    name: 'an aggregate without a target is stored',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          const result = super.insert(item, at);
          const isAlone =
            'tag' in result && result.tag === 'no-target' && kindsThat('aggregate').includes(item.kind);
          return isAlone ? super.insert({ ...item, kind: 'test-silent' }, at) : result;
        }
      })(),
    caughtBy: ['a target must be a message of the same room', 'O2 a reaction to what is no message'],
  },
  {
    name: 'a reaction that was taken back still counts',
    around: (store) =>
      withLog(store, {
        reactionsTo: async (room, targets, by) => {
          const { entries } = await store.log.range(room, 1, 1_000, Number.POSITIVE_INFINITY);
          const all = entries.flatMap((entry) =>
            entry.kind === 'reaction' ? (entry as unknown as LastReaction) : [],
          );
          const those = all.filter(({ target }) => targets.includes(target));
          return countReactions(
            those.map((one) => ({ ...one, isOn: true })),
            by,
          );
        },
      }),
    caughtBy: ['reactions are counted by message and emoji'],
  },
  {
    name: 'of those who reacted only the first three are known',
    around: (store) =>
      withLog(store, { reactors: async (...asked) => (await store.log.reactors(...asked)).slice(0, 3) }),
    caughtBy: ['counts name the first three people'],
  },
  {
    name: 'the subject of an entry is ignored',
    data: () =>
      new (class extends MemoryData {
        override finish(row: Row): void {
          const { subject: _, ...rest } = row;
          super.finish(rest as Row);
          row.isUnfinished = false;
        }
      })(),
    caughtBy: ['an entry with a subject ends the membership of the subject, not of the author'],
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
    caughtBy: ['S3 are found by count, whatever other entries lie between them'],
  },
  {
    name: 'every entry counts as the first message',
    around: (store) =>
      withLog(store, { messageFrom: async (_room, from, to) => (from <= to ? from : undefined) }),
    caughtBy: ['S3 are found by count, whatever other entries lie between them'],
  },
  {
    name: 'own and deleted messages count as unread',
    around: (store) =>
      withLog(store, {
        unread: async (room, _user, after, most) => {
          const { entries } = await store.log.range(room, after + 1, after + 1_000, Number.POSITIVE_INFINITY);
          return Math.min(most, entries.filter(({ kind }) => kind === 'text').length);
        },
      }),
    caughtBy: [
      'of other users after a mark are counted up to a limit, without deleted ones and entries without a line',
    ],
  },
  {
    name: 'a rename takes no new revision',
    around: (store) =>
      withUsers(store, {
        async rename(...asked) {
          const renamed = await store.users.rename(...asked);
          return renamed === 'taken' || 'againAt' in renamed ? renamed : { ...renamed, rev: 0 };
        },
      }),
    caughtBy: ['a rename takes the next revision, and only the new name finds the user'],
  },
  {
    name: 'changed users are listed to strangers',
    around: (store) =>
      withUsers(store, { changedAround: (_user, rev, limit) => store.users.changedSince(rev, limit) }),
    caughtBy: ['lists who changed since a revision, in order, among those who share a room'],
  },
];

function withLog(store: Store, changed: Partial<LogStore>): Store {
  return { ...store, log: { ...store.log, ...changed } };
}

function withUsers(store: Store, changed: Partial<UserStore>): Store {
  return { ...store, users: { ...store.users, ...changed } };
}
