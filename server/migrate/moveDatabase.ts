/**
 * Moves a database that may be in use to another one, which takes its place:
 *
 * 1. Copies the log in the order of commits, then all other rows, while a server goes on writing to the source.
 * 2. Applies what has changed meanwhile, and again, until little is left.
 * 3. Compares all of one state of the source with the destination: counts, and a digest of each room and of each other part.
 * 4. Locks the source. Applies and compares the rest, and marks the source as moved in the transaction that holds the lock.
 * 5. Tells the destination that it is complete.
 *
 * It may die at any moment, and goes on when it is called again. Before the mark, the source is unchanged and in use. After it the
 * destination has everything, and only step 5 remains. No server uses both: the source refuses writes from the mark on, and the
 * destination refuses servers until step 5.
 */
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { withTimeout } from '../base/timeout.ts';
import {
  copyText,
  MOVED_PARTS,
  type MoveDestination,
  type MovedEntry,
  type MovedKey,
  type MovedPart,
  type MoveSource,
} from '../store/move.ts';
import { Unavailable, Unusable } from '../store/port.ts';

/** What is being done, for the person who waits; `done` of `of` entries. */
export type MoveProgress =
  | { tag: 'copying' | 'comparing'; done: number; of: number }
  | { tag: 'rows' | 'changes' | 'last-part' };

export interface MoveOutcome {
  place: string;
  entries: number;
  rooms: number;
  /** How long writes were refused. 0: a move that was interrupted after the mark. */
  pausedMs: number;
}

/** By which a destination finds out whether it is that of this source. */
export type Run = Pick<MoveSource, 'state' | 'begin' | 'resume'>;

interface Options {
  source: MoveSource;
  openDestination(run: Run): Promise<MoveDestination>;
  onProgress(progress: MoveProgress): void;
  /** For tests: called between steps. */
  onStep?: (step: string) => Promise<void> | void;
  /** Writes are refused so long at most. */
  lastPartWithinMs?: number;
  /** The last part begins so long after the first at the earliest. By then a server that uses the file has noticed the move. */
  noticedWithinMs?: number;
}

