import type { AppendOutcome, AppendResult, NewEntry } from './port.ts';

/**
 * Splits a batch into parts (by room, for example), appends the parts in parallel, and merges the results in the order of the
 * entries, up to the first entry without a result (L4). Later entries of other parts may be written all the same: they have no
 * result here, and a retry is answered as a repeat.
 */
export async function appendInParallel(
  entries: readonly NewEntry[],
  partOf: (entry: NewEntry) => string,
  append: (part: string, entries: NewEntry[]) => Promise<AppendOutcome>,
): Promise<AppendOutcome> {
  const parts = [...Map.groupBy(entries, partOf)];
  const outcomes = await Promise.all(
    parts.map(async ([part, its]) => [part, await append(part, its)] as const),
  );
  return mergeOutcomes(entries.map(partOf), new Map(outcomes));
}

/** `parts`: the part of each entry, in order. Pure. */
export function mergeOutcomes(
  parts: readonly string[],
  outcomes: ReadonlyMap<string, AppendOutcome>,
): AppendOutcome {
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
