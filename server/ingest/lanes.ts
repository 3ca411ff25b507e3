/**
 * Lanes of batches. Where the store writes rooms independently of each other, each room has its own: one whose writes
 * are slow holds up no other. Where one write at a time is the quickest, all rooms share one.
 */
import type { AppendOutcome, NewEntry } from '../store/port.ts';
import { sideBySide } from '../store/sideBySide.ts';
import { type Batcher, createBatcher, type Write } from './batcher.ts';

export type LaneOf = (entry: NewEntry) => string;

export const oneLane: LaneOf = () => '';
export const laneOfRoom: LaneOf = (entry) => entry.room;

/** A request's entries of one lane stay together and in order; those of several lanes are written side by side (L5 is about one room). */
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

  return { append: (entries) => sideBySide(entries, laneOf, appendTo) };
}
