/**
 * Loads many keys in one call: while loads are under way, further keys are collected, and the next load takes them. So a storm
 * of clients that come back costs a few queries instead of some for each client, and the slower the database, the fewer.
 *
 * - A load begins after the call of each of its keys, and nothing is kept: a result is as new as if the caller had asked alone.
 * - Keys are loaded in the order of the calls. No load waits on a timer, and a caller that comes alone waits for nobody.
 * - Two loads may be under way at a time: where one of them hangs, the others go on by the second.
 * - A caller has its answer, or `Unavailable`, within the time of one call of the store. A key whose caller was told so while it
 *   waited is not loaded any more.
 * - A load that fails fails for all its callers where the store is away. After another error each key is loaded alone, so that
 *   one that cannot be loaded does no harm to the others.
 * - A load that failed late may have one slow key: the next ones are smaller, so that the others are answered when they ask again.
 */
import { isUnexpected, Unavailable } from './refusal.ts';
import { STORE_ANSWERS_WITHIN_MS, STORE_CALLS_WAITING } from './serverLimits.ts';

export interface BatchLoaderOptions<Key, Result> {
  /** The results in the order of the keys, of which there is at least one. */
  load: (keys: readonly Key[]) => Promise<readonly Result[]>;
  /** Keys of one load; with `sizeOf` the sum of their sizes, which one key alone may exceed. */
  most: number;
  sizeOf?: (key: Key) => number;
  /** The keys that wait, oldest first; several loaders may share them, and then their bound. */
  waitingOfAll?: Set<WaitingKey>;
  /** Keys of `waitingOfAll`: further ones are rejected with `Unavailable`. */
  mostWaiting?: () => number;
}

export type BatchLoader<Key, Result> = (key: Key) => Promise<Result>;

/** A key whose load has not begun. `since`: of `performance.now()`. */
export interface WaitingKey {
  readonly since: number;
}

interface Caller<Key, Result> extends WaitingKey {
  key: Key;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

const LOADS_AT_ONCE = 2;

export function createBatchLoader<Key, Result>({
  load,
  most,
  sizeOf = () => 1,
  waitingOfAll = new Set(),
  mostWaiting = () => STORE_CALLS_WAITING,
}: BatchLoaderOptions<Key, Result>): BatchLoader<Key, Result> {
  /** Oldest first: those without an answer, and those of them whose load has not begun. */
  const unanswered = new Set<Caller<Key, Result>>();
  const waiting = new Set<Caller<Key, Result>>();
  let underWay = 0;
  let isScheduled = false;
  let timer: NodeJS.Timeout | undefined;
  let now: LoadSize = { most, successes: 0 };

  /** Not at once: the keys that are asked for in one turn of the event loop are one load. */
  function schedule(): void {
    if (isScheduled || waiting.size === 0 || underWay >= LOADS_AT_ONCE) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      void loadNext();
      schedule();
    });
  }

  async function loadNext(): Promise<void> {
    rejectLate();
    if (waiting.size === 0) return;
    const { batch, size } = takeBatch();
    const begunAt = performance.now();
    underWay++;
    const outcome = await settle(batch);
    underWay--;
    const isLate = outcome === 'unavailable' && performance.now() - begunAt >= LATE_MS;
    now = sizeAfter(now, size, isLate ? 'late' : outcome, most);
    schedule();
  }

  function takeBatch() {
    const batch: Caller<Key, Result>[] = [];
    let size = 0;
    for (const caller of waiting) {
      const more = sizeOf(caller.key);
      if (size + more > now.most && batch.length > 0) break;
      size += more;
      batch.push(caller);
      waitNoMore(caller);
    }
    return { batch, size };
  }

  /** Never rejects. */
  async function settle(batch: readonly Caller<Key, Result>[]): Promise<Outcome> {
    try {
      const results = await load(batch.map(({ key }) => key));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i]!);
      return 'loaded';
    } catch (error) {
      if (batch.length > 1 && isUnexpected(error)) {
        for (const one of batch) if (unanswered.has(one)) await settle([one]);
        return 'failed';
      }
      for (const { reject } of batch) reject(error);
      return error instanceof Unavailable ? 'unavailable' : 'failed';
    } finally {
      for (const one of batch) unanswered.delete(one);
    }
  }

  function waitNoMore(caller: Caller<Key, Result>): void {
    waiting.delete(caller);
    waitingOfAll.delete(caller);
  }

  function rejectLate(): void {
    const before = performance.now() - STORE_ANSWERS_WITHIN_MS;
    for (const caller of unanswered) {
      if (caller.since > before) return;
      unanswered.delete(caller);
      waitNoMore(caller);
      caller.reject(new Unavailable('The server is slow at the moment; try again.'));
    }
  }

  /** For callers that wait while no load ends. */
  function watch(): void {
    const [oldest] = unanswered;
    if (timer !== undefined || !oldest) return;
    const onTimer = () => {
      timer = undefined;
      rejectLate();
      watch();
    };
    timer = setTimeout(
      onTimer,
      Math.max(1, oldest.since + STORE_ANSWERS_WITHIN_MS - performance.now()),
    ).unref();
  }

  return (key) =>
    new Promise<Result>((resolve, reject) => {
      if (waitingOfAll.size >= mostWaiting())
        return reject(new Unavailable('The server is busy; try again.'));
      const caller = { key, since: performance.now(), resolve, reject };
      for (const callers of [unanswered, waiting, waitingOfAll]) callers.add(caller);
      watch();
      schedule();
    });
}

type Outcome = 'loaded' | 'unavailable' | 'failed';

/** How large the next load may be, and how many of that size have succeeded one after the other. */
interface LoadSize {
  most: number;
  successes: number;
}

/** A load that fails after so long may have failed because of one of its keys; before, the store was away for all of them. */
const LATE_MS = 1_000;
const SMALLER = 4;
/** Not after each success: the slow key may be in one of the next loads, with those who were in its load before. */
const SUCCESSES_UNTIL_LARGER = 8;

function sizeAfter(
  { most, successes }: LoadSize,
  size: number,
  outcome: Outcome | 'late',
  largest: number,
): LoadSize {
  if (outcome === 'late')
    return { most: Math.max(1, Math.floor(Math.min(most, size) / SMALLER)), successes: 0 };
  if (outcome !== 'loaded' || size <= most / 2) return { most, successes };
  return successes + 1 < SUCCESSES_UNTIL_LARGER
    ? { most, successes: successes + 1 }
    : { most: Math.min(2 * most, largest), successes: 0 };
}
