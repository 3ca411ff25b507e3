/**
 * What is removed loses its content in the database at once, and so does all that replaces it; an older copy that comes
 * late, a repeated frame or the answer to a repeat, does not bring it back.
 */
import type { Entry } from '../../shared/entry.ts';
import { isMessage, isRemoval, isReplacement, mayAmend, redacted } from '../../shared/kinds.ts';
import { type HeldEntry, type UserWrite, within } from '../db/schema.ts';

/** Who removed a target: undefined where only the redacted copy says so. */
type Removals = ReadonlyMap<number, readonly (Entry | undefined)[]>;

/** The two lists as they may be stored. What is held already is redacted where one of them removes it. */
export async function blankDeleted(
  tx: UserWrite,
  room: string,
  entries: readonly Entry[],
  loose: readonly Entry[],
): Promise<[Entry[], Entry[]]> {
  const all = [...entries, ...loose];
  const incoming = removalsIn(all);
  for (const target of incoming.keys()) await redactHeld(tx, room, target, incoming);
  const removals = merged(incoming, removalsIn(await removalsHeld(tx, room, entries, all)));
  const redact = (entry: Entry) => (isRemoved(entry, removals) ? redacted(entry) : entry);
  return [entries.map(redact), loose.map(redact)];
}

/** By target: the removals among these, and what came redacted already. */
function removalsIn(entries: readonly Entry[]): Removals {
  const removals = new Map<number, (Entry | undefined)[]>();
  const add = (target: number, by: Entry | undefined) =>
    void removals.set(target, [...(removals.get(target) ?? []), by]);
  for (const entry of entries) {
    if (isRemoval(entry)) add(entry.target!, entry);
    else if (entry.deleted && isReplacement(entry)) add(entry.target!, undefined);
    else if (entry.deleted && isMessage(entry)) add(entry.serverOffset, undefined);
  }
  return removals;
}

function merged(a: Removals, b: Removals): Removals {
  return new Map([
    ...a,
    ...[...b].map(([target, by]) => [target, [...(a.get(target) ?? []), ...by]] as const),
  ]);
}

/** What is held and removes one of these, or the target of one of them. */
async function removalsHeld(tx: UserWrite, room: string, run: readonly Entry[], all: readonly Entry[]) {
  const [first, last] = [run[0]?.serverOffset ?? 1, run.at(-1)?.serverOffset ?? 0];
  const others = all
    .flatMap((entry) => (isReplacement(entry) ? entry.target! : isMessage(entry) ? entry.serverOffset : []))
    .filter((target) => target < first || target > last);
  const ranges = [...new Set(others)].map((target) => within(room, target, target));
  if (first <= last) ranges.push(within(room, first, last));
  const found = await Promise.all(
    ranges.flatMap((range) => STORES.map((name) => tx.objectStore(name).index('target').getAll(range))),
  );
  return found.flat().filter(isRemoval);
}

async function redactHeld(tx: UserWrite, room: string, target: number, removals: Removals): Promise<void> {
  for (const name of STORES) {
    const store = tx.objectStore(name);
    const held = [
      await store.get([room, target]),
      ...(await store.index('target').getAll(within(room, target, target))),
    ];
    for (const entry of held)
      if (entry && isRemoved(entry, removals)) await store.put(redactedInPlace(entry));
  }
}

/** With its place among the lines: what is removed still shows that it was there. */
function redactedInPlace(entry: HeldEntry & { line?: number }) {
  const { room, line } = entry;
  return { ...redacted<HeldEntry>(entry), room, ...(line === undefined ? {} : { line }) };
}

/** True for what has content still, and is to have none. A replacement goes with its target, whoever removed that. */
function isRemoved(entry: Entry, removals: Removals): boolean {
  if (entry.deleted || entry.unreadable) return false;
  if (isReplacement(entry)) return removals.has(entry.target!);
  const by = isMessage(entry) ? removals.get(entry.serverOffset) : undefined;
  return by?.some((removal) => !removal || mayAmend(removal, entry)) === true;
}

const STORES = ['log', 'detached'] as const;
