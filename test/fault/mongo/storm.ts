/** Injects faults one after the other for a given time, each after the system has recovered from the last one. */
import type { Random } from '../../support/random.ts';
import { waitFor } from '../../support/waitFor.ts';
import type { Fault } from './faults.ts';

interface Storm {
  /** Faults of one lane never overlap; faults of different lanes do. */
  lanes: readonly (readonly Fault[])[];
  random: Random;
  ms: number;
  /** A counter that grows while the system works. */
  progress(): number;
  /** Goes on after `ms` until each fault has struck. */
  eachAtLeastOnce?: boolean;
  /** How long a fault of another lane may last, during which nothing recovers. */
  othersLastMs?: number;
}

/** The maximum time for recovery after a fault has ended: elections, timeouts and backoff of all parts together. */
const GOES_ON_WITHIN_MS = 30_000;
const PROGRESS_AT_MOST = 60;

/** Resolves with the number of times for each fault; rejects if the system does not recover from one. */
export async function storm({
  lanes,
  random,
  ms,
  progress,
  eachAtLeastOnce = false,
  othersLastMs = 0,
}: Storm): Promise<Map<string, number>> {
  const until = performance.now() + ms;
  const struck = new Map<string, number>();
  const lane = async (faults: readonly Fault[]) => {
    let left: Fault[] = [];
    const isMissing = () => eachAtLeastOnce && faults.some(({ name }) => !struck.has(name));
    while (performance.now() < until || isMissing()) {
      if (left.length === 0) left = random.shuffle(faults); // each fault once before any is repeated
      const fault = left.pop()!;
      await fault.strike(random);
      struck.set(fault.name, (struck.get(fault.name) ?? 0) + 1);
      const target = progress() + random.int(1, PROGRESS_AT_MOST);
      await waitFor(
        `the system recovers after: ${fault.name}`,
        () => progress() >= target,
        GOES_ON_WITHIN_MS + othersLastMs,
      );
    }
  };
  await Promise.all(lanes.map(lane));
  return struck;
}
