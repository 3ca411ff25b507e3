/**
 * Invalidation across tabs. Several tabs write to one database. If one tab deletes a stored log, because the server's data
 * was restored from a backup, another tab may still have frames of the old log in flight. A generation counter rejects
 * them, so that entries of two logs are never mixed (S1).
 */
import type { UserDatabase, UserRead, UserWrite } from '../../db/userDatabase.ts';

/** The logs that a connection receives. A connection that deletes a log itself continues in the new generation. */
export interface LogVersion {
  readonly epoch: string;
  /** How often stored logs were deleted. The epoch is not enough: a database file restored by hand keeps its epoch. */
  generation: number;
}

/** The frame or answer belongs to an earlier version of the logs: another tab has deleted them meanwhile. */
export class StaleLogError extends Error {
  constructor() {
    super('received data belongs to an earlier version of the logs');
    this.name = 'StaleLogError';
  }
}

export async function readGeneration(tx: UserRead | UserWrite): Promise<number> {
  return Number((await tx.objectStore('meta').get('generation')) ?? 0);
}

/** The new generation, by the transaction that deletes stored logs. */
const bumped = new WeakMap<UserWrite, number>();

/** Call it in each transaction that deletes stored logs. Resolves with the new generation. */
export async function bumpGeneration(tx: UserWrite): Promise<number> {
  const next = 1 + (await readGeneration(tx));
  await tx.objectStore('meta').put(String(next), 'generation');
  bumped.set(tx, next);
  return next;
}

/**
 * A write of what the server sends, with relaxed durability: what a power loss undoes, the next handshake asks for again. It
 * rejects with `StaleLogError` if another tab has deleted stored logs since `version`. If `work` deletes some
 * itself, `version` is updated.
 */
export async function writeIfCurrent<T>(
  db: UserDatabase,
  stores: Parameters<UserDatabase['write']>[0],
  held: LogVersion | undefined,
  work: (tx: UserWrite) => Promise<T>,
): Promise<T> {
  const [result, generation] = await db.write(
    stores,
    async (tx) => {
      if (held && held.generation !== (await readGeneration(tx))) throw new StaleLogError();
      const result = await work(tx);
      return [result, bumped.get(tx)] as const;
    },
    'relaxed',
  );
  if (held && generation !== undefined) held.generation = generation;
  return result;
}