/** Rejects with `Unusable` or `Unavailable`, whose message says what to do. */
export async function moveDatabase({
  source,
  openDestination,
  onProgress,
  onStep = () => {},
  lastPartWithinMs = LAST_PART_WITHIN_MS,
  noticedWithinMs = 0,
}: Options): Promise<MoveOutcome> {
  const isMoved = (source.state()?.state ?? 'copying') !== 'copying';
  const destination = await openDestination(source);
  const begunAt = performance.now();
  try {
    await onStep('begun');
    const pausedMs = isMoved ? 0 : await copy();
    await onStep('marked');
    await destination.finish(source.usersRev());
    await onStep('complete');
    source.finish();
    return { place: destination.place, entries: source.lastSeq(), rooms: source.rooms().length, pausedMs };
  } finally {
    await destination.close();
  }

  /** Ends with the mark. Returns how long writes were refused. */
  async function copy(): Promise<number> {
    await copyLog();
    await onStep('log copied');
    if (!destination.position().hasRows) await source.inSnapshot(copyRows);
    await onStep('rows copied');
    await applyUntilFew();
    await onStep('changes applied');
    await source.inSnapshot(async () => {
      await applyChanges();
      await compareAll();
    });
    await onStep('compared');
    await sleep(Math.max(0, begunAt + noticedWithinMs - performance.now()));
    await applyUntilFew();
    await onStep('before the last part');
    const start = performance.now();
    await source.handOver(async () => {
      onProgress({ tag: 'last-part' });
      await applyLastPart();
      await onStep('in the last part');
    });
    return performance.now() - start;
  }

  /** All entries that are there when it begins, and those that come meanwhile but for a few. */
  async function copyLog(): Promise<void> {
    for (;;) {
      const { seq } = destination.position();
      const of = source.lastSeq();
      onProgress({ tag: 'copying', done: seq, of });
      if (seq >= of) return;
      await copyEntries(seq, of, COPY_STEP_ENTRIES);
      await onStep('some entries copied');
      if (of - seq <= FEW) return; // with somebody who always writes, there is never a moment with none left
    }
  }

  /** The next entries, several batches at a time. */
  async function copyEntries(after: number, upTo: number, most: number): Promise<void> {
    const entries = source.entries(after, upTo, most);
    await Promise.all(batchesOf(entries).map((batch) => destination.insertEntries(batch)));
    const last = entries.at(-1);
    if (last) await destination.save({ ...destination.position(), seq: last.seq });
  }

  async function copyRows(): Promise<void> {
    onProgress({ tag: 'rows' });
    const change = source.lastChange();
    await replaceEntries(change); // those that have changed since they were copied
    for (const part of MOVED_PARTS) {
      await destination.clear(part);
      for (const rows of pagesOf<never>(source.rows(part) as Iterable<never>, ROWS_PER_PAGE))
        await destination.insertRows(part, rows);
      await onStep('some rows copied');
    }
    await destination.save({ ...destination.position(), change, hasRows: true });
  }

  async function applyUntilFew(): Promise<void> {
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      const { seq, change } = destination.position();
      const left = source.lastSeq() - seq + source.lastChange() - change;
      if (left <= FEW) return;
      onProgress({ tag: 'changes' });
      await source.inSnapshot(() => applyChanges());
      await onStep('some changes applied');
    }
  }

  /** While nobody can write. Where it takes too long it rejects with `Unavailable`, and nothing of it goes on. */
  async function applyLastPart(): Promise<void> {
    const stop = new AbortController();
    const tooSlow = () =>
      new Unavailable(
        `${destination.place} was too slow for the last part, so nothing has moved: call this again, it goes on where it stopped.`,
      );
    try {
      const last = applyChanges({ compares: true, signal: stop.signal });
      await withTimeout(lastPartWithinMs, last, tooSlow);
    } finally {
      stop.abort();
    }
  }

  /** Brings the destination to the state that the source shows, which must not change meanwhile. */
  async function applyChanges({ compares = false, signal }: ApplyOptions = {}): Promise<void> {
    const [lastSeq, lastChange] = [source.lastSeq(), source.lastChange()];
    const before = destination.position();
    while (destination.position().seq < lastSeq) {
      await copyEntries(destination.position().seq, lastSeq, COPY_STEP_ENTRIES);
      await nextTurn(undefined, { signal });
    }
    await replaceEntries(lastChange, signal);
    const changes = () => inTurns(source.changes(before.change, lastChange), signal);
    // All are deleted first: a row may have taken the name, or another unique value, that another one has given up.
    for await (const { rows } of changes())
      for (const [part, keys] of rows) await destination.deleteRows(part, keys);
    for await (const { rows } of changes())
      for (const [part, keys] of rows)
        await destination.insertRows(part, source.rowsAt(part, keys) as never[]);
    await destination.save({ ...destination.position(), change: lastChange });
    if (!compares) return;
    for await (const added of inTurns(entriesBetween(before.seq, lastSeq), signal))
      await compareEntries(added);
    for await (const { rows, entries } of changes()) {
      await compareEntries(source.entriesBySeq(entries));
      for (const [part, keys] of rows) await compareRows(part, keys);
    }
  }

  /** Applies the changes of entries up to the number `upTo`. */
  async function replaceEntries(upTo: number, signal?: AbortSignal): Promise<void> {
    for await (const { entries } of inTurns(source.changes(destination.position().change, upTo), signal))
      await destination.replaceEntries(source.entriesBySeq(entries));
  }

  function* entriesBetween(after: number, upTo: number): Generator<MovedEntry[]> {
    for (let seq = after; seq < upTo; ) {
      const entries = source.entries(seq, upTo, COPY_STEP_ENTRIES);
      yield entries;
      seq = entries.at(-1)!.seq;
    }
  }

  async function compareAll(): Promise<void> {
    const of = source.lastSeq();
    for (const part of ['entries', ...MOVED_PARTS] as const) {
      const [here, there] = [source.count(part), await destination.count(part)];
      if (here !== there) throw difference(`${there} of ${here} ${part}`);
    }
    for (const part of MOVED_PARTS) {
      const here = createUnorderedDigest();
      for (const row of source.rows(part)) here.add(destination.textOf(part, row as never));
      const there = createUnorderedDigest();
      for await (const text of destination.texts(part)) there.add(text);
      if (here.value() !== there.value()) throw difference(`the ${part}`);
    }
    let done = 0;
    for (const room of source.rooms()) {
      const here = createHash('sha256');
      let count = 0;
      for (const entry of source.entriesOf(room)) {
        here.update(`${textOf(entry)}\n`);
        count++;
      }
      const there = createHash('sha256');
      for await (const { text } of destination.entriesOf(room)) {
        there.update(`${text}\n`);
        if (++done % PROGRESS_EVERY === 0) onProgress({ tag: 'comparing', done, of });
      }
      if (here.digest('hex') !== there.digest('hex'))
        throw difference(`the log of the room ${room} (${count} entries)`);
    }
    onProgress({ tag: 'comparing', done: of, of });
  }

  async function compareEntries(entries: readonly MovedEntry[]): Promise<void> {
    for (const [room, its] of Map.groupBy(entries, (entry) => entry.room)) {
      const expected = new Map(its.map((entry) => [entry.serverOffset, textOf(entry)]));
      const found = await destination.entriesAt(room, [...expected.keys()]);
      const isSame =
        found.length === expected.size &&
        found.every(({ serverOffset, text }) => expected.get(serverOffset) === text);
      if (!isSame) throw difference(`the log of the room ${room}`);
    }
  }

  async function compareRows(part: MovedPart, keys: readonly MovedKey[]): Promise<void> {
    const expected = source.rowsAt(part, keys).map((row) => destination.textOf(part, row as never));
    const found = await destination.textsAt(part, keys);
    if (expected.sort().join('\n') !== found.sort().join('\n')) throw difference(`the ${part}`);
  }

  function textOf(entry: MovedEntry): string {
    return copyText(source.seen(entry), entry.digest, entry.roleSeq);
  }

  function difference(what: string): Unusable {
    return new Unusable(
      `The copy in ${destination.place} differs from ${source.file} in ${what}: drop that database, and call this again. The file is unchanged and in use.`,
    );
  }
}

