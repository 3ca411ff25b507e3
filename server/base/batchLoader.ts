/**
 * Loads many keys in one call: while loads are under way, further keys are collected, and the next load takes them. So a storm
 * of clients that come back costs a few queries instead of some for each client, and the slower the database, the fewer.
 *
 * - A load begins after the call of each of its keys, and nothing is kept: a result is as new as if the caller had asked alone.
 * - Keys are loaded in the order of the calls. Nothing waits on a timer, and a caller that comes alone waits for nobody.
 * - Two loads may be under way at a time: where one of them hangs, the others go on by the second.
 * - A load that fails fails for all its callers where the store is away. After another error each key is loaded alone, so that
 *   one that cannot be loaded does no harm to the others.
 */
import { isUnexpected, Unavailable } from './refusal.ts';
import { STORE_CALLS_WAITING } from './serverLimits.ts';

export interface BatchLoaderOptions<Key, Result> {
  /** The results in the order of the keys, of which there is at least one. */
  load: (keys: readonly Key[]) => Promise<readonly Result[]>;
  /** Keys of one load; with `sizeOf` the sum of their sizes, which one key alone may exceed. */
  most: number;
  sizeOf?: (key: Key) => number;
  /** Keys that wait: further ones are rejected with `Unavailable`. */
  mostWaiting?: number;
}

export interface BatchLoader<Key, Result> {
  (key: Key): Promise<Result>;
  /** The keys whose load has not begun, and for how long the oldest of them has waited; 0 where there is none. */
  state(): { waiting: number; oldestMs: number };
}

interface Waiting<Key, Result> {
  key: Key;
  since: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

const LOADS_AT_ONCE = 2;

export function createBatchLoader<Key, Result>({
  load,
  most,
  sizeOf = () => 1,
  mostWaiting = STORE_CALLS_WAITING,
}: BatchLoaderOptions<Key, Result>): BatchLoader<Key, Result> {
  let waiting: Waiting<Key, Result>[] = [];
  let underWay = 0;
  let isScheduled = false;

  /** Not at once: the keys that are asked for in one turn of the event loop are one load. */
  function schedule(): void {
    if (isScheduled || waiting.length === 0 || underWay >= LOADS_AT_ONCE) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      void loadNext();
      schedule();
    });
  }

  async function loadNext(): Promise<void> {
    const batch = takeBatch();
    underWay++;
    await settle(batch);
    underWay--;
    schedule();
  }

  function takeBatch(): Waiting<Key, Result>[] {
    let size = 0;
    let count = 0;
    for (const { key } of waiting) {
      size += sizeOf(key);
      if (size > most && count > 0) break;
      count++;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return batch;
  }

  /** Never rejects. */
  async function settle(batch: readonly Waiting<Key, Result>[]): Promise<void> {
    try {
      const results = await load(batch.map(({ key }) => key));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i]!);
    } catch (error) {
      if (batch.length > 1 && isUnexpected(error)) for (const one of batch) await settle([one]);
      else for (const { reject } of batch) reject(error);
    }
  }

  const ask = (key: Key) =>
    new Promise<Result>((resolve, reject) => {
      if (waiting.length >= mostWaiting) return reject(new Unavailable('The server is busy; try again.'));
      waiting.push({ key, since: performance.now(), resolve, reject });
      schedule();
    });
  const state = () => ({
    waiting: waiting.length,
    oldestMs: waiting[0] ? performance.now() - waiting[0].since : 0,
  });
  return Object.assign(ask, { state });
}
