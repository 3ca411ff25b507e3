/**
 * A counting semaphore for expensive work that anybody may ask for. Its queue is bounded in length and in time, and fair:
 * whoever floods it waits behind everybody else.
 */
import { RefusedError } from '../base/refusal.ts';

/** Whose work it is. */
export interface Turn {
  /** Who pays for it, such as an address. Lanes are served in turn, however much waits in each. */
  lane: string;
  /** Work with the same key never runs at the same time. */
  key: string;
  /** Goes before work that is not preferred, but for every fourth turn. */
  preferred: boolean;
}

export type FairSemaphore = <T>(turn: Turn, work: () => Promise<T>) => Promise<T>;

interface FairSemaphoreOptions {
  maxRunning: number;
  /** Above this, the newest work of the longest lane is refused: that of whoever asks for most. */
  maxWaiting: number;
  /** What has waited so long is refused and never begun. */
  waitMs: number;
}

interface Waiting extends Turn {
  /** The position in the order of its class: a lane's works are one apart, so that lanes alternate. */
  position: number;
  /** Undefined: run it. Otherwise it is refused. */
  settle(error?: Error): void;
}

/** Rejects with `unavailable` what is refused. */
export function createFairSemaphore({ maxRunning, maxWaiting, waitMs }: FairSemaphoreOptions): FairSemaphore {
  let running = 0;
  let turns = 0;
  const busy = new Set<string>();
  const preferred = createFairQueue();
  const others = createFairQueue();

  function next(): void {
    while (running < maxRunning) {
      const inOrder = turns % OTHERS_EVERY === OTHERS_EVERY - 1 ? [others, preferred] : [preferred, others];
      const chosen = inOrder[0]!.take(busy) ?? inOrder[1]!.take(busy);
      if (!chosen) return;
      turns++;
      running++;
      busy.add(chosen.key);
      chosen.settle();
    }
  }

  /** Makes room in a full queue, at the cost of the longest lane. False: no lane is longer than this one. */
  function makeRoom({ lane, preferred: isPreferred }: Turn): boolean {
    if (preferred.size() + others.size() < maxWaiting) return true;
    const dropped = isPreferred
      ? (others.dropFromLongest(0) ?? preferred.dropFromLongest(preferred.inLane(lane) + 1))
      : others.dropFromLongest(others.inLane(lane) + 1);
    dropped?.settle(busyError());
    return dropped !== undefined;
  }

  return async (turn, work) => {
    await new Promise<void>((resolve, reject) => {
      if (!makeRoom(turn)) return reject(busyError());
      const queue = turn.preferred ? preferred : others;
      const waiting = queue.add(turn, (error) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      });
      const timer = setTimeout(() => {
        queue.remove(waiting);
        reject(busyError());
      }, waitMs);
      next();
    });
    try {
      return await work();
    } finally {
      running--;
      busy.delete(turn.key);
      next();
    }
  };
}

const OTHERS_EVERY = 4;

function busyError(): RefusedError {
  return new RefusedError('unavailable', 'The server is busy; try again.', RETRY_AFTER_MS);
}

const RETRY_AFTER_MS = 2_000;

/**
 * Start-time fair queueing: each work gets a position at its arrival, one after the last of its lane, and not before what
 * is being served. The lowest position is served first. Linear searches, since the queue is short.
 */
function createFairQueue() {
  const waiting: Waiting[] = [];
  let served = 0;
  /** The next position of each lane, where that is beyond `served`. */
  const nextOf = new Map<string, number>();

  const withdraw = (one: Waiting) => void waiting.splice(waiting.indexOf(one), 1);
  /** The later works of its lane move up: it was not served, so it does not count. */
  const remove = (one: Waiting) => {
    withdraw(one);
    for (const later of waiting)
      if (later.lane === one.lane && later.position > one.position) later.position--;
    const next = nextOf.get(one.lane);
    if (next !== undefined) nextOf.set(one.lane, next - 1);
  };
  const inLane = (lane: string) => waiting.filter((one) => one.lane === lane).length;

  return {
    size: () => waiting.length,
    inLane,
    remove,
    add(turn: Turn, settle: Waiting['settle']): Waiting {
      const position = Math.max(served, nextOf.get(turn.lane) ?? 0);
      nextOf.set(turn.lane, position + 1);
      const one = { ...turn, position, settle };
      waiting.push(one);
      return one;
    },
    /** The next work whose key is not among `busy`. */
    take(busy: ReadonlySet<string>): Waiting | undefined {
      let first: Waiting | undefined;
      for (const one of waiting)
        if (!busy.has(one.key) && (first === undefined || one.position < first.position)) first = one;
      if (!first) return undefined;
      withdraw(first);
      served = Math.max(served, first.position);
      for (const [lane, position] of nextOf) if (position <= served) nextOf.delete(lane);
      return first;
    },
    /** Removes the newest work of the longest lane, if more than `least` wait there. */
    dropFromLongest(least: number): Waiting | undefined {
      let longest: Waiting[] = [];
      for (const lane of Map.groupBy(waiting, ({ lane }) => lane).values())
        if (lane.length > longest.length) longest = lane;
      const newest = longest.at(-1);
      if (!newest || longest.length <= least) return undefined;
      remove(newest);
      return newest;
    },
  };
}
