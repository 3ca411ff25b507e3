/**
 * The tail: each is one change stream of inserts, so a process that tails once has one. What it brings is majority-
 * committed and in the order of the log (L2). It also tells the writers of this process how far the rooms are, and
 * repairs what a dead one left unfinished.
 */
import type { Timestamp } from 'mongodb';
import type { Logger } from 'pino';
import { type Committed, type ResumePoint, type Tail, type TailListener, Unavailable } from '../port.ts';
import type { EntryDocument, Head } from './append/commands.ts';
import { entryOf, timeOf } from './entry.ts';
import { type ChangeSource, type Clock, startLoop } from './tailLoop.ts';
import { type Place, pointOf, tokenOf } from './tailPlace.ts';
import { createRepair, type EntryPlace } from './tailRepair.ts';
import { createWatermarks } from './tailWatermarks.ts';

export interface Tails {
  open(from: ResumePoint | undefined, listener: TailListener): Promise<Tail>;
  /** This process was acknowledged an entry: a tail that does not bring it in a few seconds is not well. */
  expect(room: string, serverOffset: number): void;
  close(): void;
}

interface Deps {
  epoch: string;
  source: ChangeSource<EntryDocument, Timestamp>;
  /** Told of each room's newest entry. */
  onHead: (room: string, newest: Head, by: string | undefined) => void;
  /** Looks which of these entries are still unfinished, and finishes them. */
  finish: (entries: readonly EntryPlace[]) => Promise<unknown>;
  log: Pick<Logger, 'warn' | 'error'>;
  clock?: TailClock;
}

export type TailClock = Clock & { now(): number };

/** An acknowledged entry is heard within milliseconds. */
export const OVERDUE_MS = 5_000;

export function createTails(deps: Deps): Tails {
  const tails = new Set<ReturnType<typeof tailFrom>>();

  return {
    async open(from, listener) {
      const tail = tailFrom(from, listener, deps);
      try {
        await tail.opened;
      } catch (error) {
        throw new Unavailable(`The tail could not be opened: ${(error as Error).message}`);
      }
      tails.add(tail); // not before: what was acknowledged until now may lie before its beginning
      return {
        isOpen: tail.isLive,
        close: async () => {
          tails.delete(tail);
          tail.close();
        },
      };
    },
    expect: (room, serverOffset) => tails.forEach((tail) => void tail.expect(room, serverOffset)),
    close() {
      for (const tail of tails) tail.close();
      tails.clear();
    },
  };
}

function tailFrom(
  from: ResumePoint | undefined,
  listener: TailListener,
  { epoch, source, onHead, finish, log, clock = wallClock }: Deps,
) {
  const marks = createWatermarks(clock.now);
  const repair = createRepair({ finish, clock });

  const loop = startLoop<EntryDocument, Timestamp>(startOf(from, epoch), {
    source,
    clock,
    isMissing: () => marks.isOverdue(OVERDUE_MS),
    onRound({ changes, token }) {
      const fresh = changes.filter(
        (document) => hasPlace(document) && marks.pass(document.room, document.serverOffset),
      );
      for (const document of fresh)
        onHead(document.room, { serverOffset: document.serverOffset, at: timeOf(document) }, document.by);
      repair.heard(fresh);
      if (fresh.length > 0) tell(() => listener.onBatch(fresh.map(committedOf), pointOf(epoch, token)));
    },
    onOpen(afterGap) {
      if (afterGap) marks.reset();
      else marks.wait();
      if (afterGap) tell(() => listener.onGap());
    },
    onFailure(error, nextFrom) {
      const what = nextFrom === 'same' ? 'goes on where it was' : 'goes on at the present, with a gap';
      log.warn({ err: error }, `the tail broke off; it ${what}`);
    },
  });

  /** A listener that throws is a mistake of its own and not one of the tail. */
  function tell(listener: () => void) {
    try {
      listener();
    } catch (error) {
      log.error({ err: error }, 'a listener of the tail threw');
    }
  }

  return {
    opened: loop.opened,
    isLive: loop.isLive,
    expect: marks.expect,
    close() {
      loop.close();
      repair.close();
    },
  };
}

/** A point that is none of this database's means the present. */
function startOf(
  from: ResumePoint | undefined,
  epoch: string,
): { place: Place<Timestamp>; afterGap: boolean } {
  const token = from === undefined ? undefined : tokenOf(from, epoch);
  return token === undefined
    ? { place: { tag: 'present' }, afterGap: from !== undefined }
    : { place: { tag: 'token', token }, afterGap: false };
}

/** Not one that somebody put there by hand without a room or a number: it is in nobody's log. */
function hasPlace({ room, serverOffset }: EntryDocument): boolean {
  return typeof room === 'string' && Number.isSafeInteger(serverOffset);
}

function committedOf(document: EntryDocument): Committed {
  return { room: document.room, entry: entryOf(document) };
}

const wallClock: TailClock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
