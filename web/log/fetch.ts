/** What the database lacks of the logs, asked for: up to the head as soon as that is known, in holes when looked at. */
import type { Entry } from '../../shared/entry.ts';
import type { Users } from '../../shared/protocol/index.ts';
import type { Clock, Timer } from '../db/clock.ts';
import { isFull } from '../db/failure.ts';
import type { UserDatabase } from '../db/schema.ts';
import { backoff } from '../transport/backoff.ts';
import type { Asking } from './asking.ts';
import type { Eras } from './era.ts';
import { createGapFiller } from './fillGaps.ts';
import { createPlaces } from './places.ts';
import { cursorIn, spansOf } from './readSpans.ts';
import { holeAbove, holeAt, holeBelow, missing, type Stretch } from './spans.ts';
import { isRun } from './take.ts';

export interface Fetch {
  /** The server said that a room goes so far: `exactly`, or that far at least. */
  know(room: string, head: number, exactly?: 'exactly'): void;
  headOf(room: string): number;
  /** A welcome: heads are told anew, and what was lost with the connection before may be asked again. */
  up(): void;
  /** Nothing is asked again until the next welcome says what is missing then. */
  down(): void;
  /** Fetches what is missing up to the head, in each room one range at a time, and again until it is here (S2). */
  want(room: string): void;
  /** One is not in it any more. */
  leave(room: string): void;
  /** Fetches what lies directly before `from`, or after `to`, in a hole. False when there was none, or no way. */
  older(room: string, from: number): Promise<boolean>;
  newer(room: string, to: number): Promise<boolean>;
  /** Fetches what lies around an entry, if a hole is there: a span of its own. False when there is none, or no way. */
  around(room: string, offset: number): Promise<boolean>;
  /** Where the newest ten messages before the catch-up of a room begin, if that has fewer and there are such. */
  expectOlder(room: string, older: number | undefined): void;
  /** The catch-up may be over: small holes, and messages for rooms that show hardly any, are fetched politely. */
  fillGaps(): void;
  /** Looks up what stands at one place and what changed it, if no span comes to cover it by itself. */
  check(room: string, serverOffset: number): void;
  isBusy(): boolean;
  close(): void;
}

export type Fetched = 'held' | 'nothing' | 'lost' | 'refused';

interface Deps {
  db: UserDatabase;
  me: string;
  asking: Pick<Asking, 'range' | 'count'>;
  eras: Pick<Eras, 'now' | 'next' | 'answer'>;
  clock: Clock;
  random: () => number;
  /** The database did not take something. */
  failed(error: unknown): void;
  /** Nothing is asked of it before the server describes it. */
  isFailing(room: string): boolean;
  /** The server says that a room is not ours. */
  refused(room: string): void;
  /** `isBusy` may have another answer. */
  progressed(): void;
  /** A catch-up is under way, or announced. */
  isCatchingUp(): boolean;
}

type Wanted = { tag: 'asking'; again: boolean } | { tag: 'resting'; timer: Timer };

/** How much of a hole is fetched at most when it is looked at. */
const HOLE_ENTRIES = 100;

