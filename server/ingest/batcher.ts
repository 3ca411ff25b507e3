/**
 * Batches appends for the store: what arrives while a write is in flight goes into the next one (group commit). A lane is
 * one such queue: one per room where the store writes rooms independently, else one for all rooms. Guarantees that the
 * entries of one request stay together and in order within their lane, and that each request gets its own results.
 */

import { Unavailable } from '../base/refusal.ts';
import { BATCH_MAX_ENTRIES } from '../base/serverLimits.ts';
import { type AppendOutcome, appendInParallel, type LogStore, type NewEntry } from '../store/port.ts';

export interface Batcher {
  /** Never rejects: entries whose fate is unknown have no result, and `stopped` says why. */
  append(entries: readonly NewEntry[]): Promise<AppendOutcome>;
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
export function createLanes(write: WriteBatch, laneOf: LaneOf): Batcher {
  const lanes = new Map<string, { batcher: Batcher; pending: number }>();

  async function appendTo(name: string, entries: readonly NewEntry[]): Promise<AppendOutcome> {
    const lane = lanes.get(name) ?? { batcher: createBatcher(write), pending: 0 };
    lanes.set(name, lane);
    lane.pending++;
    const outcome = await lane.batcher.append(entries);
    lane.pending--;
    if (lane.pending === 0) lanes.delete(name); // every request is answered, so no write is in flight
    return outcome;
  }

  return { append: (entries) => appendInParallel(entries, laneOf, appendTo) };
}

interface QueuedRequest {
  entries: readonly NewEntry[];
  resolve: (outcome: AppendOutcome) => void;
}

/**
 * One lane. The first batch waits for the end of the current turn of the event loop, and no longer: a longer wait was
 * measured to make no batch larger under load, and every message slower without load.
 */
export function createBatcher(write: WriteBatch): Batcher {
  let queue: QueuedRequest[] = [];
  let running = false;

  async function run() {
    running = true;
    await new Promise(setImmediate);
    while (queue.length > 0) {
      const [batch, rest] = nextBatch(queue);
      queue = rest;
      const outcome = await write(batch.flatMap((request) => request.entries));
      for (const [request, part] of resultsByRequest(batch, outcome)) request.resolve(part);
    }
    running = false;
  }

  return {
    append(entries) {
      return new Promise((resolve) => {
        queue.push({ entries, resolve });
        if (!running) void run();
      });
    },
  };
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
