/**
 * The feed of one hosted room. It keeps the next serverOffset: what the tail brings is dropped when lower, and when
 * higher, what lies between is read from the log first (S2: the tail is a hint, too).
 */
import type { Entry } from '../../shared/entry.ts';
import { RANGE_MAX_BYTES, RANGE_MAX_ENTRIES } from '../../shared/limits.ts';
import type { LogStore } from '../store/port.ts';
import { untilDone } from './retry.ts';
import { createRing } from './ring.ts';

export interface RoomFeed {
  /** Resolves when the room is hosted: from here on nothing is missed. */
  opened: Promise<void>;
  /** The serverOffset that the next entry will have; 0 until `opened`. */
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
  function then(step: () => Promise<void>): Promise<void> {
    pending++;
    work = work.then(async () => {
      await untilDone(step, { pause, isOver: () => closed });
      pending--;
    });
    return work;
  }

  const opened = then(async () => {
    next = (await headOf(room)) + 1;
  });

  return {
    opened,
    next: () => next,
    recent: (from, to) => ring.slice(from, to),
    hear(entries) {
      const [first] = entries;
      if (!first) return;
      if (pending === 0 && first.serverOffset <= next) return take(entries);
      void then(async () => {
        if (first.serverOffset > next) await heal(first.serverOffset - 1);
        take(entries);
      });
    },
    reach(head) {
      if (head >= next) void then(() => heal(head));
    },
    close() {
      closed = true;
    },
  };
}
