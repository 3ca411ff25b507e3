/**
 * What is fetched without anybody looking at it, after the catch-up and one range at a time: messages for rooms that would
 * show fewer than MESSAGES_SHOWN_LEAST, then holes of at most SMALL_HOLE_ENTRIES, the newest first.
 */
import type { Entry } from '../../shared/entry.ts';
import { isMessage } from '../../shared/kinds.ts';
import { MESSAGES_SHOWN_LEAST } from '../../shared/limits.ts';
import type { UserDatabase, UserRead } from '../db/schema.ts';
import { WINDOW_PAGE_LINES } from '../records/pageLimits.ts';
import type { Fetched } from './fetch.ts';
import { linesBack } from './lines.ts';
import { spansOf } from './readSpans.ts';
import { cursorOf, holesBetween, type Stretch, without } from './spans.ts';

export interface GapFiller {
  /** Where the newest ten messages before what came of a room begin, as the server says; undefined where enough came. */
  olderOf(room: string, older: number | undefined): void;
  /** There may be something to fill, of whatever room. */
  look(): void;
  /** Goes on with it, unless the catch-up is under way. */
  proceed(): void;
}

interface Deps {
  db: UserDatabase;
  /** The rooms that this connection has described and that can be read. */
  rooms(): string[];
  /** False while there is something more urgent, or no connection. */
  isFree(): boolean;
  /** Entries of one range at most. */
  most(): number;
  fill(room: string, stretch: Stretch): Promise<Fetched>;
}

/** So few that what somebody writes meanwhile hardly waits behind them on a slow network. Larger ones are filled when looked at. */
const SMALL_HOLE_ENTRIES = 20;

export function createGapFiller({ db, rooms, isFree, most, fill }: Deps): GapFiller {
  const olders = new Map<string, number>();
  let isDue = false;
  let isFilling = false;

  function proceed(): void {
    if (!isDue || isFilling || !isFree()) return;
    isFilling = true;
    isDue = false;
    fillAll()
      .catch((error) => console.warn('gaps could not be filled', error))
      .finally(() => {
        isFilling = false;
        proceed();
      });
  }

  async function fillAll(): Promise<void> {
    const here = rooms();
    for (const room of [...here.filter((each) => olders.has(each)), ...here]) {
      for (;;) {
        const stretch = await lacking(room);
        if (!stretch) break;
        if (!isFree()) {
          isDue = true; // the end of what is under way, or the next connection, goes on
          return;
        }
        const fetched = await fill(room, stretch);
        if (fetched === 'lost') return; // the next connection tries again
        if (fetched !== 'held') break;
      }
    }
  }

  function lacking(room: string): Promise<Stretch | undefined> {
    return db.read(['log', 'logSpans', 'detached'], async (tx) => {
      const spans = await spansOf(tx, room);
      const older = olders.get(room);
      if (older !== undefined) {
        const [hole] = without({ from: older, to: cursorOf(spans) }, spans);
        if (hole && !(await showsEnough(tx, room)))
          return { from: hole.from, to: Math.min(hole.to, hole.from + most() - 1) };
        olders.delete(room);
      }
      const small = holesBetween(spans).findLast(({ from, to }) => to - from < SMALL_HOLE_ENTRIES);
      return small && { ...small, from: Math.max(small.from, small.to - most() + 1) };
    });
  }

  return {
    olderOf(room, older) {
      if (older === undefined) olders.delete(room);
      else olders.set(room, older);
    },
    look() {
      isDue = true;
    },
    proceed,
  };
}

async function showsEnough(tx: UserRead, room: string): Promise<boolean> {
  const shown = await linesBack(tx, room, Number.POSITIVE_INFINITY, WINDOW_PAGE_LINES);
  return shown.filter(isToRead).length >= MESSAGES_SHOWN_LEAST;
}

/** As the server counts for `older`. */
function isToRead(entry: Entry): boolean {
  return isMessage(entry) && !entry.deleted && !entry.unreadable;
}
