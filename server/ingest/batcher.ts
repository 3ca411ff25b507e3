/**
 * Many requests, one write: what arrives while a write is under way goes into the next one, and the first takes with it
 * what came in the same turn of the event loop. To wait any longer made no batch larger under load, and every message
 * slower without. Order is kept. A request's entries stay together, and each request learns of its own part.
 */
import { BATCH_MAX_ENTRIES } from '../base/serverLimits.ts';
import type { AppendOutcome, NewEntry } from '../store/port.ts';

interface Waiting {
  entries: readonly NewEntry[];
  resolve: (outcome: AppendOutcome) => void;
}

export interface Batcher {
  /** Never rejects: what is not known is said by `stopped`. */
  append(entries: readonly NewEntry[]): Promise<AppendOutcome>;
}

/** Must not reject. */
export type Write = (entries: readonly NewEntry[]) => Promise<AppendOutcome>;

export function createBatcher(write: Write): Batcher {
  let queue: Waiting[] = [];
  let running = false;

  async function run() {
    running = true;
    await new Promise(setImmediate);
    while (queue.length > 0) {
      const [batch, rest] = cut(queue);
      queue = rest;
      const outcome = await write(batch.flatMap((waiting) => waiting.entries));
      for (const [waiting, part] of share(batch, outcome)) waiting.resolve(part);
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

/** The requests that go into the next write: at least one. */
function cut(queue: Waiting[]): [Waiting[], Waiting[]] {
  let entries = 0;
  const tooMany = queue.findIndex((waiting, i) => {
    entries += waiting.entries.length;
    return i > 0 && entries > BATCH_MAX_ENTRIES;
  });
  return tooMany === -1 ? [queue, []] : [queue.slice(0, tooMany), queue.slice(tooMany)];
}

/** Each request's part of the results; one that is not whole was stopped. */
export function* share<W extends { entries: readonly NewEntry[] }>(
  batch: readonly W[],
  { results, stopped }: AppendOutcome,
): Generator<[W, AppendOutcome]> {
  let start = 0;
  for (const waiting of batch) {
    const part = results.slice(start, start + waiting.entries.length);
    start += waiting.entries.length;
    yield [
      waiting,
      part.length < waiting.entries.length && stopped ? { results: part, stopped } : { results: part },
    ];
  }
}
