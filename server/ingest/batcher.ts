/**
 * Batches appends for the store: what arrives while a write is in flight goes into the next one (group commit). A lane is
 * one such queue: one per room where the store writes rooms independently, else one for all rooms. Guarantees that the
 * entries of one request stay together and in order within their lane, and that each request gets its own results. What waits
 * is bounded in bytes, and a request that nobody waits for any more is not written: its client sends it again.
 */

import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { Unavailable } from '../base/refusal.ts';
import { APPENDS_WAITING_BYTES, BATCH_MAX_ENTRIES } from '../base/serverLimits.ts';
import { type AppendOutcome, appendInParallel, type LogStore, type NewEntry } from '../store/port.ts';

export interface Batcher {
  /**
   * Never rejects: entries whose fate is unknown have no result, and `stopped` says why. `until`: a time of the batcher's
   * clock. What has not been begun by then is not written.
   */
  append(entries: readonly NewEntry[], until?: number): Promise<AppendOutcome>;
}

interface Options {
  /** A monotonic clock in milliseconds. */
  now?: () => number;
  /** Of all lanes together. */
  maxWaitingBytes?: number;
}

/** Writes one batch. Must not reject. */
export type WriteBatch = (entries: readonly NewEntry[]) => Promise<AppendOutcome>;

/** The name of the lane that an entry goes through. */
export type LaneOf = (entry: NewEntry) => string;

/** For a store where one write at a time is fastest: all rooms share one lane. */
export const oneLane: LaneOf = () => '';
/** For a store that writes rooms independently: a slow room does not delay the others. */
export const laneOfRoom: LaneOf = (entry) => entry.room;

/** Lanes are written concurrently: order is only promised within a room (L5), and a room is always in one lane. */
export function createLanes(
  write: WriteBatch,
  laneOf: LaneOf,
  { now = () => performance.now(), maxWaitingBytes = APPENDS_WAITING_BYTES }: Options = {},
): Batcher {
  const lanes = new Map<string, { batcher: Batcher; pending: number }>();
  const waiting = { bytes: 0, max: maxWaitingBytes };

  async function appendTo(
    name: string,
    entries: readonly NewEntry[],
    until?: number,
  ): Promise<AppendOutcome> {
    const lane = lanes.get(name) ?? { batcher: createBatcher(write, { now, waiting }), pending: 0 };
    lanes.set(name, lane);
    lane.pending++;
    const outcome = await lane.batcher.append(entries, until);
    lane.pending--;
    if (lane.pending === 0) lanes.delete(name); // every request is answered, so no write is in flight
    return outcome;
  }

  return {
    append: (entries, until) => appendInParallel(entries, laneOf, (lane, its) => appendTo(lane, its, until)),
  };
}

interface QueuedRequest {
  entries: readonly NewEntry[];
  bytes: number;
  until: number;
  resolve: (outcome: AppendOutcome) => void;
}

/**
 * One lane. The first batch waits for the end of the current turn of the event loop, and no longer: a longer wait was
 * measured to make no batch larger under load, and every message slower without load.
 */
export function createBatcher(
  write: WriteBatch,
  {
    now = () => performance.now(),
    waiting = { bytes: 0, max: APPENDS_WAITING_BYTES },
  }: Pick<Options, 'now'> & { waiting?: { bytes: number; max: number } } = {},
): Batcher {
  let queue: QueuedRequest[] = [];
  let running = false;

  async function run() {
    running = true;
    await new Promise(setImmediate);
    for (;;) {
      const [batch, rest] = nextBatch(inTime(queue));
      for (const { bytes } of batch) waiting.bytes -= bytes;
      queue = rest;
      if (batch.length === 0) break;
      const outcome = await write(batch.flatMap((request) => request.entries));
      for (const [request, part] of resultsByRequest(batch, outcome)) request.resolve(part);
    }
    running = false;
  }

  /** The requests that somebody still waits for; the others are answered. */
  function inTime(requests: QueuedRequest[]): QueuedRequest[] {
    const at = now();
    if (requests.every(({ until }) => at < until)) return requests;
    return requests.filter(({ bytes, until, resolve }) => {
      if (at < until) return true;
      waiting.bytes -= bytes;
      resolve({ results: [], stopped: new Unavailable('The server is slow at the moment; try again.') });
      return false;
    });
  }

  return {
    append(entries, until = now() + ACKNOWLEDGE_WITHIN_MS) {
      return new Promise((resolve) => {
        const bytes = entries.reduce((sum, entry) => sum + memoryOf(entry), 0);
        if (waiting.bytes + bytes > waiting.max)
          return resolve({ results: [], stopped: new Unavailable('The server is busy; try again.') });
        waiting.bytes += bytes;
        queue.push({ entries, bytes, until, resolve });
        if (!running) void run();
      });
    },
  };
}

/** About how many bytes an entry takes in memory: an object with some ids, and two bytes per UTF-16 unit of its content. */
function memoryOf({ body, content }: NewEntry): number {
  return 300 + 2 * ((body?.length ?? 0) + (content === undefined ? 0 : JSON.stringify(content).length));
}

/** Splits the queue: the requests for the next write (at least one, up to BATCH_MAX_ENTRIES entries), and the rest. */
function nextBatch(queue: QueuedRequest[]): [QueuedRequest[], QueuedRequest[]] {
  let entries = 0;
  const end = queue.findIndex((request, i) => {
    entries += request.entries.length;
    return i > 0 && entries > BATCH_MAX_ENTRIES;
  });
  return end === -1 ? [queue, []] : [queue.slice(0, end), queue.slice(end)];
}

/** Splits the results of a batch by request. A request with fewer results than entries was stopped. */
function* resultsByRequest(
  batch: readonly QueuedRequest[],
  { results, stopped }: AppendOutcome,
): Generator<[QueuedRequest, AppendOutcome]> {
  let start = 0;
  for (const request of batch) {
    const part = results.slice(start, start + request.entries.length);
    start += request.entries.length;
    yield [
      request,
      part.length < request.entries.length && stopped ? { results: part, stopped } : { results: part },
    ];
  }
}

/**
 * One write to the log that never rejects. If the store throws an unexpected error for a batch, the batch is bisected down
 * to the entry that causes it, and only that entry fails. `now`: the wall clock in milliseconds.
 */
export function createBatchWrite(log: Pick<LogStore, 'append'>, now: () => number): WriteBatch {
  return async function write(entries) {
    try {
      return await log.append(entries, now());
    } catch (error) {
      if (error instanceof Unavailable) return { results: [], stopped: error };
      if (entries.length === 1) return { results: [{ tag: 'failed', message: String(error) }] };
      return writeHalves(entries);
    }
  };

  /** If the failed batch was written in part after all, those entries are found again by their keys. */
  async function writeHalves(entries: readonly NewEntry[]): Promise<AppendOutcome> {
    const write = createBatchWrite(log, now);
    const middle = entries.length >> 1;
    const first = await write(entries.slice(0, middle));
    if (first.stopped) return first;
    const second = await write(entries.slice(middle));
    return { ...second, results: [...first.results, ...second.results] };
  }
}
