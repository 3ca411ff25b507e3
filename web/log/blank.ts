/**
 * What is deleted loses its content in the database at once, its edits too; and an older copy that comes late, a
 * repeated frame or the answer to a repeat, does not bring it back.
 */
import type { Entry } from '../../shared/entry.ts';
import { isAmendment } from '../../shared/kinds.ts';
import { type HeldEntry, type UserWrite, within } from '../db/schema.ts';

/** The two lists as they may be stored. What is held already is blanked where one of them deletes it. */
export async function blankDeleted(
  tx: UserWrite,
  room: string,
  entries: readonly Entry[],
  loose: readonly Entry[],
): Promise<[Entry[], Entry[]]> {
  const all = [...entries, ...loose];
  const incoming = new Set(all.flatMap(deletedBy));
  for (const target of incoming) await blankHeld(tx, room, target);
  const dead = new Set([...incoming, ...(await deletedBefore(tx, room, entries, all))]);
  const blankDead = (entry: Entry) => (targetOrSelf(entry, dead) ? blank(entry) : entry);
  return [entries.map(blankDead), loose.map(blankDead)];
}

/** What an entry says is deleted: the target of a deletion, and what comes blank already. */
function deletedBy(entry: Entry): number | [] {
  const isBlank = 'deleted' in entry && entry.deleted === true;
  if (isAmendment(entry)) return entry.kind === 'delete' || isBlank ? entry.target : [];
  return entry.kind === 'text' && isBlank ? entry.serverOffset : [];
}

/** Targets among these that something held deletes. */
async function deletedBefore(tx: UserWrite, room: string, run: readonly Entry[], all: readonly Entry[]) {
  const [first, last] = [run[0]?.serverOffset ?? 1, run.at(-1)?.serverOffset ?? 0];
  const others = all
    .flatMap((entry) => (entry.kind === 'text' ? entry.serverOffset : isAmendment(entry) ? entry.target : []))
    .filter((target) => target < first || target > last);
  const ranges = [...new Set(others)].map((target) => within(room, target, target));
  if (first <= last) ranges.push(within(room, first, last));
  const found = await Promise.all(
    ranges.flatMap((range) => STORES.map((name) => tx.objectStore(name).index('target').getAll(range))),
  );
  return found.flat().flatMap((held) => (isAmendment(held) && held.kind === 'delete' ? held.target : []));
}

async function blankHeld(tx: UserWrite, room: string, target: number): Promise<void> {
  for (const name of STORES) {
    const store = tx.objectStore(name);
    const held = [
      await store.get([room, target]),
      ...(await store.index('target').getAll(within(room, target, target))),
    ];
    for (const entry of held) if (entry && isContent(entry)) await store.put(blank(entry));
  }
}

function targetOrSelf(entry: Entry, dead: ReadonlySet<number>): boolean {
  if (!isContent(entry)) return false;
  return dead.has(isAmendment(entry) ? entry.target : entry.serverOffset);
}

function isContent(entry: Entry): boolean {
  return (entry.kind === 'text' || entry.kind === 'edit') && 'body' in entry;
}

function blank<E extends Entry | HeldEntry>(entry: E): E {
  const { body: _, ...rest } = entry as E & { body?: string };
  return { ...rest, deleted: true } as unknown as E;
}

const STORES = ['entries', 'loose'] as const;
