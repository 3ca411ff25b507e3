/**
 * The feed of one hosted room. It knows the next serverOffset: lower entries from the tail are repeats and are dropped;
 * before higher ones, the gap is read from the log (S2: the tail is only a hint).
 */
import type { Entry } from '../../shared/entry.ts';
import { isMessage, isRemoval, isReplacement, redacted } from '../../shared/kinds.ts';
import { RANGE_MAX_BYTES, RANGE_MAX_ENTRIES } from '../../shared/limits.ts';
import { RING_ENTRIES, RING_MAX_BYTES, RINGS_MAX_BYTES } from '../base/serverLimits.ts';
import { retryUntilDone } from '../base/timeout.ts';
import type { LogStore } from '../store/port.ts';

export interface RoomFeed {
  /**
   * `open`: from now on no entry of the room is missed. `failing`: the room's head could not be read; the feed keeps
   * retrying. Never rejects.
   */
  opening(): Promise<'open' | 'failing'>;
  /** The serverOffset of the next entry; 0 until the room is open. */
  next(): number;
  /** The entries from..to out of memory, or undefined if memory does not hold all of them. */
  recent(from: number, to: number): Entry[] | undefined;
  /**
   * Reads the entries from `from` on into memory, where it lacks them and has room for them: `recent` has them then. One read for
   * all who ask meanwhile, so that many clients that come back to a room after a restart do not each read the store. Rejects as
   * the store does.
   */
  recall(from: number): Promise<void>;
  /** True where memory is nearly full, so that what is recalled takes the memory of another room. */
  isMemoryTight(): boolean;
  /** Entries from the tail, ascending. */
  receive(entries: readonly Entry[]): void;
  /** The log is known to reach up to `head`: reads what is missing. */
  fillUpTo(head: number): void;
  close(): void;
}

interface Deps {
  room: string;
  log: Pick<LogStore, 'range'>;
  /** The durable head of a room. */
  headOf: (room: string) => Promise<number>;
  /** Called with each run of new entries: in order, without gap or repeat. */
  deliver: (entries: Entry[]) => void;
  budget: RingBudget;
  /** Waits before a retry, in milliseconds. */
  pause: (ms: number) => Promise<void>;
}

export function createRoomFeed({ room, log, headOf, deliver, budget, pause }: Deps): RoomFeed {
  const ring = createRing(budget);
  let next = 0;
  let closed = false;
  let queue: Promise<void> = Promise.resolve();
  let pending = 0;
  /** Bounds the memory: when too many steps are pending, entries are dropped and later read from the log, up to here. */
  let skippedUpTo = 0;

  function accept(entries: readonly Entry[]) {
    const fresh: Entry[] = [];
    for (const entry of entries) {
      if (entry.serverOffset !== next) continue;
      next++;
      ring.push(entry);
      fresh.push(entry);
    }
    if (fresh.length > 0) deliver(fresh);
  }

  async function readUpTo(head: number) {
    while (!closed && next <= head) {
      const to = Math.min(head, next + RANGE_MAX_ENTRIES - 1);
      const { entries } = await log.range(room, next, to, RANGE_MAX_BYTES);
      if (entries.length === 0) return; // the head was wrong: these entries are not durable
      accept(entries);
    }
  }

  /** At most so many entries are recalled; fewer where they were too large for memory. */
  let recalledMost = RING_ENTRIES;
  let recalling: Promise<void> | undefined;

  async function recall(from: number): Promise<void> {
    const isLacking = () => from < (ring.first() ?? next) && next - from <= recalledMost;
    if (recalling && isLacking()) await recalling;
    if (closed || !isLacking()) return;
    recalling ??= readBefore(ring.first() ?? next, from).finally(() => {
      recalling = undefined;
    });
    await recalling;
  }

  /** Some more than are asked for, while there is memory for them: of many who come back each lacks others. */
  async function readBefore(end: number, from: number): Promise<void> {
    const asked = next - from;
    const count = budget.isTight() ? asked : (RECALLED.find((some) => some >= asked) ?? RING_ENTRIES);
    const first = Math.max(1, next - Math.min(count, recalledMost));
    const { entries } = await log.range(room, first, end - 1, RING_MAX_BYTES);
    if (closed || (ring.first() ?? next) !== end) return; // the ring was cleared meanwhile
    const isWhole = entries.length === end - first;
    if (!isWhole || !ring.prepend(entries)) recalledMost = Math.floor((next - first) / 2);
  }

  /** Runs steps one at a time, each retried until it succeeds. */
  function enqueue(step: () => Promise<void>, onEnd = () => {}): void {
    pending++;
    queue = queue.then(async () => {
      await retryUntilDone(step, { pause, isOver: () => closed });
      pending--;
      onEnd();
      readSkipped();
    });
  }

  /** Reads skipped entries once: a head that is not in the log, or a closed room, must not be read in an endless loop. */
  function readSkipped(): void {
    if (pending > 0 || skippedUpTo < next || skippedUpTo === 0) return;
    const head = skippedUpTo;
    skippedUpTo = 0;
    enqueue(() => readUpTo(head));
  }

  /** The outcome of the attempt in flight: while the room fails, callers wait for one attempt, not until it succeeds. */
  let attempt = Promise.withResolvers<'open' | 'failing'>();
  let state: 'opening' | 'open' | 'failing' = 'opening';
  const endAttempt = (outcome: 'open' | 'failing') => {
    state = outcome;
    attempt.resolve(outcome);
    attempt = Promise.withResolvers();
  };
  const open = async () => {
    try {
      next = (await headOf(room)) + 1;
    } catch (error) {
      endAttempt('failing');
      throw error;
    }
  };
  enqueue(open, () => endAttempt(next > 0 ? 'open' : 'failing')); // failing: closed before it was open

  return {
    opening: () => (state === 'opening' ? attempt.promise : Promise.resolve(state)),
    next: () => next,
    recent: (from, to) => ring.slice(from, to),
    recall,
    isMemoryTight: budget.isTight,
    receive(entries) {
      const [first] = entries;
      if (!first) return;
      if (pending === 0 && first.serverOffset <= next) return accept(entries);
      if (pending >= MAX_PENDING) {
        skippedUpTo = Math.max(skippedUpTo, entries.at(-1)!.serverOffset);
        return;
      }
      enqueue(async () => {
        if (first.serverOffset > next) await readUpTo(first.serverOffset - 1);
        accept(entries);
      });
    },
    fillUpTo(head) {
      if (pending >= MAX_PENDING) skippedUpTo = Math.max(skippedUpTo, head);
      else if (head >= next) enqueue(() => readUpTo(head));
    },
    close() {
      closed = true;
      ring.clear();
    },
  };
}

