/** Faults, one after the other, for so long: the next one only when work went on after the last. */
import type { Random } from '../../support/random.ts';
import { waitFor } from '../../support/waitFor.ts';
import type { Fault } from './faults.ts';

interface Storm {
  /** Faults of one lane never overlap, those of two do. */
  lanes: readonly (readonly Fault[])[];
  random: Random;
  ms: number;
  /** A number that grows while all is well. */
  progress(): number;
}

/** How long the whole may stand after a fault is over: elections, timeouts and backoff of every part together. */
const GOES_ON_WITHIN_MS = 30_000;
const PROGRESS_AT_MOST = 60;

/** Resolves with how often each struck; rejects where nothing went on after one. */
export async function storm({ lanes, random, ms, progress }: Storm): Promise<Map<string, number>> {
  const until = performance.now() + ms;
  const struck = new Map<string, number>();
  const lane = async (faults: readonly Fault[]) => {
    let left: Fault[] = [];
    while (performance.now() < until) {
      if (left.length === 0) left = random.shuffle(faults); // each once before any comes again
      const fault = left.pop()!;
      await fault.strike(random);
      struck.set(fault.name, (struck.get(fault.name) ?? 0) + 1);
      const target = progress() + random.int(1, PROGRESS_AT_MOST);
      await waitFor(`work goes on after: ${fault.name}`, () => progress() >= target, GOES_ON_WITHIN_MS);
    }
  };
  await Promise.all(lanes.map(lane));
  return struck;
}
