/** What an idle connection keeps in a server's memory. */
import { gather } from '../load/crowd.ts';
import type { Held } from '../stand/held.ts';
import type { Stand } from '../stand/stand.ts';

/** The difference that the last 800 make, all on one node: the first ones have code compiled and tables grown. */
export async function bytesPerConnection(stand: Stand, held: Held): Promise<number> {
  const [pid, urls] = [stand.servers[0]!, stand.urls.slice(0, 1)];
  const [first, counted] = [stand.members.slice(0, -COUNTED), stand.members.slice(-COUNTED)];
  using _first = await gather({ ...stand, urls, members: first });
  const before = await held.bytesIn(pid);
  using _counted = await gather({ ...stand, urls, members: counted });
  return ((await held.bytesIn(pid)) - before) / COUNTED;
}

const COUNTED = 800;
