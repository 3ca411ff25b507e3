/** One room's conversation as it is looked at: a window over the database that follows what changes. */
import type { User } from '../../shared/protocol/index.ts';
import type { Clock } from '../db/clock.ts';
import type { UserDatabase } from '../db/schema.ts';
import type { Sync } from '../log/sync.ts';
import {
  AT_NEWEST,
  type Gap,
  type GapEdge,
  isHeld,
  type Place,
  placeAround,
  placeAtGap,
  placeNewer,
  placeOlder,
  type Window,
} from '../log/window.ts';
import { createCell, type Readable } from '../records/cell.ts';
import { backoff } from '../transport/backoff.ts';
import { coalesced } from './coalesced.ts';
import { LOOK_STORES, type Look, look } from './look.ts';
import { keyOf, messagesOf } from './messages.ts';
import type { ConversationState } from './model.ts';

export interface Conversation {
  state: Readable<ConversationState>;
  /** Reads again, if anybody looks. */
  refresh(): Promise<void>;
  loadOlder(): void;
  loadNewer(): void;
  /** Fetches a part of a gap: from its newer end downwards, or from its older end upwards. */
  loadBetween(gap: Gap, edge: GapEdge): void;
  /**
   * Places the window around an entry, fetched if it is not held. False where it is not to be had now, or somebody went
   * elsewhere meanwhile: the window stays where it is then.
   */
  jumpTo(offset: number): Promise<boolean>;
  toNewest(): Promise<void>;
  /** There is a connection again: what was stuck may be asked for. */
  live(): void;
}

type LiveSync = Pick<Sync, 'older' | 'newer' | 'around' | 'freshen'>;

interface Deps {
  db: UserDatabase;
  me: User;
  room: string;
  /** Asks for what is not held. Undefined while there is no connection. */
  liveSync(): LiveSync | undefined;
  clock: Clock;
  random: () => number;
}

export const EMPTY: ConversationState = {
  messages: [],
  gaps: [],
  atStart: false,
  atNewest: true,
  older: 'idle',
  between: 'idle',
  newSince: undefined,
  unseen: 0,
  loading: true,
};

type Edge = 'older' | 'between';

const LOG_STORES = ['log', 'logSpans', 'detached'] as const;

