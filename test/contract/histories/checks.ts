/** Checks the results and reads of concurrent actions against the model. */
import { expect } from 'vitest';
import type { AppendResult, NewEntry, RangeOutcome, Store } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';
import { entryOf, type ModelLog } from '../model.ts';
import type { Snapshot } from './together.ts';

export interface SentItem {
  entry: NewEntry;
  isPoisoned: boolean;
}

export interface Sent {
  items: SentItem[];
  at: number;
  results: AppendResult[];
}

interface Asked {
  room: string;
  from: number;
  to: number;
}

/**
 * Checks concurrent batches: the log shows in which order their items were appended, the model appends them in that order,
 * and every result must fit. Cheaper than a check of linearizability, which holds within a room but not across rooms.
 */
export async function explained(
  model: ModelLog,
  before: Snapshot,
  store: Store,
  batches: readonly Sent[],
): Promise<void> {
  const answers = batches.flatMap(({ items, at, results }) => {
    expect(results).toHaveLength(items.length);
    return items.map((item, i) => ({ ...item, at, result: results[i]! }));
  });
  for (const room of model.rooms.keys()) {
    const { head } = before.get(room)!;
    const { entries } = await store.log.range(room, head + 1, head + 1_000, 10_000_000);
    for (const { serverOffset } of entries) {
      const claims = answers.filter(
        ({ entry, result }) =>
          entry.room === room && result.tag === 'appended' && result.serverOffset === serverOffset,
      );
      expect(claims, `one item was appended as ${serverOffset}`).toHaveLength(1);
      const [{ entry, at, isPoisoned, result }] = claims as [(typeof claims)[0] & {}];
      expect(model.append(entry, at, isPoisoned)).toEqual(result);
    }
    expect(entries).toEqual(model.entries(room).slice(head));
  }
  for (const batch of batches) fits(model, before, batch);
}

/** Checks every result of a batch, when the model has the whole log. */
function fits(model: ModelLog, before: Snapshot, { items, results }: Sent): void {
  const lastOf = new Map<string, number>();
  for (const [i, { entry, isPoisoned }] of items.entries()) {
    const result = results[i]!;
    const there = model.find(entry);
    const wasThere = (there?.serverOffset ?? Infinity) <= (before.get(entry.room)?.head ?? 0);
    switch (result.tag) {
      case 'appended':
        expect(result).toEqual({ tag: 'appended', serverOffset: there?.serverOffset, at: there?.at });
        expect(there?.item.digest).toBe(entry.digest);
        expect(result.serverOffset).toBeGreaterThan(lastOf.get(entry.room) ?? 0); // L5
        lastOf.set(entry.room, result.serverOffset);
        break;
      case 'repeat':
        expect(result).toEqual({ tag: 'repeat', serverOffset: there?.serverOffset, at: there?.at });
        expect(there?.item.digest).toBe(entry.digest);
        break;
      case 'conflict':
        expect(there).toBeDefined();
        expect(there?.item.digest).not.toBe(entry.digest);
        break;
      case 'no-target': {
        expect(['edit', 'delete']).toContain(entry.kind);
        expect(wasThere).toBe(false);
        const target = model.targetOf(entry)?.serverOffset ?? Infinity; // may be of another batch, after this one
        expect(target).toBeGreaterThan(before.get(entry.room)!.head);
        const earlier = items.slice(0, i).findIndex((one) => isTargetOf(entry, one.entry));
        expect(['appended', 'repeat']).not.toContain(results[earlier]?.tag);
        break;
      }
      case 'no-room':
        expect(model.rooms.has(entry.room)).toBe(false);
        break;
      case 'failed':
        expect(isPoisoned).toBe(true);
        expect(wasThere).toBe(false);
    }
  }
}

function isTargetOf({ room, author, target }: NewEntry, text: NewEntry): boolean {
  return text.kind === 'text' && text.room === room && text.author === author && text.clientOffset === target;
}

/** Checks a range without concurrent actions. */
export function asRead(model: ModelLog, { room, from, to }: Asked, read: RangeOutcome): void {
  const entries = model.entries(room).slice(from - 1, to);
  const last = entries.at(-1)?.serverOffset;
  const amendments = last === undefined ? [] : model.amendments(room, from, last);
  expect(read).toEqual({ entries, amendments, head: model.head(room) });
}

/** Checks a range with concurrent writes: a state in between, and nothing that is not in the log afterwards (L2). */
export function asReadMeanwhile(
  model: ModelLog,
  before: Snapshot,
  { room, from, to }: Asked,
  { entries, amendments, head }: RangeOutcome,
): void {
  const was = before.get(room)!;
  expect(head).toBeGreaterThanOrEqual(was.head);
  expect(head).toBeLessThanOrEqual(model.head(room));
  const offsets = entries.map(({ serverOffset }) => serverOffset);
  expect(offsets).toEqual(offsets.map((_, i) => from + i));
  expect(entries.length).toBeGreaterThanOrEqual(Math.min(to, was.head) - from + 1);
  expect(entries.length).toBeLessThanOrEqual(Math.max(0, Math.min(to, model.head(room)) - from + 1));
  const last = offsets.at(-1) ?? 0;
  for (const { serverOffset } of amendments) expect(serverOffset).toBeGreaterThan(last);
  for (const entry of [...entries, ...amendments]) isOfThatTime(entry);

  function isOfThatTime(entry: Entry): void {
    const record = model.rooms.get(room)![entry.serverOffset - 1]!;
    const mustBeBlank = record.isBornBlank || was.blank.has(entry.serverOffset);
    const isBlank = mustBeBlank || (record.deleted && 'deleted' in entry);
    expect(entry).toEqual(entryOf({ ...record, deleted: isBlank }));
  }
}