/**
 * A server looks each second whether its file is being moved. From then on it stores each read marker before it acknowledges
 * it; those that it has acknowledged before are stored within another second.
 */
export const NOTICED_WITHIN_MS = 4_000;

interface ApplyOptions {
  /** Whether all that is applied is compared. */
  compares?: boolean;
  /** Ends it before the next page. */
  signal?: AbortSignal;
}

/** Entries that are read, and written in batches at the same time, before the position is saved. */
const COPY_STEP_ENTRIES = 4_000;
const BATCH_ENTRIES = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;
const ROWS_PER_PAGE = 1_000;
const PROGRESS_EVERY = 1_000;
/** With so many entries and changes left, the last part takes well below a second. */
const FEW = 200;
const MOST_PASSES = 20;
/** Writes are refused so long at most. */
const LAST_PART_WITHIN_MS = 20_000;

function batchesOf(entries: readonly MovedEntry[]): MovedEntry[][] {
  const batches: MovedEntry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const size = (entry.body?.length ?? 0) + (entry.content?.length ?? 0);
    if (bytes + size > BATCH_BYTES || batches.at(-1)!.length >= BATCH_ENTRIES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)!.push(entry);
    bytes += size;
  }
  return batches;
}

function* pagesOf<T>(all: Iterable<T>, size: number): Generator<T[]> {
  let page: T[] = [];
  for (const one of all) {
    page.push(one);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** Timers run between the pages. Rejects there once `signal` is aborted. */
async function* inTurns<T>(pages: Iterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  for (const page of pages) {
    yield page;
    await nextTurn(undefined, { signal });
  }
}

/** Of a set of texts, in whichever order they come. */
function createUnorderedDigest() {
  const sum = new Uint8Array(32);
  let count = 0;
  return {
    add(text: string): void {
      count++;
      const one = createHash('sha256').update(text).digest();
      for (let i = 0; i < sum.length; i++) sum[i]! ^= one[i]!;
    },
    value: () => `${count} ${Buffer.from(sum).toString('hex')}`,
  };
}
