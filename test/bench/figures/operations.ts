/** The number of database operations per message at saturation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { gather } from '../load/crowd.ts';
import type { CountedDatabase, Operations } from '../stand/database.ts';
import type { Stand } from '../stand/stand.ts';

export async function operationsPerMessage(
  stand: Stand,
  database: CountedDatabase,
  forMs: number,
): Promise<Operations> {
  using crowd = await gather(stand);
  const before = await database.operations();
  const fallSilent = crowd.talk();
  await sleep(forMs);
  await fallSilent();
  const after = await database.operations();
  const perMessage = (name: string) => ((after[name] ?? 0) - (before[name] ?? 0)) / crowd.acknowledged();
  return Object.fromEntries(Object.keys(after).map((name) => [name, perMessage(name)])) as Operations;
}
