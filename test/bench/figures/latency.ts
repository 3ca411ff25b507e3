/** The delivery latency of a message at low load. */
import type { Crowd } from '../load/crowd.ts';

export interface Latency {
  p50: number;
  p99: number;
}

/** Milliseconds from send to receipt, over all deliveries of all messages. One process sends and receives, so there is one clock. */
export async function latency(
  crowd: Crowd,
  { warmUpMs, forMs }: { warmUpMs: number; forMs: number },
): Promise<Latency> {
  await crowd.trickle(PER_SECOND, (PER_SECOND * warmUpMs) / 1000);
  const heardAfter = await crowd.trickle(PER_SECOND, (PER_SECOND * forMs) / 1000);
  return {
    p50: heardAfter[Math.floor(heardAfter.length * 0.5)]!,
    p99: heardAfter[Math.floor(heardAfter.length * 0.99)]!,
  };
}

const PER_SECOND = 50;
