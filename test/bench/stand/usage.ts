/** The CPU time of a process, all its threads together. Linux only. */
import { readFileSync } from 'node:fs';

/** CPU in ms since its start, user and system time, in steps of 10 ms. */
export function cpuOf(pid: number): number {
  const afterName = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!;
  const fields = afterName.split(' ');
  const [user, system] = [fields[11], fields[12]]; // utime and stime are fields 14 and 15 of proc(5)
  return (Number(user) + Number(system)) * TICK_MS;
}

/** How many cores of the machine were busy meanwhile, on average, by whatever it was. */
export async function busyCores(meanwhile: () => Promise<unknown>): Promise<number> {
  const [before, began] = [busyMs(), performance.now()];
  await meanwhile();
  return (busyMs() - before) / (performance.now() - began);
}

/** Since the start of the machine, all cores together: user, nice, system, irq and softirq of proc(5). */
function busyMs(): number {
  const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'latin1')
    .split(/\s+/, 9)
    .map(Number);
  return (user! + nice! + system! + irq! + softirq!) * TICK_MS;
}

const TICK_MS = 10; // USER_HZ is 100 on every Linux that Node runs on
