/** One room's conversation as it is looked at: a window over the database that follows what changes. */
import type { User } from '../../shared/protocol/index.ts';
import type { UserDatabase } from '../db/schema.ts';
import type { Sync } from '../log/sync.ts';
import { AT_NEWEST, type Place, placeNewer, placeOlder, readWindow, type Window } from '../log/window.ts';
import { heldTargets } from '../outbox/held.ts';
import { createCell } from './cell.ts';
import { coalesced } from './coalesced.ts';
import { keyOf, messagesOf } from './messages.ts';
import type { ConversationState, Readable } from './model.ts';
import { countOthers, readUpToOf } from './unread.ts';

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

const STORES = ['rooms', 'users', 'rows', 'entries', 'spans', 'loose', 'marks'] as const;

export function createConversation({ db, me, room, sync, isLive }: Deps): Conversation {
  const state = createCell(EMPTY, (by) => {
    watched = by === 'somebody';
    opened = undefined;
    if (watched) void refresh();
    else if (place !== AT_NEWEST) forgetPlace();
  });
  let watched = false;
  let place: Place = AT_NEWEST;
  let window: Window | undefined;
  let older: ConversationState['older'] = 'idle';
  let newer: ConversationState['newer'] = 'idle';
  /** How far was read, and how far the log went, when the conversation was opened. */
  let opened: { readUpTo: number; head: number } | undefined;
  /** The newest that was in a window at the end. */
  let shownUpTo = 0;
  let moving = false;
  /** How often somebody went to the newest. */
  let visits = 0;

  const refresh = coalesced(async () => {
    if (!watched) return;
    const read = await db.read(STORES, async (tx) => {
      const seen = await readWindow(tx, room, place);
      const names = new Map<string, string>();
      for (const author of new Set(seen.lines.map((line) => line.author))) {
        names.set(author, (await tx.objectStore('users').get(author))?.name ?? '');
      }
      const rows = await tx.objectStore('rows').index('room').getAll(room);
      const held = await heldTargets(tx, rows);
      const stored = await tx.objectStore('rooms').get(room);
      const head = stored?.head ?? 0;
      const readUpTo = stored && (await readUpToOf(tx, stored));
      const unseen = seen.place.tag === 'newest' ? 0 : await countOthers(tx, room, me.id, shownUpTo);
      return { seen, names, rows: rows.sort((a, b) => a.seq - b.seq), held, head, readUpTo, unseen };
    });
    window = read.seen;
    place = read.seen.place;
    const atNewest = place.tag === 'newest';
    if (read.readUpTo !== undefined) opened ??= { readUpTo: read.readUpTo, head: read.head };
    if (atNewest) shownUpTo = Math.max(shownUpTo, ...window.lines.map((line) => line.serverOffset));
    const nothingYet = window.span === undefined && read.head > 0;
    state.set({
      messages: messagesOf({
        lines: window.lines,
        rows: read.rows,
        heldTargets: read.held,
        me,
        nameOf: (user) => read.names.get(user) ?? '',
        atEnd: atNewest,
        limit: Number.POSITIVE_INFINITY,
      }),
      atStart: window.reachesOldest && (window.span?.from ?? 1) === 1 && !nothingYet,
      atNewest,
      older: nothingYet ? (isLive() ? 'loading' : 'stuck') : older,
      newer,
      newSince: newSince(window),
      unseen: read.unseen,
      loading: false,
    });
    if (isLive()) freshen(window.lines);
  });

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
    if (!window?.span) return;
    if (window.reachesOldest) {
      if (window.span.from === 1) return;
      showOlder(isLive() ? 'loading' : 'stuck');
      const fetched = isLive() && (await sync.older(room, window.span.from));
      older = fetched ? 'idle' : 'stuck';
      await refresh();
      if (!fetched) return;
    }
    const seen = window;
    const further = await db.read(['entries'], (tx) => placeOlder(tx, room, seen));
    await goTo(further, visit);
  }

  async function goNewer(): Promise<void> {
    const visit = visits;
    if (!window?.span || place.tag === 'newest') return;
    if (window.reachesNewest) {
      showNewer(isLive() ? 'loading' : 'stuck');
      const fetched = isLive() && (await sync.newer(room, window.span.to));
      newer = fetched ? 'idle' : 'stuck';
      await refresh();
      if (!fetched) return;
    }
    await goTo(placeNewer(window), visit);
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

  function showOlder(value: ConversationState['older']): void {
    older = value;
    state.set({ ...state.get(), older });
  }

  function showNewer(value: ConversationState['newer']): void {
    newer = value;
    state.set({ ...state.get(), newer });
  }

  /** Undefined where the first unread one may lie further up, out of the window. */
  function newSince({ lines, reachesOldest }: Window): string | undefined {
    if (!opened) return undefined;
    const { readUpTo, head } = opened;
    const first = lines.findIndex(
      (line) => line.author !== me.id && line.serverOffset > readUpTo && line.serverOffset <= head,
    );
    const line = lines[first];
    return line && (first > 0 || reachesOldest) ? keyOf(line.author, line.clientOffset) : undefined;
  }

  function forgetPlace(): void {
    visits++;
    place = AT_NEWEST;
    window = undefined;
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
      if (older === 'stuck') showOlder('idle');
      if (newer === 'stuck') showNewer('idle');
      void refresh();
    },
  };
}
