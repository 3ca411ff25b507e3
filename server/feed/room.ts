/**
 * The feed of one hosted room. It keeps the next serverOffset: what the tail brings is dropped when lower, and when
 * higher, what lies between is read from the log first (S2: the tail is a hint, too).
 */
import type { Entry } from '../../shared/entry.ts';
import { RANGE_MAX_BYTES, RANGE_MAX_ENTRIES } from '../../shared/limits.ts';
import { retryUntilDone } from '../base/timeout.ts';
import type { LogStore } from '../store/port.ts';
import { createRing } from './ring.ts';

export interface RoomFeed {
  /**
   * `open`: from here on nothing of the room is missed. `failing`: its head could not be read; that is tried again by itself.
   * Never rejects.
   */
  opening(): Promise<'open' | 'failing'>;
  /** The serverOffset that the next entry will have; 0 until the room is open. */
  next(): number;
  recent(from: number, to: number): Entry[] | undefined;
  /** What the tail brought, ascending. */
  hear(entries: readonly Entry[]): void;
  /** Somebody knows of a head: what is missing is read. */
  reach(head: number): void;
  close(): void;
}

interface Deps {
  room: string;
  log: Pick<LogStore, 'range'>;
  /** The durable head of a room. */
  headOf: (room: string) => Promise<number>;
  /** Called with each run of new entries, in order, without gap or repeat. */
  deliver: (entries: Entry[]) => void;
  /** Waits this long before the log is asked again, in milliseconds. */
  pause: (ms: number) => Promise<void>;
}

export function createRoomFeed({ room, log, headOf, deliver, pause }: Deps): RoomFeed {
  const ring = createRing();
  let next = 0;
  let closed = false;
  let work: Promise<void> = Promise.resolve();
  let pending = 0;
  /** What came while too much was pending already is read from the log afterwards, up to here: memory stays bounded. */
  let skipped = 0;

  function take(entries: readonly Entry[]) {
    const fresh: Entry[] = [];
    for (const entry of entries) {
      if (entry.serverOffset !== next) continue;
      next++;
      ring.push(entry);
      fresh.push(entry);
    }
    if (fresh.length > 0) deliver(fresh);
  }

  async function heal(upTo: number) {
    while (!closed && next <= upTo) {
      const to = Math.min(upTo, next + RANGE_MAX_ENTRIES - 1);
      const { entries } = await log.range(room, next, to, RANGE_MAX_BYTES);
      if (entries.length === 0) return; // not durable after all: whoever told of it was wrong
      take(entries);
    }
  }

  /** One thing after the other; what fails is tried again until it goes, since nobody else will do it. */
  function then(step: () => Promise<void>, onEnd = () => {}): void {
    pending++;
    work = work.then(async () => {
      await retryUntilDone(step, { pause, isOver: () => closed });
      pending--;
      onEnd();
      healSkipped();
    });
  }

  /** Once for what was skipped: a head that is not in the log, or a room that is closed, would be asked for without end. */
  function healSkipped(): void {
    if (pending > 0 || skipped < next || skipped === 0) return;
    const upTo = skipped;
    skipped = 0;
    then(() => heal(upTo));
  }

  /** Of the attempt under way: who asks while the room fails does not wait until it does not. */
  let attempt = Promise.withResolvers<'open' | 'failing'>();
  let state: 'opening' | 'open' | 'failing' = 'opening';
  const over = (outcome: 'open' | 'failing') => {
    state = outcome;
    attempt.resolve(outcome);
    attempt = Promise.withResolvers();
  };
  const open = async () => {
    try {
      next = (await headOf(room)) + 1;
    } catch (error) {
      over('failing');
      throw error;
    }
  };
  then(open, () => over(next > 0 ? 'open' : 'failing')); // closed before it was open

  return {
    opening: () => (state === 'opening' ? attempt.promise : Promise.resolve(state)),
    next: () => next,
    recent: (from, to) => ring.slice(from, to),
    hear(entries) {
      const [first] = entries;
      if (!first) return;
      if (pending === 0 && first.serverOffset <= next) return take(entries);
      if (pending >= MOST_PENDING) {
        skipped = Math.max(skipped, entries.at(-1)!.serverOffset);
        return;
      }
      then(async () => {
        if (first.serverOffset > next) await heal(first.serverOffset - 1);
        take(entries);
      });
    },
    reach(head) {
      if (pending >= MOST_PENDING) skipped = Math.max(skipped, head);
      else if (head >= next) then(() => heal(head));
    },
    close() {
      closed = true;
    },
  };
}

const MOST_PENDING = 16;