const MAX_PENDING = 16;
/** Entries up to the head that one read recalls, as far as they are not in memory. */
const RECALLED = [16, 64, RING_ENTRIES];

/** The newest entries of one room in memory, so that many clients that come back do not each read the store. */
export interface Ring {
  /** Must be the entry after the last one pushed. A removal redacts what it removes. */
  push(entry: Entry): void;
  /**
   * Must end before the first one, or with the newest entry of the log where the ring is empty. False, and nothing is added, where
   * they are too large.
   */
  prepend(older: readonly Entry[]): boolean;
  /** The serverOffset of the oldest entry; undefined while the ring is empty. */
  first(): number | undefined;
  /** The entries from..to ascending, or undefined if not all of them are held. */
  slice(from: number, to: number): Entry[] | undefined;
  /** Forgets all entries. */
  clear(): void;
}

/** Memory for the rings of all rooms: where it does not suffice, the rooms used least recently lose theirs. */
export interface RingBudget {
  /** The ring was used and now holds so many bytes. */
  used(ring: Pick<Ring, 'clear'>, bytes: number): void;
  bytes(): number;
  /** From 80 % on: rooms that lose theirs leave 90 %, so it is true then until rooms are closed. */
  isTight(): boolean;
}

export function createRingBudget(maxBytes = RINGS_MAX_BYTES): RingBudget {
  const held = new Map<Pick<Ring, 'clear'>, number>(); // least recently used first
  let total = 0;

  function used(ring: Pick<Ring, 'clear'>, bytes: number): void {
    total += bytes - (held.get(ring) ?? 0);
    held.delete(ring);
    if (bytes > 0) held.set(ring, bytes);
    if (bytes === 0 || total <= maxBytes) return;
    // A tenth more than needed, so that not every entry has to look for the oldest room.
    for (const other of held.keys()) {
      if (total <= 0.9 * maxBytes) return;
      if (other !== ring) other.clear();
    }
  }

  return { used, bytes: () => total, isTight: () => total > 0.8 * maxBytes };
}

/** Holds at most `size` entries (twice as many in between) and about `maxBytes`. */
export function createRing(
  budget: RingBudget,
  { size = RING_ENTRIES, maxBytes = RING_MAX_BYTES } = {},
): Ring {
  let entries: Entry[] = [];
  let bytes = 0;

  const dropBefore = (start: number) => {
    for (const entry of entries.slice(0, start)) bytes -= memoryOf(entry);
    entries = entries.slice(start);
  };

  function redact(target: number) {
    entries = entries.map((entry) => (losesContent(entry, target) ? redacted(entry) : entry));
    bytes = entries.reduce((sum, entry) => sum + memoryOf(entry), 0);
  }

  const ring: Ring = {
    push(entry) {
      entries.push(entry);
      bytes += memoryOf(entry);
      if (entries.length >= 2 * size) dropBefore(entries.length - size);
      while (bytes > maxBytes) dropBefore(Math.ceil(entries.length / 4));
      if (isRemoval(entry)) redact(entry.target!);
      budget.used(ring, bytes);
    },
    prepend(older) {
      const more = older.reduce((sum, entry) => sum + memoryOf(entry), 0);
      if (bytes + more > maxBytes) return false;
      const removals = entries.filter(isRemoval); // they may have come after the older ones were read
      entries = [...older, ...entries];
      bytes += more;
      for (const { target } of removals) redact(target!);
      budget.used(ring, bytes);
      return true;
    },
    first: () => entries[0]?.serverOffset,
    slice(from, to) {
      if (from > to) return [];
      const first = entries[0]?.serverOffset;
      const last = entries.at(-1)?.serverOffset;
      if (first === undefined || last === undefined || from < first || to > last) return undefined;
      budget.used(ring, bytes);
      return entries.slice(from - first, to - first + 1);
    },
    clear() {
      entries = [];
      bytes = 0;
      budget.used(ring, 0);
    },
  };
  return ring;
}

/** About how many bytes an entry takes in memory: an object with two ids, and two bytes per UTF-16 unit of its texts. */
function memoryOf(entry: Entry): number {
  let bytes = 250;
  for (const value of Object.values(entry)) {
    if (typeof value === 'string') bytes += 2 * value.length;
    else if (typeof value === 'object') bytes += 2 * JSON.stringify(value).length;
  }
  return bytes;
}

/** True for the removed message itself and for everything that replaces its content. */
function losesContent(entry: Entry, target: number): boolean {
  if (entry.serverOffset === target) return isMessage(entry);
  return isReplacement(entry) && entry.target === target;
}
