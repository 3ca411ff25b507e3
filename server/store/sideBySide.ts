import type { AppendOutcome, AppendResult, NewEntry } from './port.ts';

/**
 * Appends what belongs together part by part, the parts beside each other, and puts the results together in the order of
 * the entries, up to the first that has none (L4). What stands behind that one, in another part, may have been written:
 * it has no result here, and its repeat is answered with it.
 */
export async function sideBySide(
  entries: readonly NewEntry[],
  partOf: (entry: NewEntry) => string,
  append: (part: string, entries: NewEntry[]) => Promise<AppendOutcome>,
): Promise<AppendOutcome> {
  const parts = [...Map.groupBy(entries, partOf)];
  const outcomes = await Promise.all(
    parts.map(async ([part, its]) => [part, await append(part, its)] as const),
  );
  return join(entries.map(partOf), new Map(outcomes));
}

/** `parts`: of each entry, in order. Pure. */
export function join(parts: readonly string[], outcomes: ReadonlyMap<string, AppendOutcome>): AppendOutcome {
  const taken = new Map<string, number>();
  const results: AppendResult[] = [];
  for (const part of parts) {
    const outcome = outcomes.get(part);
    const next = taken.get(part) ?? 0;
    const result = outcome?.results[next];
    if (!result) return outcome?.stopped ? { results, stopped: outcome.stopped } : { results };
    taken.set(part, next + 1);
    results.push(result);
  }
  return { results };
}
