/**
 * All members send at once, each one message after the other. Measures acknowledged messages per second, the CPU per message,
 * and the deliveries per second of server CPU.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Crowd } from '../load/crowd.ts';
import type { Stand } from '../stand/stand.ts';
import { cpuOf } from '../stand/usage.ts';

export interface Saturation {
  acknowledgedPerSecond: number;
  /** CPU of servers and database together, in ms. */
  cpuPerMessage: number;
  deliveriesPerCpuSecond: number;
  deliveredPerSecond: number;
  /** Cores in use, on average, by the servers, the database and the load; the load should not use a whole core. */
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
    deliveredPerSecond: (1000 * used('delivered')) / used('at'),
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
