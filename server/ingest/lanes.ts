/**
 * Lanes of batches. Where the store writes rooms independently of each other, each room has its own: one whose writes
 * are slow holds up no other. Where one write at a time is the quickest, all rooms share one.
 */
import type { AppendOutcome, AppendResult, NewEntry } from '../store/port.ts';
import { type Batcher, createBatcher, type Write } from './batcher.ts';

export type LaneOf = (entry: NewEntry) => string;

export const oneLane: LaneOf = () => '';
export const laneOfRoom: LaneOf = (entry) => entry.room;

/**
 * A request's entries of one lane stay together and in order; those of several lanes are written side by side (L5 is
 * about one room). So what stands behind an entry whose fate is unknown, in another room, may have been written: it has
 * no result here, and its repeat is answered with it.
 */
export function createLanes(write: Write, laneOf: LaneOf): Batcher {
  const lanes = new Map<string, { batcher: Batcher; waiting: number }>();

  async function appendTo(name: string, entries: readonly NewEntry[]): Promise<AppendOutcome> {
    const lane = lanes.get(name) ?? { batcher: createBatcher(write), waiting: 0 };
    lanes.set(name, lane);
    lane.waiting++;
    const outcome = await lane.batcher.append(entries);
    lane.waiting--;
    if (lane.waiting === 0) lanes.delete(name); // all of it is answered, so none of it is being written
    return outcome;
  }

  return {
    async append(entries) {
      const parts = [...Map.groupBy(entries, laneOf)];
      const outcomes = await Promise.all(parts.map(([name, part]) => appendTo(name, part)));
      return join(entries.map(laneOf), new Map(parts.map(([name], i) => [name, outcomes[i]!])));
    },
  };
}

/** The results in the order of the entries, whose lanes these are, up to the first that has none (L4). Pure. */
export function join(lanes: readonly string[], outcomes: ReadonlyMap<string, AppendOutcome>): AppendOutcome {
  const taken = new Map<string, number>();
  const results: AppendResult[] = [];
  for (const lane of lanes) {
    const outcome = outcomes.get(lane);
    const next = taken.get(lane) ?? 0;
    const result = outcome?.results[next];
    if (!result) return outcome?.stopped ? { results, stopped: outcome.stopped } : { results };
    taken.set(lane, next + 1);
    results.push(result);
  }
  return { results };
}
