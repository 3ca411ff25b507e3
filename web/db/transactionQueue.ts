/**
 * The order in which transactions begin, once there is a connection and much may be stored. A transaction that would wait for
 * another one is begun when that has ended: in the queue of the database it would hold up whoever needs any of its
 * stores, as a read of the screen that waits for a part of a catch-up would hold up a message that is being queued (O1).
 */
import { DATABASE_TIMEOUT_MS } from '../records/pageLimits.ts';
import type { Clock } from './clock.ts';
import type { TransactionQueue } from './resilientDatabase.ts';

interface Queued {
  stores: readonly unknown[];
  mode: IDBTransactionMode;
  isUrgent: boolean;
  /** Resolves when it has ended. */
  over: Promise<unknown>;
  /** Aborts it where its work is under way. It begins again after what the person does now. */
  interrupt(): void;
}

/**
 * What the person does is begun at once: strict writes, but for those that use `meta`, which are of the drain. So what they
 * do in several tabs is done in that order. Any other transaction begins after all earlier ones that it would wait for, or
 * after DATABASE_TIMEOUT_MS, so that it fails as they do where the database does not answer. Any other write also begins
 * after what the person does now: the answers to its requests would take the time of the main thread, slice after slice.
 *
 * What has begun already and would hold up a write of the outbox, above all a read for the screen, is aborted and begun again,
 * at most INTERRUPTED_MOST times. Writes of drafts alone interrupt nothing.
 */
export function createTransactionQueue(clock: Clock): TransactionQueue {
  const queued = new Set<Queued>();

  function aheadOf(stores: readonly unknown[], mode: IDBTransactionMode): Queued[] {
    const isWrite = mode === 'readwrite';
    return [...queued]
      .filter((other) => isWrite || other.mode === 'readwrite')
      .filter((other) => (isWrite && other.isUrgent) || stores.some((store) => other.stores.includes(store)));
  }

  async function turnAfter(ahead: readonly Queued[]): Promise<void> {
    let timer: ReturnType<Clock['setTimeout']> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimeout(resolve, DATABASE_TIMEOUT_MS);
    });
    await Promise.race([Promise.all(ahead.map(({ over }) => over)), late]);
    clock.clearTimeout(timer!);
  }

  async function inTurn<T>(
    mine: Queued,
    ahead: readonly Queued[],
    begin: (interrupted?: Promise<never>) => Promise<T>,
  ): Promise<T> {
    if (ahead.length > 0) await turnAfter(ahead);
    for (let count = 0; count < INTERRUPTED_MOST; count++)
      try {
        return await begin(interruptionOf(mine));
      } catch (error) {
        if (error !== INTERRUPTED) throw error;
        await turnAfter([...queued].filter(({ isUrgent }) => isUrgent));
      } finally {
        mine.interrupt = nothing;
      }
    return begin();
  }

  return (stores, mode, durability, begin) => {
    const isUrgent = mode === 'readwrite' && durability === 'strict' && !stores.includes('meta');
    const mine: Queued = { stores, mode, isUrgent, over: Promise.resolve(), interrupt: nothing };
    const ahead = aheadOf(stores, mode);
    if (isUrgent && stores.includes('rows')) for (const each of ahead) each.interrupt();
    const result = isUrgent ? begin() : inTurn(mine, ahead, begin);
    mine.over = result.then(nothing, nothing);
    queued.add(mine);
    void mine.over.then(() => queued.delete(mine));
    return result;
  };
}

/** Rejects when it is interrupted. */
function interruptionOf(mine: Queued): Promise<never> {
  const interrupted = new Promise<never>((_, reject) => {
    mine.interrupt = () => reject(INTERRUPTED);
  });
  interrupted.catch(nothing); // no "unhandled rejection" where its work is done, or has not begun
  return interrupted;
}

/** So often that somebody may write several short messages, and never for ever. */
const INTERRUPTED_MOST = 3;
const INTERRUPTED = new Error('a transaction was interrupted');
const nothing = () => {};
