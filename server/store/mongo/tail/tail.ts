/**
 * Tails of the log on MongoDB, for the feed. Each tail is one change stream of inserts, so a process that tails once has one
 * stream. It delivers entries once each, majority-committed, in the order of the log (L2); where entries may be missing it
 * reports a gap. It also reports the heads of rooms to this process's writers, and entries with side effects to the repair.
 */
import type { Timestamp } from 'mongodb';
import type { Logger } from 'pino';
import { type Committed, type ResumePoint, type Tail, type TailListener, Unavailable } from '../../port.ts';
import type { EntryDocument, RoomHead } from '../append/commands.ts';
import { entryOf, timeOf } from '../base/entryDocuments.ts';
import type { StreamPosition } from './streamFailure.ts';
import { type ChangeSource, startStreamLoop, type TailClock } from './streamLoop.ts';

export interface Tails {
  open(from: ResumePoint | undefined, listener: TailListener): Promise<Tail>;
  /** This process was acknowledged an entry. A tail that does not deliver it within seconds has lost something. */
  expect(room: string, serverOffset: number): void;
  close(): void;
}

interface Deps {
  epoch: string;
  source: ChangeSource<EntryDocument, Timestamp>;
  /** Called with each delivered entry, in order; `by` is the process that inserted it, where it is known. */
  onHead: (room: string, newest: RoomHead, by: string | undefined) => void;
  /** Called with each batch of delivered documents. */
  onDocuments: (documents: readonly EntryDocument[]) => void;
  log: Pick<Logger, 'warn' | 'error'>;
  clock?: TailClock;
}

/** Normally an acknowledged entry arrives within milliseconds. */
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
      tails.add(tail); // not earlier: what was acknowledged until now may lie before its start
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
  { epoch, source, onHead, onDocuments, log, clock = wallClock }: Deps,
) {
  const watermarks = createWatermarks(clock.now);

  const loop = startStreamLoop<EntryDocument, Timestamp>(startOf(from, epoch), {
    source,
    clock,
    isMissing: () => watermarks.isOverdue(OVERDUE_MS),
    onRound({ changes, token }) {
      const fresh = changes.filter(
        (document) => isInALog(document) && watermarks.advance(document.room, document.serverOffset),
      );
      for (const document of fresh)
        onHead(document.room, { serverOffset: document.serverOffset, at: timeOf(document) }, document.by);
      onDocuments(fresh);
      if (fresh.length > 0) notify(() => listener.onBatch(fresh.map(committedOf), pointOf(epoch, token)));
    },
    onOpen(afterGap) {
      if (afterGap) watermarks.reset();
      else watermarks.restartWait();
      if (afterGap) notify(() => listener.onGap());
    },
    onFailure(error, nextFrom) {
      const what = nextFrom === 'same' ? 'resumes where it stopped' : 'resumes at the present, with a gap';
      log.warn({ err: error }, `the change stream failed; the tail ${what}`);
    },
  });

  /** An exception of a listener is its own bug and must not stop the tail. */
  function notify(listener: () => void) {
    try {
      listener();
    } catch (error) {
      log.error({ err: error }, 'a listener of the tail threw');
    }
  }

  return { opened: loop.opened, isLive: loop.isLive, expect: watermarks.expect, close: loop.close };
}

/**
 * Watermarks of a tail: per room, how far the stream has delivered, and which acknowledged entry it still has to deliver.
 * They drop duplicates, and show when a stream has lost something. Pure but for the clock.
 */
interface Watermarks {
  /** Advances the room's watermark. False for an entry at or below it, a duplicate: offsets of a room only rise (L2). */
  advance(room: string, serverOffset: number): boolean;
  /** This process was acknowledged this entry, so the stream must deliver it. */
  expect(room: string, serverOffset: number): void;
  /** True when an expected entry has been missing for `ms` milliseconds. */
  isOverdue(ms: number): boolean;
  /** Restarts the wait for every expected entry. */
  restartWait(): void;
  /** After a gap nothing is expected any more, and in a restored database offsets may start lower. */
  reset(): void;
}

/** Rooms with the least recent entries are dropped beyond this: a duplicate could pass there, and listeners drop it. */
const MAX_ROOMS = 20_000;

function createWatermarks(now: () => number): Watermarks {
  const delivered = new Map<string, number>();
  const expected = new Map<string, { serverOffset: number; since: number }>();

  function arrived(room: string, serverOffset: number) {
    const awaited = expected.get(room);
    if (!awaited) return;
    if (serverOffset >= awaited.serverOffset) expected.delete(room);
    else awaited.since = now(); // there is progress
  }

  return {
    advance(room, serverOffset) {
      if (serverOffset <= (delivered.get(room) ?? 0)) return false;
      delivered.delete(room); // inserted again, so that the map is in order of the last delivery
      delivered.set(room, serverOffset);
      if (delivered.size > MAX_ROOMS) delivered.delete(delivered.keys().next().value!);
      arrived(room, serverOffset);
      return true;
    },
    expect(room, serverOffset) {
      if (serverOffset <= (delivered.get(room) ?? 0)) return;
      const awaited = expected.get(room);
      if (!awaited) expected.set(room, { serverOffset, since: now() });
      else awaited.serverOffset = Math.max(awaited.serverOffset, serverOffset);
    },
    isOverdue: (ms) => [...expected.values()].some(({ since }) => now() - since >= ms),
    restartWait() {
      for (const awaited of expected.values()) awaited.since = now();
    },
    reset() {
      delivered.clear();
      expected.clear();
    },
  };
}

/** A resume point of another database, or a malformed one, means the present, with a gap. */
function startOf(
  from: ResumePoint | undefined,
  epoch: string,
): { position: StreamPosition<Timestamp>; afterGap: boolean } {
  const token = from === undefined ? undefined : tokenOf(from, epoch);
  return token === undefined
    ? { position: { tag: 'present' }, afterGap: from !== undefined }
    : { position: { tag: 'token', token }, afterGap: false };
}

/** The resume point after `token` in the database of this epoch. */
function pointOf(epoch: string, token: string): ResumePoint {
  return `${epoch}:${token}`;
}

/** Undefined for a point of another database, or one that is malformed. Whether the token is valid, the server decides. */
function tokenOf(point: ResumePoint, epoch: string): string | undefined {
  const [of, token, ...rest] = point.split(':');
  return of === epoch && token !== undefined && /^[0-9a-fA-F]+$/.test(token) && rest.length === 0
    ? token
    : undefined;
}

/** False for a document that somebody inserted by hand without a room or a serverOffset. */
function isInALog({ room, serverOffset }: EntryDocument): boolean {
  return typeof room === 'string' && Number.isSafeInteger(serverOffset);
}

function committedOf(document: EntryDocument): Committed {
  return { room: document.room, entry: entryOf(document) };
}

export const wallClock: TailClock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
