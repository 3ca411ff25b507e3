/** The memory of an idle connection in a server. */
import { gather } from '../load/crowd.ts';
import type { Held } from '../stand/held.ts';
import type { Stand } from '../stand/stand.ts';

/** The growth by the last 800 connections, all to one process: the first connections compile code and grow tables. */
export async function bytesPerConnection(stand: Stand, held: Held): Promise<number> {
  const [pid, urls] = [stand.servers[0]!, stand.urls.slice(0, 1)];
  const [first, counted] = [stand.members.slice(0, -COUNTED), stand.members.slice(-COUNTED)];
  using _first = await gather({ ...stand, urls, members: first });
  const before = await held.bytesIn(pid);
  using _counted = await gather({ ...stand, urls, members: counted });
  return ((await held.bytesIn(pid)) - before) / COUNTED;
}

const COUNTED = 800;
