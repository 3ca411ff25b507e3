/**
 * Fetches missing entries of the logs: up to the head as soon as that is known, and in holes when the user looks at them.
 */
import type { Entry } from '../../../shared/entry.ts';
import type { Quote, Reactions, Users } from '../../../shared/protocol/index.ts';
import type { Clock, Timer } from '../../db/clock.ts';
import { isFull } from '../../db/failure.ts';
import { readCursor, readSpans } from '../../db/lookups.ts';
import type { UserDatabase } from '../../db/userDatabase.ts';
import { holeAbove, holeAt, holeBelow, missingRange, type OffsetRange, spanAt } from '../../records/spans.ts';
import { backoff } from '../../transport/backoff.ts';
import { isContiguous } from '../store/applyFrames.ts';
import { createHoleFiller } from './fillHoles.ts';
import type { RangeRequests } from './rangeRequests.ts';
import type { SyncSessions } from './syncSession.ts';
import { createUncoveredAcks } from './uncoveredAcks.ts';

export interface Fetcher {
  /** The server said that the head of a room is `head`, or at least `head` without `exactly`. */
  noteHead(room: string, head: number, exactly?: 'exactly'): void;
  headOf(room: string): number;
  /** After a welcome: its heads replace the known ones, and what was lost with the last connection is requested again. */
  connected(): void;
  /** Nothing is requested until the next welcome. */
  disconnected(): void;
  /** Fetches missing entries up to the head, one range at a time per room, with retries until they are stored (S2). */
  fetchUpToHead(room: string): void;
  /** The user is no longer a member. */
  leave(room: string): void;
  /** Fetches the part of a hole directly below `from`, or above `to`, unless it is stored. False if there is no hole, or no answer. */
  older(room: string, from: number): Promise<boolean>;
  newer(room: string, to: number): Promise<boolean>;
  /** Fetches the part of a hole around an entry, as a span of its own. False if there is no hole, or no answer. */
  around(room: string, offset: number): Promise<boolean>;
  /** `older`: where the newest messages below the catch-up begin, if the catch-up has too few to fill the screen. */
  expectOlder(room: string, older: number | undefined): void;
  /** Call it when the catch-up, or sending, may have ended: small holes, and rooms with few messages, are fetched with low priority. */
  fillHoles(): void;
  /** Fetches one own entry and its amendments, unless a span has covered it meanwhile (uncoveredAcks.ts). */
  check(room: string, serverOffset: number): void;
  isBusy(): boolean;
  close(): void;
}

export type FetchResult = 'held' | 'nothing' | 'lost' | 'refused';

interface Deps {
  db: UserDatabase;
  me: string;
  ranges: Pick<RangeRequests, 'request' | 'pieceEntries'>;
  sessions: Pick<SyncSessions, 'current' | 'inOrder' | 'storeAnswer'>;
  clock: Clock;
  random: () => number;
  /** A write to the database failed. */
  failed(error: unknown): void;
  /** The server cannot read the room: nothing is requested before the server describes it again. */
  isFailing(room: string): boolean;
  /** The server says that the user may not read the room. */
  refused(room: string): void;
  /** `isBusy` may have changed. */
  progressed(): void;
  /** A catch-up is running or announced. */
  isCatchingUp(): boolean;
  /** The outbox is sending. */
  isSending(): boolean;
  /** The part of a room's log that is on the screen; undefined if the room is not. */
  shown(room: string): OffsetRange | undefined;
}

type RoomRequest = { tag: 'running'; again: boolean } | { tag: 'waiting'; timer: Timer };

/** How much of a hole is fetched at once when it is on the screen. */
const HOLE_ENTRIES = 100;

