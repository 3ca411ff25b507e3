/**
 * Many requests, one write: what arrives while a write is under way, or within 2 ms of the first, goes into the next
 * one. Order is kept. A request's entries stay together, and each request learns of its own part.
 */
import { BATCH_MAX_ENTRIES, BATCH_WAIT_MS } from '../../shared/limits.ts';
import type { AppendOutcome, NewEntry } from '../store/port.ts';

interface Waiting {
  entries: readonly NewEntry[];
  resolve: (outcome: AppendOutcome) => void;
}

export interface Batcher {
  /** Never rejects: what is not known is said by `stopped`. */
  append(entries: readonly NewEntry[]): Promise<AppendOutcome>;
  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void>;
}

/** `write` must not reject. */
export function createBatcher(write: (entries: NewEntry[]) => Promise<AppendOutcome>): Batcher {
  let queue: Waiting[] = [];
  let running: Promise<void> | undefined;

  async function run() {
    await new Promise((resolve) => setTimeout(resolve, BATCH_WAIT_MS));
    while (queue.length > 0) {
      const [batch, rest] = cut(queue);
      queue = rest;
      const outcome = await write(batch.flatMap((waiting) => waiting.entries));
      for (const [waiting, part] of share(batch, outcome)) waiting.resolve(part);
    }
    running = undefined;
  }

  return {
    append(entries) {
      return new Promise((resolve) => {
        queue.push({ entries, resolve });
        running ??= run();
      });
    },
    async idle() {
      while (running) await running;
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
