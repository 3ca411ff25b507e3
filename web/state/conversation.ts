/** One room's conversation as it is looked at: a window over the database that follows what changes. */
import type { User } from '../../shared/protocol/index.ts';
import type { Clock } from '../db/clock.ts';
import type { UserDatabase } from '../db/schema.ts';
import type { Quiet } from '../log/quiet.ts';
import type { Sync } from '../log/sync.ts';
import { AT_NEWEST, type Place, placeNewer, placeOlder, type Window } from '../log/window.ts';
import { backoff } from '../transport/backoff.ts';
import { createCell } from './cell.ts';
import { coalesced } from './coalesced.ts';
import { LOOK_STORES, type Look, look } from './look.ts';
import { keyOf, messagesOf } from './messages.ts';
import type { ConversationState, Readable } from './model.ts';

export interface Conversation {
  state: Readable<ConversationState>;
  /** Reads again, if anybody looks. */
  refresh(): Promise<void>;
  loadOlder(): void;
  loadNewer(): void;
  toNewest(): Promise<void>;
  /** There is a connection again: what was stuck may be asked for. */
  live(): void;
}

interface Deps {
  db: UserDatabase;
  me: User;
  room: string;
  sync: Pick<Sync, 'older' | 'newer' | 'freshen'>;
  isLive: () => boolean;
  clock: Clock;
  random: () => number;
}

export const EMPTY: ConversationState = {
  messages: [],
  atStart: false,
  atNewest: true,
  older: 'idle',
  newer: 'idle',
  newSince: undefined,
  unseen: 0,
  loading: true,
};

type Edge = 'older' | 'newer';

export function createConversation({ db, me, room, sync, isLive, clock, random }: Deps): Conversation {
  const state = createCell(EMPTY, (by) => {
    watched = by === 'somebody';
    opened = undefined;
    if (watched) void refresh();
    else if (place !== AT_NEWEST) forgetPlace();
  });
  let watched = false;
  let place: Place = AT_NEWEST;
  let looked: Look | undefined;
  const quiet: Quiet = { stretches: [] };
  const edges: Record<Edge, ConversationState[Edge]> = { older: 'idle', newer: 'idle' };
  /** Ranges in a row that did not come over a living connection. */
  let failures = 0;
  /** How far was read, and how far the log went, when the conversation was opened. */
  let opened: { readUpTo: number; head: number } | undefined;
  /** Where the log ended when the window was there last. */
  let shownUpTo = 0;
  let moving = false;
  /** How often somebody went to the newest. */
  let visits = 0;

  const refresh = coalesced(async () => {
    if (!watched) return;
    const asked = place;
    const seen = await db.read(LOOK_STORES, (tx) =>
      look(tx, { room, me: me.id, place: asked, before: looked, shownUpTo, quiet }),
    );
    if (place !== asked) return; // somebody went elsewhere meanwhile, and that is read next
    looked = seen;
    place = seen.window.place;
    publish(seen);
    const { lines, isAmended } = seen.window;
    if (isLive() && !isAmended) freshen(lines);
  });

  function publish({ window, rows, changes, names, head, readUpTo, unseen }: Look): void {
    const { lines, span, reachesOldest } = window;
    const atNewest = window.place.tag === 'newest';
    if (readUpTo !== undefined) opened ??= { readUpTo, head };
    if (!reachesOldest && edges.older === 'stuck') edges.older = 'idle'; // it came by another way
    if (atNewest) shownUpTo = Math.max(span?.to ?? 0, lines.at(-1)?.serverOffset ?? 0);
    const nothingYet = reachesOldest && span === undefined && head > 0;
    state.set({
      messages: messagesOf({ lines, waiting: rows, changes, me, nameOf: (user) => names.get(user) ?? '' }),
      atStart: reachesOldest && (span?.from ?? 1) === 1 && !nothingYet,
      atNewest,
      older: nothingYet ? (isLive() ? 'loading' : 'stuck') : edges.older,
      newer: edges.newer,
      newSince: newSince(window),
      unseen,
      loading: false,
    });
  }

  /** What is looked at may have been edited or deleted since it was held (S3); what that brings is a change like any. */
  function freshen(lines: Window['lines']): void {
    const [first, last] = [lines[0], lines.at(-1)];
    if (!first || !last) return;
    sync
      .freshen(room, { from: first.serverOffset, to: last.serverOffset })
      .catch((error) => console.warn('what is looked at could not be asked about', error));
  }

  async function goOlder(): Promise<void> {
    const visit = visits;
    const before = looked?.window;
    if (!before) return;
    if (before.reachesOldest) {
      const { span } = before;
      if (!span || span.from === 1) return;
      if (!(await fetched('older', () => sync.older(room, span.from)))) return;
    }
    const now = looked?.window;
    if (!now) return;
    await goTo(await db.read(['log', 'logSpans', 'detached'], (tx) => placeOlder(tx, room, now)), visit);
  }

  async function goNewer(): Promise<void> {
    const visit = visits;
    const before = looked?.window;
    if (!before || place.tag === 'newest') return;
    const { span, reachesNewest } = before;
    if (reachesNewest && span && !(await fetched('newer', () => sync.newer(room, span.to)))) return;
    if (looked) await goTo(placeNewer(looked.window), visit);
  }

  /** Resolves once what came is in the window. What did not come is asked for again, but not at once. */
  async function fetched(edge: Edge, ask: () => Promise<boolean>): Promise<boolean> {
    show(edge, isLive() ? 'loading' : 'stuck');
    const came = isLive() && (await ask().catch(() => false));
    edges[edge] = came ? 'idle' : 'stuck';
    if (came) failures = 0;
    else if (isLive()) clock.setTimeout(() => isLive() && release(edge), backoff(failures++, random));
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
      .catch((error) => console.warn('older or newer messages could not be read', error))
      .finally(() => {
        moving = false;
      });
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
  function newSince({ lines, reachesOldest, span }: Window): string | undefined {
    if (!opened) return undefined;
    const { readUpTo, head } = opened;
    const first = lines.findIndex(
      (line) => line.author !== me.id && line.serverOffset > readUpTo && line.serverOffset <= head,
    );
    const line = lines[first];
    const isFirst = first > 0 || (reachesOldest && span !== undefined && span.from <= readUpTo + 1); // else more may be new above the hole
    return line && isFirst ? keyOf(line.author, line.clientOffset) : undefined;
  }

  function forgetPlace(): void {
    visits++;
    place = AT_NEWEST;
    looked = undefined;
    state.set(EMPTY);
  }

  return {
    state,
    refresh,
    loadOlder: () => move(goOlder),
    loadNewer: () => move(goNewer),
    toNewest() {
      visits++;
      if (place.tag !== 'newest') place = AT_NEWEST;
      return refresh();
    },
    live() {
      failures = 0;
      release('older');
      release('newer');
      void refresh();
    },
  };
}
