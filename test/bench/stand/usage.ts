/** The CPU time of a process, all its threads together. Linux only. */
import { readFileSync } from 'node:fs';

/** CPU in ms since its start, user and system time, in steps of 10 ms. */
export function cpuOf(pid: number): number {
  const afterName = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!;
  const fields = afterName.split(' ');
  const [user, system] = [fields[11], fields[12]]; // utime and stime are fields 14 and 15 of proc(5)
  return (Number(user) + Number(system)) * TICK_MS;
}

const TICK_MS = 10; // USER_HZ is 100 on every Linux that Node runs on
