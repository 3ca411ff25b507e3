/**
 * The CPU of a server for a client that comes back: all clients connect at once, as after a restart, until each has its
 * welcome. The tutorial's server asks nobody's name.
 */
import { enter } from '../load/client.ts';
import { inGroups } from '../load/crowd.ts';
import type { Stand } from '../stand/stand.ts';
import { cpuOf } from '../stand/usage.ts';

/** In ms for each client, of all server processes together. */
export async function cpuOfStorm({ urls, servers, members, dialect }: Stand): Promise<number> {
  const cpu = () => servers.reduce((sum, pid) => sum + cpuOf(pid), 0);
  const [first, rest] = [members.slice(0, WARM_UP), members.slice(WARM_UP)];
  const come = (some: typeof members) =>
    inGroups(some.length, (i) => enter(urls[i % urls.length]!, some[i]!, dialect, () => {}));
  for (const client of await come(first)) client.close();
  const before = cpu();
  const clients = await come(rest);
  const used = cpu() - before;
  for (const client of clients) client.close();
  return used / rest.length;
}

/** Clients that come first, so that the code is compiled. */
const WARM_UP = 500;
