/**
 * The CPU of a server for a client that comes back: all clients connect, a group at a time, as after a restart, until each
 * has its welcome. The tutorial's server asks nobody's name.
 */
import { enter } from '../load/client.ts';
import { inGroups } from '../load/crowd.ts';
import type { Stand } from '../stand/stand.ts';
import { cpuOf } from '../stand/usage.ts';

/** `cpuMs`: for each client, of all server processes together. `tookMs`: until the last one is in. */
export async function cpuOfStorm(
  { urls, servers, members, dialect }: Stand,
  warmUp = WARM_UP,
): Promise<{ cpuMs: number; tookMs: number }> {
  const cpu = () => servers.reduce((sum, pid) => sum + cpuOf(pid), 0);
  const [first, rest] = [members.slice(0, warmUp), members.slice(warmUp)];
  const come = (some: typeof members) =>
    inGroups(some.length, (i) => enter(urls[i % urls.length]!, some[i]!, dialect, () => {}));
  for (const client of await come(first)) client.close();
  const [before, began] = [cpu(), performance.now()];
  const clients = await come(rest);
  const used = { cpuMs: (cpu() - before) / rest.length, tookMs: performance.now() - began };
  for (const client of clients) client.close();
  return used;
}

/** Clients that come first, so that the code is compiled. */
const WARM_UP = 500;
