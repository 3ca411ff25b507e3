/**
 * The calls of a store that wait for their turn, so that no call waits where nobody can take it back: in the message port of
 * a thread, or among the driver's waiters for a connection. Only a few calls are under way at a time. The others wait here,
 * in lanes: bounded in number and in time, and a call that has waited too long is rejected without having been begun.
 */
import { performance } from 'node:perf_hooks';
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { Unavailable } from '../base/refusal.ts';

/** `first`: appends, or the short reads of a handshake. `later`: everything else. Within a lane the order is that of the calls. */
export type Lane = 'first' | 'later';

export interface CallQueue {
  /**
   * Calls `begin` when the call's turn comes: at once, and synchronously, while few calls are under way. Where the lanes share
   * their bound in all, a call of the lane `later` is only begun while none of `first` waits. Otherwise calls `reject` with `Unavailable`: at once where too many wait, or when the call has waited too long. Never calls both.
   */
  add(lane: Lane, begin: () => void, reject: (error: Error) => void): void;
  /** A call that was begun in this lane is over: the next one is begun. */
  ended(lane: Lane): void;
  /** Those under way count as over, and those that wait are rejected. */
  clear(reason: string): void;
  /** Resolves when no call waits or is under way. */
  idle(): Promise<void>;
  state(): QueueState;
}

/** For the metrics. `oldestMs`: how long the call that has waited longest has waited; 0 where none waits. */
export interface QueueState {
  waiting: number;
  oldestMs: number;
}

interface Options {
  /** How many calls are under way at most, by lane and in all. */
  mostUnderWay: Readonly<Record<Lane | 'inAll', number>>;
  mostWaiting: number;
  waitAtMostMs?: number;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}

interface Waiting {
  since: number;
  begin: () => void;
  reject: (error: Error) => void;
}

export function createCallQueue({
  mostUnderWay,
  mostWaiting,
  waitAtMostMs = ACKNOWLEDGE_WITHIN_MS,
  now = () => performance.now(),
}: Options): CallQueue {
  const lanes: Record<Lane, Fifo<Waiting>> = { first: createFifo(), later: createFifo() };
  let underWay = { first: 0, later: 0 };
  let timer: NodeJS.Timeout | undefined;
  let onIdle: (() => void)[] = [];

  const waiting = () => lanes.first.length() + lanes.later.length();
  const oldestSince = () =>
    Math.min(
      lanes.first.peek()?.since ?? Number.POSITIVE_INFINITY,
      lanes.later.peek()?.since ?? Number.POSITIVE_INFINITY,
    );

  const inAll = () => underWay.first + underWay.later;
  const isFree = (lane: Lane) => underWay[lane] < mostUnderWay[lane] && inAll() < mostUnderWay.inAll;

  function start(lane: Lane, { begin, reject }: Pick<Waiting, 'begin' | 'reject'>): void {
    underWay[lane]++;
    try {
      begin();
    } catch (error) {
      underWay[lane]--;
      reject(error as Error);
    }
  }

  function beginWaiting(): void {
    rejectLate();
    for (const lane of ['first', 'later'] as const)
      while (isFree(lane)) {
        const call = lanes[lane].shift();
        if (!call) break;
        start(lane, call);
      }
    if (inAll() > 0 || waiting() > 0) return;
    for (const resolve of onIdle) resolve();
    onIdle = [];
  }

  /** The oldest call of a lane is the first one in it, since all may wait equally long. */
  function rejectLate(): void {
    const before = now() - waitAtMostMs;
    for (const lane of Object.values(lanes))
      for (let call = lane.peek(); call && call.since <= before; call = lane.peek())
        lane.shift()!.reject(new Unavailable('The server is slow at the moment; try again.'));
  }

  /** For calls that wait while nothing ends, for example because the disk hangs. */
  function watch(): void {
    if (timer !== undefined || waiting() === 0) return;
    const onTimer = () => {
      timer = undefined;
      beginWaiting();
      watch();
    };
    timer = setTimeout(onTimer, Math.max(1, oldestSince() + waitAtMostMs - now())).unref();
  }

  return {
    add(lane, begin, reject) {
      if (isFree(lane) && (lane === 'first' || lanes.first.length() === 0))
        return start(lane, { begin, reject });
      if (waiting() >= mostWaiting) return reject(new Unavailable('The server is busy; try again.'));
      lanes[lane].push({ since: now(), begin, reject });
      watch();
    },
    ended(lane) {
      underWay[lane]--;
      beginWaiting();
    },
    clear(reason) {
      underWay = { first: 0, later: 0 };
      for (const lane of Object.values(lanes))
        for (let call = lane.shift(); call; call = lane.shift()) call.reject(new Unavailable(reason));
      beginWaiting();
    },
    idle: () =>
      new Promise((resolve) => {
        if (inAll() === 0 && waiting() === 0) resolve();
        else onIdle.push(resolve);
      }),
    state: () => ({ waiting: waiting(), oldestMs: waiting() === 0 ? 0 : now() - oldestSince() }),
  };
}

interface Fifo<T> {
  push(item: T): void;
  shift(): T | undefined;
  peek(): T | undefined;
  length(): number;
}

/** An array whose front is cut off now and then: `Array.shift` moves all that follow. */
function createFifo<T>(): Fifo<T> {
  let items: (T | undefined)[] = [];
  let start = 0;
  return {
    push: (item) => void items.push(item),
    shift() {
      if (start === items.length) return undefined;
      const item = items[start];
      items[start++] = undefined;
      if (start === items.length || start >= CUT_AFTER) {
        items = items.slice(start);
        start = 0;
      }
      return item;
    },
    peek: () => items[start],
    length: () => items.length - start,
  };
}

const CUT_AFTER = 1_024;
