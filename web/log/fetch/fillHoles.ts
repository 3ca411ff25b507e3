/**
 * Prefetch with low priority: after the catch-up, one range at a time, while nothing is sent and the person waits for
 * nothing. First older messages for rooms that would show fewer than MESSAGES_SHOWN_LEAST, then holes of at most
 * PREFETCH_HOLE_ENTRIES, the newest first.
 */
import type { Entry } from '../../../shared/entry.ts';
import { isMessage } from '../../../shared/kinds.ts';
import { MESSAGES_SHOWN_LEAST } from '../../../shared/limits.ts';
import { readSpans } from '../../db/lookups.ts';
import type { UserDatabase, UserRead } from '../../db/userDatabase.ts';
import {
  PREFETCH_HOLE_ENTRIES,
  PREFETCH_MAX_ENTRIES,
  PREFETCH_PIECE_ENTRIES,
  PREFETCH_SHOWN_HOLE_ENTRIES,
  WINDOW_PAGE_LINES,
} from '../../records/pageLimits.ts';
import { cursorOf, holesBetween, type OffsetRange, type Span, subtractRanges } from '../../records/spans.ts';
import { readLinesBack } from '../read/readLines.ts';
import type { FetchResult } from './fetchMissing.ts';

export interface HoleFiller {
  /** `older`: where the newest messages below the catch-up begin, as the server says; undefined if the catch-up has enough. */
  expectOlder(room: string, older: number | undefined): void;
  /** A new connection. */
  connected(): void;
  /** There may be something to fetch, in any room. */
  schedule(): void;
  /** Starts what is scheduled, unless the catch-up is running. */
  proceed(): void;
}

interface Deps {
  db: UserDatabase;
  /** The rooms that this connection has described and that the server can read, the most important first. */
  rooms(): string[];
  /** The part of a room's log that is on the screen; undefined if the room is not. */
  shown(room: string): OffsetRange | undefined;
  /** False while something more urgent is running, or without a connection. */
  isFree(): boolean;
  /** The maximum of entries per range. */
  most(): number;
  fill(room: string, range: OffsetRange): Promise<FetchResult>;
}

export function createHoleFiller({ db, rooms, shown, isFree, most, fill }: Deps): HoleFiller {
  const olders = new Map<string, number>();
  let isDue = false;
  let isFilling = false;
  /** A room with a hole that is not filled while the room is on the screen. */
  let skipped: string | undefined;
  /** Entries that this connection may still prefetch. */
  let left = PREFETCH_MAX_ENTRIES;

  function proceed(): void {
    if (skipped !== undefined && !shown(skipped)) {
      skipped = undefined;
      isDue = true;
    }
    if (!isDue || isFilling || !isFree()) return;
    isFilling = true;
    isDue = false;
    fillAll()
      .catch((error) => console.warn('holes could not be filled', error))
      .finally(() => {
        isFilling = false;
        proceed();
      });
  }

  async function fillAll(): Promise<void> {
    const here = rooms();
    for (const room of [...here.filter((each) => olders.has(each)), ...here]) {
      for (;;) {
        const range = await nextRange(room);
        if (!range) break;
        if (!isFree()) {
          isDue = true; // `proceed` is called when the urgent work ends, or after the next welcome
          return;
        }
        left -= range.to - range.from + 1;
        const fetched = await fill(room, range);
        if (fetched === 'lost') return; // retried after the next welcome
        if (fetched !== 'held') break;
      }
    }
  }

  function nextRange(room: string): Promise<OffsetRange | undefined> {
    return db.read(['log', 'logSpans', 'detached'], async (tx) => {
      const spans = await readSpans(tx, room);
      const older = olders.get(room);
      if (older !== undefined) {
        const [hole] = subtractRanges({ from: older, to: cursorOf(spans) }, spans);
        if (hole && !(await showsEnough(tx, room)))
          return { from: hole.from, to: Math.min(hole.to, hole.from + most() - 1) };
        olders.delete(room);
      }
      const small = left > 0 ? smallHole(room, spans) : undefined;
      const count = Math.min(PREFETCH_PIECE_ENTRIES, most());
      return small && { ...small, from: Math.max(small.from, small.to - count + 1) };
    });
  }

  function smallHole(room: string, spans: readonly Span[]): OffsetRange | undefined {
    const onScreen = shown(room);
    return holesBetween(spans).findLast(({ from, to }) => {
      const isShown = onScreen && from <= onScreen.to && to >= onScreen.from;
      const entries = to - from + 1;
      if (!isShown) return entries <= PREFETCH_HOLE_ENTRIES;
      if (entries > PREFETCH_SHOWN_HOLE_ENTRIES) skipped = room;
      return entries <= PREFETCH_SHOWN_HOLE_ENTRIES;
    });
  }

  return {
    connected() {
      left = PREFETCH_MAX_ENTRIES;
      isDue = true;
    },
    expectOlder(room, older) {
      if (older === undefined) olders.delete(room);
      else olders.set(room, older);
    },
    schedule() {
      isDue = true;
    },
    proceed,
  };
}

async function showsEnough(tx: UserRead, room: string): Promise<boolean> {
  const shown = await readLinesBack(tx, room, Number.POSITIVE_INFINITY, WINDOW_PAGE_LINES);
  return shown.filter(isToRead).length >= MESSAGES_SHOWN_LEAST;
}

/** The messages that the server counts for `older`. */
function isToRead(entry: Entry): boolean {
  return isMessage(entry) && !entry.deleted && !entry.unreadable;
}