export function createFetch(deps: Deps): Fetch {
  const { db, me, asking, eras, clock } = deps;
  const heads = new Map<string, number>();
  const wanted = new Map<string, Wanted>();
  const failures = new Map<string, number>();
  const headOf = (room: string) => heads.get(room) ?? 0;
  const places = createPlaces({
    db,
    me,
    eras,
    headOf,
    count: asking.count,
    fill: (...of) => fill(...of, false),
  });
  const gaps = createGapFiller({
    db,
    rooms: () => [...heads.keys()].filter((room) => !deps.isFailing(room)),
    isFree: () => !closed && eras.now() !== undefined && !deps.isCatchingUp(),
    most: asking.count,
    fill: async (room, stretch) => {
      const fetched = await fill(room, seam(stretch, await holeOf(room, stretch.from)));
      if (fetched === 'refused') deps.refused(room);
      return fetched;
    },
  });
  let closed = false;

  function know(room: string, head: number, exactly?: 'exactly'): void {
    heads.set(room, exactly ? head : Math.max(head, headOf(room)));
  }

  function want(room: string): void {
    const there = wanted.get(room);
    if (there?.tag === 'asking') there.again = true;
    if (there || closed || deps.isFailing(room)) return;
    const mine: Wanted = { tag: 'asking', again: false };
    const era = eras.now();
    wanted.set(room, mine);
    void fetchMissing(room).then((fetched) => {
      wanted.delete(room);
      if (closed) return;
      gaps.look();
      if (fetched !== 'lost') failures.delete(room);
      else if (era === eras.now()) rest(room);
      if (fetched === 'refused') deps.refused(room);
      else if (mine.again) want(room); // of no effect while it rests
      deps.progressed();
    });
  }

  /** Lost on a living connection: the heads are not told again, so nobody but us asks again (S2). */
  function rest(room: string): void {
    if (!eras.now()) return;
    const count = failures.get(room) ?? 0;
    failures.set(room, count + 1);
    const timer = clock.setTimeout(
      () => {
        wanted.delete(room);
        want(room);
      },
      backoff(count, deps.random),
    );
    wanted.set(room, { tag: 'resting', timer });
  }

  async function fetchMissing(room: string): Promise<Fetched> {
    for (;;) {
      try {
        const cursor = await db.read(['logSpans'], (tx) => cursorIn(tx, room));
        const stretch = missing(cursor, headOf(room), asking.count());
        if (!stretch || closed) return 'held';
        deps.progressed();
        const fetched = await fill(room, stretch, true, (older) => gaps.olderOf(room, older));
        if (fetched === 'lost' || fetched === 'refused') return fetched;
      } catch (error) {
        if (closed) return 'lost';
        deps.failed(error);
        return isFull(error) ? 'nothing' : 'lost';
      }
    }
  }

  /**
   * All of a stretch, in as many answers as it takes, stored at once: it knows what amends it up to the least head of them.
   * Unless it `opens` a span where it touches none, only what stands for itself is kept then.
   */
  async function fill(
    room: string,
    { from, to }: Stretch,
    opens = true,
    heard: (older: number | undefined) => void = () => {},
  ): Promise<Fetched> {
    const era = eras.now();
    if (!era) return 'lost';
    const entries: Entry[] = [];
    const amendments: Entry[] = [];
    const users: Users = {};
    let amendedTo = Number.POSITIVE_INFINITY;
    for (let head = to; from + entries.length <= Math.min(to, head); ) {
      const next = from + entries.length;
      const ranged = await asking.range(era, room, { from: next, to });
      if (closed) return 'lost';
      if (ranged.tag !== 'answered') return ranged.tag;
      const { answer } = ranged;
      head = answer.head;
      amendedTo = Math.min(amendedTo, head);
      know(room, head, head < next ? 'exactly' : undefined);
      if (head < next) break;
      if (!isRun(answer.entries, next)) return 'lost';
      if (next === from) heard(answer.older);
      entries.push(...answer.entries);
      amendments.push(...answer.amendments);
      Object.assign(users, answer.users);
    }
    if (entries.length === 0) return 'nothing';
    const held = await eras.answer(era, { room, entries, amendments, amendedTo, opens }, users);
    return held || (!opens && eras.now() === era) ? 'held' : 'lost';
  }

  function down(): void {
    for (const [room, each] of wanted) {
      if (each.tag === 'asking') continue;
      clock.clearTimeout(each.timer);
      wanted.delete(room);
    }
    failures.clear();
  }

  async function holeOf(room: string, offset: number): Promise<Stretch | undefined> {
    return holeAt(await db.read(['logSpans'], (tx) => spansOf(tx, room)), offset);
  }

  async function fillHole(room: string, stretch: Stretch | undefined): Promise<boolean> {
    if (!stretch) return false;
    const fetched = await fill(room, stretch);
    if (fetched === 'refused') deps.refused(room);
    return fetched === 'held';
  }

  function most(): number {
    return Math.min(HOLE_ENTRIES, asking.count());
  }

  return {
    know,
    headOf,
    up() {
      heads.clear();
      places.lookAtAll();
      gaps.look();
    },
    down,
    want,
    leave(room) {
      heads.delete(room);
      places.leave(room);
    },
    async older(room, from) {
      const hole = holeBelow(await db.read(['logSpans'], (tx) => spansOf(tx, room)), from);
      return fillHole(room, hole && seam({ ...hole, from: Math.max(hole.from, hole.to - most() + 1) }, hole));
    },
    async newer(room, to) {
      const hole = holeAbove(await db.read(['logSpans'], (tx) => spansOf(tx, room)), to);
      return fillHole(room, hole && seam({ ...hole, to: Math.min(hole.to, hole.from + most() - 1) }, hole));
    },
    async around(room, offset) {
      const hole = await holeOf(room, offset);
      if (!hole) return false;
      const from = Math.max(hole.from, offset - (most() >> 1));
      const held = await fillHole(room, seam({ from, to: Math.min(hole.to, from + most() - 1) }, hole));
      gaps.look();
      gaps.proceed();
      return held;
    },
    expectOlder: gaps.olderOf,
    fillGaps: gaps.proceed,
    check: places.check,
    isBusy: () => wanted.size > 0,
    close() {
      closed = true;
      down();
    },
  };
}

/** With the last one below the hole, which is held: if that is another one now, the log was put back unseen (S1). */
function seam({ from, to }: Stretch, hole: Stretch | undefined): Stretch {
  return { from: from === hole?.from && from > 1 ? from - 1 : from, to };
}