export function createConversation({ db, me, room, liveSync, clock, random }: Deps): Conversation {
  const state = createCell(EMPTY, (by) => {
    watched = by === 'somebody';
    opened = undefined;
    if (watched) void refresh();
    else if (place !== AT_NEWEST) forgetPlace();
  });
  let watched = false;
  let place: Place = AT_NEWEST;
  let looked: Look | undefined;
  const edges: Record<Edge, ConversationState[Edge]> = { older: 'idle', between: 'idle' };
  /** Ranges in a row that did not come over a living connection. */
  let failures = 0;
  /** How far was read, and how far the log went, when the conversation was opened. */
  let opened: { readUpTo: number; head: number } | undefined;
  /** Where the log ended when the window was there last. */
  let shownUpTo = 0;
  let moving = false;
  let waiting: { gap: Gap; edge: GapEdge } | undefined;
  /** How often somebody went to the newest. */
  let visits = 0;

  const refresh = coalesced(async () => {
    if (!watched) return;
    const asked = place;
    const seen = await db.read(LOOK_STORES, (tx) =>
      look(tx, { room, me: me.id, place: asked, before: looked, shownUpTo }),
    );
    if (place !== asked) return; // somebody went elsewhere meanwhile, and that is read next
    looked = seen;
    place = seen.window.place;
    publish(seen);
    const { lines, isAmended } = seen.window;
    if (!isAmended) freshen(lines);
  });

  function publish({ window, rows, changes, names, head, readUpTo, unseen }: Look): void {
    const { lines, span, cursor, reachesOldest } = window;
    const atNewest = window.place.tag === 'newest';
    if (readUpTo !== undefined) opened ??= { readUpTo, head };
    if (!reachesOldest && edges.older === 'stuck') edges.older = 'idle'; // it came by another way
    if (atNewest) shownUpTo = Math.max(cursor, lines.at(-1)?.serverOffset ?? 0);
    const nothingYet = reachesOldest && span === undefined && head > 0;
    state.set({
      messages: messagesOf({ lines, waiting: rows, changes, me, nameOf: (user) => names.get(user) ?? '' }),
      gaps: liveSync() ? window.gaps.filter(({ to }) => to < cursor) : window.gaps, // beyond it all comes by itself
      atStart: reachesOldest && window.olderFrom === undefined && !nothingYet,
      atNewest,
      older: nothingYet ? (liveSync() ? 'loading' : 'stuck') : edges.older,
      between: edges.between,
      newSince: newSince(window),
      unseen,
      loading: false,
    });
  }

  /** What is looked at may have been edited or deleted since it was held (S3); what that brings is a change like any. */
  function freshen(lines: Window['lines']): void {
    const [first, last] = [lines[0], lines.at(-1)];
    if (!first || !last) return;
    liveSync()
      ?.freshen(room, { from: first.serverOffset, to: last.serverOffset })
      .catch((error) => console.warn('what is looked at could not be asked about', error));
  }

  async function goOlder(): Promise<void> {
    const visit = visits;
    const before = looked?.window;
    if (!before) return;
    if (before.reachesOldest) {
      const { olderFrom } = before;
      if (olderFrom === undefined) return;
      if (!(await fetched('older', (sync) => sync.older(room, olderFrom)))) return;
    }
    const now = looked?.window;
    if (!now) return;
    await goTo(await db.read(LOG_STORES, (tx) => placeOlder(tx, room, now)), visit);
  }

  async function goNewer(): Promise<void> {
    const visit = visits;
    if (looked && place.tag !== 'newest') await goTo(placeNewer(looked.window), visit);
  }

  async function goBetween(gap: Gap, edge: GapEdge): Promise<void> {
    const window = looked?.window;
    if (!window) return;
    if (liveSync()) place = placeAtGap(window, gap, edge);
    await fetched('between', (sync) =>
      edge === 'upper' ? sync.older(room, gap.to + 1) : sync.newer(room, gap.from - 1),
    );
  }

  /** Resolves once what came is in the window. What did not come is asked for again, but not at once. */
  async function fetched(edge: Edge, ask: (sync: LiveSync) => Promise<boolean>): Promise<boolean> {
    const sync = liveSync();
    show(edge, sync ? 'loading' : 'stuck');
    const came = sync !== undefined && (await ask(sync).catch(() => false));
    // a gap loads until the step is over: the view asks for what is next then
    if (!came || edge === 'older') edges[edge] = came ? 'idle' : 'stuck';
    if (came) failures = 0;
    else if (liveSync()) clock.setTimeout(() => liveSync() && release(edge), backoff(failures++, random));
    await refresh();
    return came;
  }

  /** Unless somebody went to the newest meanwhile. */
  async function goTo(further: Place, since: number): Promise<void> {
    if (since !== visits) return;
    place = further;
    await refresh();
  }

  /** One step at a time; scrolling asks for many. */
  function move(step: () => Promise<void>): void {
    if (moving) return;
    moving = true;
    step()
      .catch((error) => console.warn('more messages could not be read', error))
      .finally(() => {
        moving = false;
        if (edges.between === 'loading') show('between', 'idle');
        const next = waiting;
        waiting = undefined;
        if (next && state.get().gaps.some(({ from, to }) => from === next.gap.from && to === next.gap.to))
          loadBetween(next.gap, next.edge);
      });
  }

  /** One that is asked for within a step is filled after it: the view asks once for each gap that it shows. */
  function loadBetween(gap: Gap, edge: GapEdge): void {
    if (moving) waiting = { gap, edge };
    else move(() => goBetween(gap, edge));
  }

  function show(edge: Edge, value: ConversationState[Edge]): void {
    edges[edge] = value;
    state.set({ ...state.get(), [edge]: value });
  }

  /** It may be asked for again: whoever is at that edge still will. */
  function release(edge: Edge): void {
    if (edges[edge] === 'stuck') show(edge, 'idle');
  }

  /** Undefined where the first unread one may lie further up, out of the window. */
  function newSince({ lines, gaps, reachesOldest, span }: Window): string | undefined {
    if (!opened) return undefined;
    const { readUpTo, head } = opened;
    const first = lines.findIndex(
      (line) => line.author !== me.id && line.serverOffset > readUpTo && line.serverOffset <= head,
    );
    const line = lines[first];
    const isFirst = first > 0 || (reachesOldest && span !== undefined && span.from <= readUpTo + 1); // else more may be new above the hole
    const isBehindGap = gaps.some(({ from, to }) => to > readUpTo && from < (line?.serverOffset ?? 0));
    return line && isFirst && !isBehindGap ? keyOf(line.author, line.clientOffset) : undefined;
  }

  function forgetPlace(): void {
    visits++;
    place = AT_NEWEST;
    looked = undefined;
    state.set(EMPTY);
  }

  async function jumpTo(offset: number): Promise<boolean> {
    const visit = ++visits;
    const held = () => db.read(LOG_STORES, (tx) => isHeld(tx, room, offset));
    if (!(await held()) && !((await liveSync()?.around(room, offset)) && (await held()))) return false;
    if (visit !== visits) return false;
    looked = undefined; // nothing of what was looked at has to stay in view
    place = placeAround(offset);
    await refresh();
    return true;
  }

  return {
    state,
    refresh,
    loadOlder: () => move(goOlder),
    loadNewer: () => move(goNewer),
    loadBetween,
    jumpTo,
    toNewest() {
      visits++;
      if (place.tag !== 'newest') place = AT_NEWEST;
      return refresh();
    },
    live() {
      failures = 0;
      release('older');
      release('between');
      void refresh();
    },
  };
}