export function createFetcher(deps: Deps): Fetcher {
  const { db, me, ranges, sessions, clock } = deps;
  const heads = new Map<string, number>();
  const requests = new Map<string, RoomRequest>();
  const failures = new Map<string, number>();
  const headOf = (room: string) => heads.get(room) ?? 0;
  const uncoveredAcks = createUncoveredAcks({
    db,
    me,
    sessions,
    headOf,
    pieceEntries: ranges.pieceEntries,
    fill: (...of) => fill(...of, false),
  });
  const holeFiller = createHoleFiller({
    db,
    rooms: () => [...heads.keys()].filter((room) => !deps.isFailing(room)),
    shown: deps.shown,
    isFree: () =>
      !closed &&
      sessions.current() !== undefined &&
      looked === 0 &&
      !deps.isCatchingUp() &&
      !deps.isSending(),
    most: ranges.pieceEntries,
    fill: async (room, range) => {
      const fetched = await fill(room, withOverlap(range, await holeOf(room, range.from)));
      if (fetched === 'refused') deps.refused(room);
      return fetched;
    },
  });
  /** Ranges under way that the person waits for. */
  let looked = 0;
  let closed = false;

  function noteHead(room: string, head: number, exactly?: 'exactly'): void {
    heads.set(room, exactly ? head : Math.max(head, headOf(room)));
  }

  function fetchUpToHead(room: string): void {
    const there = requests.get(room);
    if (there?.tag === 'running') there.again = true;
    if (there || closed || deps.isFailing(room)) return;
    const mine: RoomRequest = { tag: 'running', again: false };
    const session = sessions.current();
    requests.set(room, mine);
    void fetchMissing(room).then((fetched) => {
      requests.delete(room);
      if (closed) return;
      holeFiller.schedule();
      if (fetched !== 'lost') failures.delete(room);
      else if (session === sessions.current()) retryLater(room);
      if (fetched === 'refused') deps.refused(room);
      else if (mine.again) fetchUpToHead(room); // no effect while a retry is scheduled
      deps.progressed();
    });
  }

  /** A retry with backoff. An answer was lost while the connection lives, so no welcome will start another request (S2). */
  function retryLater(room: string): void {
    if (!sessions.current()) return;
    const count = failures.get(room) ?? 0;
    failures.set(room, count + 1);
    const timer = clock.setTimeout(
      () => {
        requests.delete(room);
        fetchUpToHead(room);
      },
      backoff(count, deps.random),
    );
    requests.set(room, { tag: 'waiting', timer });
  }

  async function fetchMissing(room: string): Promise<FetchResult> {
    for (;;) {
      try {
        const cursor = await db.read(['logSpans'], (tx) => readCursor(tx, room));
        const range = missingRange(cursor, headOf(room), ranges.pieceEntries());
        if (!range || closed) return 'held';
        deps.progressed();
        const fetched = await fill(room, range, true, (older) => holeFiller.expectOlder(room, older));
        if (fetched === 'lost' || fetched === 'refused') return fetched;
      } catch (error) {
        if (closed) return 'lost';
        deps.failed(error);
        return isFull(error) ? 'nothing' : 'lost';
      }
    }
  }

  /**
   * Fetches all of a range, with as many requests as it takes, and stores it in one transaction. Amendments are complete up
   * to the least head of the answers. If the range touches no span and does not `open` one, only detached entries are
   * stored. `onOlder` gets `older` of the first answer.
   */
  async function fill(
    room: string,
    { from, to }: OffsetRange,
    opens = true,
    onOlder: (older: number | undefined) => void = () => {},
  ): Promise<FetchResult> {
    const session = sessions.current();
    if (!session) return 'lost';
    const entries: Entry[] = [];
    const amendments: Entry[] = [];
    const users: Users = {};
    const quotes: Quote[] = [];
    const reactions: Reactions[] = [];
    let amendedTo = Number.POSITIVE_INFINITY;
    for (let head = to; from + entries.length <= Math.min(to, head); ) {
      const next = from + entries.length;
      const result = await ranges.request(session, room, { from: next, to });
      if (closed) return 'lost';
      if (result.tag !== 'answered') return result.tag;
      const { answer } = result;
      head = answer.head;
      amendedTo = Math.min(amendedTo, head);
      noteHead(room, head, head < next ? 'exactly' : undefined);
      if (head < next) break;
      if (!isContiguous(answer.entries, next)) return 'lost';
      if (next === from) onOlder(answer.older);
      entries.push(...answer.entries);
      amendments.push(...answer.amendments);
      quotes.push(...(answer.quotes ?? []));
      reactions.push(...(answer.reactions ?? []));
      Object.assign(users, answer.users);
    }
    if (entries.length === 0) return 'nothing';
    const held = await sessions.storeAnswer(
      session,
      { room, entries, amendments, amendedTo, opens, quotes, reactions },
      users,
    );
    return held || (!opens && sessions.current() === session) ? 'held' : 'lost';
  }

  function disconnected(): void {
    for (const [room, each] of requests) {
      if (each.tag === 'running') continue;
      clock.clearTimeout(each.timer);
      requests.delete(room);
    }
    failures.clear();
  }

  async function holeOf(room: string, offset: number): Promise<OffsetRange | undefined> {
    return holeAt(await db.read(['logSpans'], (tx) => readSpans(tx, room)), offset);
  }

  async function fillHole(room: string, range: OffsetRange | undefined): Promise<boolean> {
    if (!range) return false;
    looked++;
    const fetched = await fill(room, range).finally(() => void looked--);
    holeFiller.proceed();
    if (fetched === 'refused') deps.refused(room);
    return fetched === 'held';
  }

  function holeEntries(): number {
    return Math.min(HOLE_ENTRIES, ranges.pieceEntries());
  }

  return {
    noteHead,
    headOf,
    connected() {
      heads.clear();
      uncoveredAcks.checkAll();
      holeFiller.connected();
    },
    disconnected,
    fetchUpToHead,
    leave(room) {
      heads.delete(room);
      uncoveredAcks.leave(room);
    },
    async older(room, from) {
      const spans = await db.read(['logSpans'], (tx) => readSpans(tx, room));
      if (spanAt(spans, from - 1)) return true; // prefetched meanwhile
      const hole = holeBelow(spans, from);
      return fillHole(
        room,
        hole && withOverlap({ ...hole, from: Math.max(hole.from, hole.to - holeEntries() + 1) }, hole),
      );
    },
    async newer(room, to) {
      const spans = await db.read(['logSpans'], (tx) => readSpans(tx, room));
      if (spanAt(spans, to + 1)) return true;
      const hole = holeAbove(spans, to);
      return fillHole(
        room,
        hole && withOverlap({ ...hole, to: Math.min(hole.to, hole.from + holeEntries() - 1) }, hole),
      );
    },
    async around(room, offset) {
      const hole = await holeOf(room, offset);
      if (!hole) return false;
      const from = Math.max(hole.from, offset - (holeEntries() >> 1));
      const held = await fillHole(
        room,
        withOverlap({ from, to: Math.min(hole.to, from + holeEntries() - 1) }, hole),
      );
      holeFiller.schedule();
      holeFiller.proceed();
      return held;
    },
    expectOlder: holeFiller.expectOlder,
    fillHoles: holeFiller.proceed,
    check: uncoveredAcks.check,
    isBusy: () => requests.size > 0,
    close() {
      closed = true;
      disconnected();
    },
  };
}

/**
 * Extends a range at the bottom of a hole by the stored entry below it. If the server has another entry there, its data was
 * restored (S1).
 */
function withOverlap({ from, to }: OffsetRange, hole: OffsetRange | undefined): OffsetRange {
  return { from: from === hole?.from && from > 1 ? from - 1 : from, to };
}
