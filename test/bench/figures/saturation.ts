/**
 * All members at once, each saying one message after the other: how many are acknowledged in a second, what one costs,
 * and how many deliveries a second of the servers' CPU makes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Crowd } from '../load/crowd.ts';
import type { Stand } from '../stand/stand.ts';
import { cpuOf } from '../stand/usage.ts';

export interface Saturation {
  acknowledgedPerSecond: number;
  /** Milliseconds of the servers and of the database together. */
  cpuPerMessage: number;
  deliveriesPerCpuSecond: number;
  /** Cores in use on the average: of the servers, of the database, and of the load, which should have some to spare. */
  cores: { servers: number; database: number; load: number };
}

export async function saturation(
  stand: Stand,
  crowd: Crowd,
  { warmUpMs, forMs }: { warmUpMs: number; forMs: number },
): Promise<Saturation> {
  const look = () => ({
    at: performance.now(),
    acknowledged: crowd.acknowledged(),
    delivered: crowd.delivered(),
    servers: sum(stand.servers.map(cpuOf)),
    database: sum(stand.database.map(cpuOf)),
    load: cpuOf(process.pid),
  });
  const fallSilent = crowd.talk();
  await sleep(warmUpMs);
  const before = look();
  await sleep(forMs);
  const after = look();
  await fallSilent();

  const used = (what: keyof typeof before) => after[what] - before[what];
  return {
    acknowledgedPerSecond: (1000 * used('acknowledged')) / used('at'),
    cpuPerMessage: (used('servers') + used('database')) / used('acknowledged'),
    deliveriesPerCpuSecond: (1000 * used('delivered')) / used('servers'),
    cores: {
      servers: used('servers') / used('at'),
      database: used('database') / used('at'),
      load: used('load') / used('at'),
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
