/**
 * Redaction: when a removal arrives, the content of its target and of the target's replacements is deleted from the
 * database. An older copy that arrives later (a repeated frame or answer) is redacted before it is stored.
 */
import type { Entry } from '../../../shared/entry.ts';
import { isMessage, isRemoval, isReplacement, mayAmend, redacted } from '../../../shared/kinds.ts';
import { keysBetween, type UserWrite } from '../../db/userDatabase.ts';
import type { HeldEntry } from '../../records/storedRecords.ts';

/** Removals by the serverOffset of their target; undefined if the removal is only known from a redacted copy. */
type Removals = ReadonlyMap<number, readonly (Entry | undefined)[]>;

/** Redacts both lists, and the stored entries that they remove. `entries` are contiguous. Resolves with the two lists. */
export async function redactDeleted(
  tx: UserWrite,
  room: string,
  entries: readonly Entry[],
  detached: readonly Entry[],
): Promise<[Entry[], Entry[]]> {
  const all = [...entries, ...detached];
  const incoming = removalsIn(all);
  for (const target of incoming.keys()) await redactStored(tx, room, target, incoming);
  const removals = merged(incoming, removalsIn(await storedRemovals(tx, room, entries, all)));
  const redact = (entry: Entry) => (isRemoved(entry, removals) ? redacted(entry) : entry);
  return [entries.map(redact), detached.map(redact)];
}

/** The removals among these entries, and those of entries that arrived redacted. */
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

/** Stored removals of one of these entries, or of the target of one. `run`, contiguous, is looked up as one range. */
async function storedRemovals(tx: UserWrite, room: string, run: readonly Entry[], all: readonly Entry[]) {
  const [first, last] = [run[0]?.serverOffset ?? 1, run.at(-1)?.serverOffset ?? 0];
  const others = all
    .flatMap((entry) => (isReplacement(entry) ? entry.target! : isMessage(entry) ? entry.serverOffset : []))
    .filter((target) => target < first || target > last);
  const ranges = [...new Set(others)].map((target) => keysBetween(room, target, target));
  if (first <= last) ranges.push(keysBetween(room, first, last));
  const found = await Promise.all(
    ranges.flatMap((range) => STORES.map((name) => tx.objectStore(name).index('target').getAll(range))),
  );
  return found.flat().filter(isRemoval);
}

async function redactStored(tx: UserWrite, room: string, target: number, removals: Removals): Promise<void> {
  for (const name of STORES) {
    const store = tx.objectStore(name);
    const stored = [
      await store.get([room, target]),
      ...(await store.index('target').getAll(keysBetween(room, target, target))),
    ];
    for (const entry of stored)
      if (entry && isRemoved(entry, removals)) await store.put(redactedInPlace(entry));
  }
}

/** Keeps `line`: a removed message still renders a line. */
function redactedInPlace(entry: HeldEntry & { line?: number }) {
  const { room, line } = entry;
  return { ...redacted<HeldEntry>(entry), room, ...(line === undefined ? {} : { line }) };
}

/** The entry still has content and must not. A replacement is removed with its target, whoever removed that. */
function isRemoved(entry: Entry, removals: Removals): boolean {
  if (entry.deleted || entry.unreadable) return false;
  if (isReplacement(entry)) return removals.has(entry.target!);
  const by = isMessage(entry) ? removals.get(entry.serverOffset) : undefined;
  return by?.some((removal) => !removal || mayAmend(removal, entry)) === true;
}

const STORES = ['log', 'detached'] as const;
