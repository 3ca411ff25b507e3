/**
 * Which logs a database is of. Several tabs write into one: what one of them forgets, since the log was put back, another
 * may still have in hand, having stood still meanwhile. It must not be stored into what is held of the new log (S1).
 */
import type { UserDatabase, UserRead, UserWrite } from '../db/schema.ts';

/** One for each connection. What the connection itself forgets goes on in it. */
export interface LogsHeld {
  readonly epoch: string;
  /** How often something was forgotten. An epoch says nothing of a file that was put back by hand. */
  generation: number;
}

/** What came belongs to other logs than this database is of: another tab took a reset meanwhile. */
export class OtherEpoch extends Error {
  constructor() {
    super('what came belongs to another epoch');
    this.name = 'OtherEpoch';
  }
}

export async function generationIn(tx: UserRead | UserWrite): Promise<number> {
  return Number((await tx.objectStore('meta').get('generation')) ?? 0);
}

/** Something was forgotten, in the transaction that does so. */
export async function nextGeneration(tx: UserWrite): Promise<void> {
  await tx.objectStore('meta').put(String(1 + (await generationIn(tx))), 'generation');
}

/** `OtherEpoch` where another tab has forgotten something since; what is forgotten by the work itself is known afterwards. */
export async function writeLogs<T>(
  db: UserDatabase,
  stores: Parameters<UserDatabase['write']>[0],
  held: LogsHeld | undefined,
  work: (tx: UserWrite) => Promise<T>,
): Promise<T> {
  const [result, generation] = await db.write(stores, async (tx) => {
    if (held && held.generation !== (await generationIn(tx))) throw new OtherEpoch();
    return [await work(tx), await generationIn(tx)] as const;
  });
  if (held) held.generation = generation;
  return result;
}
