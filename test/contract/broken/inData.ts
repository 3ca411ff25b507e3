/** Mistakes in what is written. */
import type { AppendResult, NewEntry } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import { MemoryData, type Row } from '../memory/data.ts';
import { newId } from '../support.ts';
import type { Fault } from './faults.ts';

export const dataFaults: Fault[] = [
  {
    name: 'a number is left out',
    data: () =>
      new (class extends MemoryData {
        override head(room: string): number {
          const head = super.head(room);
          return head >= 5 ? head + 1 : head;
        }
      })(),
    caughtBy: ['L1 has no gap and no repeat under concurrent batches', 'L1 L5 several stores write one room'],
    byHistories: true,
  },
  {
    name: 'a number is given twice',
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
    name: 'every entry has the time of its own clock',
    data: () =>
      new (class extends MemoryData {
        override lastAt(): number {
          return 0;
        }
      })(),
    caughtBy: ['`at` never goes behind that of the newest entry of the room'],
  },
  {
    name: 'a repeat is one more entry',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          const isRepeat = this.find(item)?.digest === item.digest;
          return super.insert(isRepeat ? { ...item, clientOffset: newId() } : item, at);
        }
      })(),
    caughtBy: [
      'L3 concurrent repeats are one entry',
      'L3 a repeat after the entry was edited',
      'L3 a repeat after the entry was deleted',
      'L3 a repeat after the author left',
      'L3 the same batch on every store at once',
    ],
    byHistories: true,
  },
  {
    name: 'a delete leaves the edits as they are',
    data: () =>
      new (class extends MemoryData {
        override entryOf(row: Row): Entry {
          const entry = super.entryOf(row);
          return row.kind === 'edit'
            ? ({ ...entry, deleted: undefined, body: 'still there' } as unknown as Entry)
            : entry;
        }
      })(),
    caughtBy: ['a delete blanks its target and all its edits', 'an edit after the delete is stored blank'],
    byHistories: true,
  },
  {
    name: 'a delete is applied where it is finished, and not before',
    data: () =>
      new (class extends MemoryData {
        override entryOf(row: Row): Entry {
          const { deleted: _, ...entry } = super.entryOf(row) as Entry & { deleted?: true };
          return (row.deleted ? { ...entry, deleted: true } : { ...entry, body: row.body }) as Entry;
        }
      })(),
    caughtBy: ['a range applies a delete at once, at every store'],
  },
  {
    name: 'what was interrupted stays so',
    data: () =>
      new (class extends MemoryData {
        override repair(): void {}
      })(),
    caughtBy: [
      'L3 a repeat finishes a delete before it is answered',
      'a store that opens later finishes a delete',
      'a store that tails it finishes a delete',
      'L3 a repeat finishes a join and a leave',
      'a store that opens later finishes a join',
      'a store that tails it finishes a join',
    ],
  },
  {
    name: 'a join that is finished late counts as the last',
    data: () =>
      new (class extends MemoryData {
        override finish(row: Row): void {
          super.finish(row.kind === 'join' ? { ...row, serverOffset: 1_000_000 } : row);
          row.isUnfinished = false;
        }
      })(),
    caughtBy: ['the greatest serverOffset wins', 'members follow joins and leaves'],
    byHistories: true,
  },
  {
    name: 'what the database refuses is written without its body',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          const isBad = item.kind === 'text' && item.body === undefined;
          const result = super.insert(isBad ? { ...item, body: '' } : item, at);
          return isBad && !('tag' in result) ? { tag: 'failed', message: 'too late' } : result;
        }
      })(),
    caughtBy: ['a poisoned item leaves no trace', 'L5 a batch of new, repeated'],
    byHistories: true,
  },
  {
    name: 'an edit that comes after a delete is stored as it came',
    data: () =>
      new (class extends MemoryData {
        override insert(item: NewEntry, at: number): AppendResult | Row {
          const row = super.insert(item, at);
          if (!('tag' in row) && item.kind === 'edit')
            Object.assign(row, { deleted: false, body: item.body });
          return row;
        }
      })(),
    caughtBy: ['edits on several stores race a delete on another', 'an edit after it is stored blank'],
  },
  {
    name: 'reopening loses the latest entry',
    around: (store, nth, data) => {
      const last = nth > 0 ? data.rows.pop() : undefined;
      if (last) data.rowsOf(last.room).pop();
      return store;
    },
    caughtBy: ['L4 what was acknowledged is there after reopening', 'L3 a repeat after reopening'],
  },
];
