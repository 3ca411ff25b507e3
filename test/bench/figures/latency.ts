/** How long a message takes to be heard when there is not much to do. */
import type { Crowd } from '../load/crowd.ts';

export interface Latency {
  p50: number;
  p99: number;
}

/** Milliseconds from saying to hearing, over everybody's hearing of every message. One clock: one process says and hears. */
export async function latency(
  crowd: Crowd,
  { warmUpMs, forMs }: { warmUpMs: number; forMs: number },
): Promise<Latency> {
  await crowd.trickle(PER_SECOND, (PER_SECOND * warmUpMs) / 1000);
  const heardAfter = (await crowd.trickle(PER_SECOND, (PER_SECOND * forMs) / 1000)).sort((a, b) => a - b);
  return {
    p50: heardAfter[Math.floor(heardAfter.length * 0.5)]!,
    p99: heardAfter[Math.floor(heardAfter.length * 0.99)]!,
  };
}

const PER_SECOND = 50;
