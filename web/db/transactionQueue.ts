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
}

/**
 * What the person does is begun at once: strict writes, but for those that use `meta`, which are of the drain. So what they
 * do in several tabs is done in that order. Any other transaction begins after all earlier ones that it would wait for, or
 * after DATABASE_TIMEOUT_MS, so that it fails as they do where the database does not answer. Any other write also begins
 * after what the person does now: the answers to its requests would take the time of the main thread, slice after slice.
 */
export function createTransactionQueue(clock: Clock): TransactionQueue {
  const queued = new Set<Queued>();

  function aheadOf(stores: readonly unknown[], mode: IDBTransactionMode): Promise<unknown>[] {
    const isWrite = mode === 'readwrite';
    return [...queued]
      .filter((other) => isWrite || other.mode === 'readwrite')
      .filter((other) => (isWrite && other.isUrgent) || stores.some((store) => other.stores.includes(store)))
      .map(({ over }) => over);
  }

  async function turnAfter(ahead: readonly Promise<unknown>[]): Promise<void> {
    let timer: ReturnType<Clock['setTimeout']> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimeout(resolve, DATABASE_TIMEOUT_MS);
    });
    await Promise.race([Promise.all(ahead), late]);
    clock.clearTimeout(timer!);
  }

  return (stores, mode, durability, begin) => {
    const isUrgent = mode === 'readwrite' && durability === 'strict' && !stores.includes('meta');
    const ahead = isUrgent ? [] : aheadOf(stores, mode);
    const result = ahead.length === 0 ? begin() : turnAfter(ahead).then(begin);
    const nothing = () => {};
    const mine: Queued = { stores, mode, isUrgent, over: result.then(nothing, nothing) };
    queued.add(mine);
    void mine.over.then(() => queued.delete(mine));
    return result;
  };
}
