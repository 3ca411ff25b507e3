/** Faults in the stored data. */
import type { AppendResult, NewEntry } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import { MemoryData, type Row } from '../memory/data.ts';
import { newId } from '../support.ts';
import type { Fault } from './faults.ts';

export const dataFaults: Fault[] = [
  {
    name: 'a serverOffset is skipped',
    data: () =>
      new (class extends MemoryData {
        override head(room: string): number {
          const head = super.head(room);
          return head >= 5 ? head + 1 : head;
        }
      })(),
    caughtBy: [
      'L1 has no gap and no repeat under concurrent batches',
      'L1 L5 several stores write one room',
      'is inclusive, ascending, and ends at the head',
      'L1 two stores write several rooms concurrently, in opposite order',
    ],
    byHistories: true,
  },
  {
    name: 'a serverOffset is used twice',
    data: () =>
      new (class extends MemoryData {
        override head(room: string): number {
          const head = super.head(room);
          return head >= 5 ? head - 1 : head;
        }
      })(),
    caughtBy: ['L1 has no gap and no repeat under concurrent batches', 'L1 L5 several stores write one room'],
    byHistories: true,
  },
  {
    name: 'an entry may be earlier than the one before',
    data: () =>
      new (class extends MemoryData {
        override lastAt(): number {
          return 0;
        }
      })(),
    caughtBy: ['`at` is never earlier than that of the newest entry of the room, whatever the clock says'],
  },
  {
    name: 'a repeat is stored as another entry',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          const isRepeat = this.find(item)?.digest === item.digest;
          return super.insert(isRepeat ? { ...item, clientOffset: newId() } : item, at);
        }
      })(),
    caughtBy: [
      'L3 concurrent repeats result in one entry',
      'L3 a repeat after the entry was edited',
      'L3 a repeat after the entry was deleted',
      'L3 a repeat after the author left',
      'L3 the same batch on every store concurrently is in the log once, with the same result for all',
      'a repeated change is found by its key, and does not undo a later one',
    ],
    byHistories: true,
  },
  {
    name: 'a deletion does not redact the edits',
    data: () =>
      new (class extends MemoryData {
        override entryOf(row: Row): Entry {
          const entry = super.entryOf(row);
          return row.kind === 'edit'
            ? ({ ...entry, deleted: undefined, body: 'still there' } as unknown as Entry)
            : entry;
        }
      })(),
    caughtBy: [
      'a deletion redacts its target and all its edits',
      'an edit after the deletion is stored redacted',
      'S3 single entries come with the last edit of each message, or its first deletion, and without deleted text',
    ],
    byHistories: true,
  },
  {
    name: 'a deletion is visible only once it is applied',
    data: () =>
      new (class extends MemoryData {
        override entryOf(row: Row): Entry {
          const { deleted: _, ...entry } = super.entryOf(row) as Entry & { deleted?: true };
          return (row.deleted ? { ...entry, deleted: true } : { ...entry, body: row.body }) as Entry;
        }
      })(),
    caughtBy: ['a range applies a deletion at once, at every store and from any offset'],
  },
  {
    name: 'interrupted side effects are never applied',
    data: () =>
      new (class extends MemoryData {
        override repair(): void {}
      })(),
    caughtBy: [
      'L3 a repeat applies a deletion before it is answered',
      'a store that opens later applies a deletion',
      'a store that tails it applies a deletion, and shows nothing of what it redacts',
      'L3 a repeat applies a join and a leave before it is answered',
      'a store that opens later applies a join',
      'a store that tails it applies a join',
    ],
  },
  {
    name: 'a join that is applied late counts as the newest',
    data: () =>
      new (class extends MemoryData {
        override finish(row: Row): void {
          super.finish(row.kind === 'join' ? { ...row, serverOffset: 1_000_000 } : row);
          row.isUnfinished = false;
        }
      })(),
    caughtBy: [
      'the greatest serverOffset wins',
      'members follow joins and leaves',
      'lists the rooms of many users at once, and leaves out users without rooms',
    ],
    byHistories: true,
  },
  {
    name: 'an item that the database refuses is written without its body',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          const isBad = item.kind === 'text' && item.body === undefined;
          const result = super.insert(isBad ? { ...item, body: '' } : item, at);
          return isBad && !('tag' in result) ? { tag: 'failed', message: 'too late' } : result;
        }
      })(),
    caughtBy: [
      'an item that the database refuses leaves no trace',
      'L5 new, repeated, conflicting, refused and failing items',
    ],
    byHistories: true,
  },
  {
    name: 'an edit after a deletion is stored with its body',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          const row = super.insert(item, at);
          if (!('tag' in row) && item.kind === 'edit')
            Object.assign(row, { deleted: false, body: item.body });
          return row;
        }
      })(),
    caughtBy: ['edits on several stores race a deletion on another', 'an edit after it is stored redacted'],
  },
  {
    name: 'reopening loses the newest entry',
    around: (store, nth, data) => {
      const last = nth > 0 ? data.rows.pop() : undefined;
      if (last) data.rowsOf(last.room).pop();
      return store;
    },
    caughtBy: [
      'L4 acknowledged entries are there after reopening',
      'L3 a repeat after reopening',
      'one store reopens while the others write: nothing is lost, and numbering continues',
    ],
  },
];
