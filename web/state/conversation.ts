/**
 * One room's conversation on the screen: a window over what the database holds of the log and the outbox. It is read
 * again after each change, and asks the sync for entries that are not held.
 */
import type { User } from '../../shared/protocol/index.ts';
import type { Clock } from '../db/clock.ts';
import { coalesceCalls } from '../db/coalesceCalls.ts';
import { type ScreenReader, shareReads } from '../db/shareReads.ts';
import type { UserDatabase, UserRead, UserWrite } from '../db/userDatabase.ts';
import type { Sync } from '../log/fetch/sync.ts';
import type { WindowMoves } from '../log/read/moveWindow.ts';
import { type RoomOpening, readOpening } from '../log/read/opening.ts';
import {
  AT_NEWEST,
  anchorAround,
  type Gap,
  type GapEdge,
  isStored,
  type Window,
  type WindowAnchor,
} from '../log/read/window.ts';
import { createCell, type Readable } from '../records/cell.ts';
import { reuse, reuseElements, reuseFields } from '../records/reuse.ts';
import { asAttempted, type Row } from '../records/row.ts';
import type { SavedPlace } from '../records/storedRecords.ts';
import { backoff } from '../transport/backoff.ts';
import { messagesOf } from './messages.ts';
import type { ConversationState, Message } from './model.ts';
import { readSnapshot, SNAPSHOT_STORES, type Snapshot } from './readSnapshot.ts';

export interface ConversationModel {
  state: Readable<ConversationState>;
  /** Reads again, if there are subscribers. */
  refresh(): Promise<void>;
  /** The rows with these keys are being sent: shows that, without a read if what is shown has been read. */
  attempted(keys: readonly string[]): Promise<void>;
  /** Moves the window by so many lines. */
  loadOlder(lines: number): void;
  loadNewer(lines: number): void;
  /** Fetches part of a gap: from its newer end downwards, or from its older end upwards. */
  loadBetween(gap: Gap, edge: GapEdge): void;
  /**
   * Places the window around an entry, which is fetched if it is not held. False where it cannot be had now, or the
   * person has moved the window meanwhile: then the window stays where it is. `place`: of the line on the screen.
   */
  jumpTo(offset: number, place?: SavedPlace): Promise<boolean>;
  toNewest(): Promise<void>;
  /** The newest text of one's own, among the newest OWN_SOUGHT_LINES of what is stored. */
  newestOwn(): Promise<Message | undefined>;
  /** Where the person is; undefined: at the newest message. The next opening is there. */
  leaveAt(place: SavedPlace | undefined): void;
  /** There is a connection again: an edge that was stuck may be requested again. */
  live(): void;
  /** The engine is loaded: reads what replies quote, and who joined and left. */
  loaded(): void;
}

type LiveSync = Pick<Sync, 'older' | 'newer' | 'around' | 'freshen'>;

export interface ConversationDeps {
  db: UserDatabase;
  /** Reads together with the other views. */
  shared?: ScreenReader;
  me: User;
  room: string;
  /** The users whose texts are not shown. */
  blocked?: () => readonly string[];
  /** Asks for what is not held. Undefined while there is no connection. */
  liveSync(): LiveSync | undefined;
  /** Undefined until the engine is loaded: until then the window does not move. */
  moves(): WindowMoves | undefined;
  clock: Clock;
  random: () => number;
}

export const EMPTY: ConversationState = {
  messages: [],
  gaps: [],
  memberships: [],
  atStart: false,
  atNewest: true,
  older: 'idle',
  between: 'idle',
  above: undefined,
  readUpTo: Number.POSITIVE_INFINITY,
  completeFrom: Number.POSITIVE_INFINITY,
  opening: { left: undefined },
  loading: true,
  logGeneration: 0,
};

/** How far back the own message that Arrow Up edits is looked for: reading them takes a slow phone some 100 ms. */
const OWN_SOUGHT_LINES = 500;

type Edge = 'older' | 'between';

/** `next`, with the messages of `before` that did not change; `before` if nothing changed. */
export function reuseMessages(before: ConversationState, next: ConversationState): ConversationState {
  const messages = reuseElements(before.messages, next.messages, ({ key }) => key);
  return reuseFields(before, { ...next, messages });
}

const LOG_STORES = ['log', 'logSpans', 'detached'] as const;
const OPENING_STORES = [...SNAPSHOT_STORES, 'meta'] as const;

export function createConversation({
  db,
  shared = shareReads(db),
  me,
  blocked,
  room,
  liveSync,
  moves,
  clock,
  random,
}: ConversationDeps): ConversationModel {
  const state = createCell(EMPTY, (by) => {
    watched = by === 'somebody';
    if (watched) void refresh();
    else forget();
  });
  let watched = false;
  /** Undefined until the room is read: that decides where it opens. */
  let anchor: WindowAnchor | undefined;
  let latest: Snapshot | undefined;
  let logGeneration: number | undefined;
  const edges: Record<Edge, ConversationState[Edge]> = { older: 'idle', between: 'idle' };
  /** Requests in a row that failed although there was a connection. */
  let failures = 0;
  let opening = EMPTY.opening;
  /** The first unread message when the room was opened. */
  let unread: RoomOpening['unread'];
  /** The first unread entry, while it has to be fetched and the person has not moved. */
  let missing: number | undefined;
  /** Where the person was last; undefined until that is known, as JSON. Empty at the newest message. */
  let left: string | undefined;
  /** The newest entry of the log when the window was last at the newest; 0 if the window is to go there from anywhere. */
  let shownUpTo = 0;
  let moving = false;
  let waiting: { gap: Gap; edge: GapEdge } | undefined;
  /** Counts jumps of the window. A step that began before a jump does not move the window any more. */
  let jumps = 0;

  const refresh = coalesceCalls(async () => {
    while (watched && !(await readAndPublish()));
  });

  /** False if the window has to be read again, at another anchor. */
  async function readAndPublish(): Promise<boolean> {
    const wanted = anchor;
    const [snapshot, opened] = wanted
      ? [await shared((tx) => readAt(tx, wanted))]
      : await db.read(OPENING_STORES, async (tx) => {
          left ??= (await tx.objectStore('meta').get(`place in ${room}`)) ?? '';
          const opened = await readOpening(tx, room, me.id, left === '' ? undefined : JSON.parse(left));
          return [await readAt(tx, opened.anchor), opened] as const;
        });
    if (anchor !== wanted) return true; // the window was moved meanwhile, and is read again for that
    const isOtherLog = logGeneration !== undefined && logGeneration !== snapshot.logGeneration;
    logGeneration = snapshot.logGeneration;
    if (isOtherLog) {
      forgetPlaces();
      return false;
    }
    if (opened) openAt(opened);
    else if (isLeftBehind(snapshot)) {
      anchor = anchorAround(shownUpTo);
      shownUpTo = 0;
      return false;
    }
    latest = snapshot;
    anchor = snapshot.window.anchor;
    publish(snapshot);
    const { lines, isAmended } = snapshot.window;
    if (!isAmended) freshen(lines);
    return true;
  }

  function readAt(tx: UserRead, at: WindowAnchor): Promise<Snapshot> {
    return readSnapshot(tx, { room, me: me.id, anchor: at, before: latest, moves: moves() });
  }

  function openAt(opened: RoomOpening): void {
    opening = { left: opened.place };
    ({ unread, missing } = opened);
    fetchUnread();
  }

  /**
   * So many messages came that the last one the person had on the screen is not among the newest ones: the window stays
   * with it. With own messages at the end that wait to be sent, the person is at those.
   */
  function isLeftBehind({ window }: Snapshot): boolean {
    const first = window.lines[0]?.serverOffset ?? 0;
    return window.anchor.tag === 'newest' && shownUpTo > 0 && first > shownUpTo && latest?.rows.length === 0;
  }

  /** Fetches the first unread entry, and opens the room there if the person has not moved meanwhile. */
  function fetchUnread(): void {
    if (missing !== undefined && liveSync()) jumpTo(missing).catch(() => {}); // tried again with the next connection
  }

  /** The next read decides where the room opens. */
  function openAgain(): void {
    jumps++;
    anchor = undefined;
    latest = undefined;
    missing = undefined;
    shownUpTo = 0;
  }

  function publish(snapshot: Snapshot): void {
    const { window, head, readUpTo } = snapshot;
    const { lines, span, cursor, reachesOldest } = window;
    const atNewest = window.anchor.tag === 'newest';
    if (!reachesOldest && edges.older === 'stuck') edges.older = 'idle'; // the entries arrived otherwise
    if (atNewest) shownUpTo = Math.max(cursor, lines.at(-1)?.serverOffset ?? 0);
    const nothingYet = reachesOldest && span === undefined && head > 0;
    const gaps = liveSync() ? window.gaps.filter(({ to }) => to < cursor) : window.gaps; // beyond the cursor the catch-up brings everything
    set({
      messages: messagesIn(snapshot),
      above: window.above,
      gaps: reuse(state.get().gaps, gaps),
      memberships: reuse(state.get().memberships, snapshot.memberships),
      atStart: reachesOldest && window.olderFrom === undefined && !nothingYet,
      atNewest,
      older: nothingYet ? (liveSync() ? 'loading' : 'stuck') : edges.older,
      between: edges.between,
      readUpTo,
      completeFrom: completeFrom(window),
      opening,
      loading: false,
      logGeneration: snapshot.logGeneration,
    });
  }

  function messagesIn({ window: { lines }, rows, names, ...snapshot }: Snapshot): Message[] {
    const nameOf = (user: string) => names.get(user) ?? '';
    return messagesOf({ ...snapshot, lines, waiting: rows, me, nameOf, blocked: blocked?.() });
  }

  function set(next: ConversationState): void {
    state.set(reuseMessages(state.get(), next));
  }

  /** Where the opening has found the first unread message, everything above that is as good as in the window. */
  function completeFrom({ lines, span, reachesOldest }: Window): number {
    const first = lines[0]?.serverOffset ?? Number.POSITIVE_INFINITY;
    if (unread && first <= unread.first) return Math.min(first, unread.after + 1);
    return reachesOldest && span ? span.from : first;
  }

  /**
   * The lines may have been edited or deleted since they were stored (S3). Amendments that come are announced like any
   * change.
   */
  function freshen(lines: Window['lines']): void {
    const [first, last] = [lines[0], lines.at(-1)];
    if (!first || !last) return;
    liveSync()
      ?.freshen(room, { from: first.serverOffset, to: last.serverOffset })
      .catch((error) => console.warn('amendments could not be fetched', error));
  }

  async function goOlder(lines: number): Promise<void> {
    const jump = jumps;
    const before = latest?.window;
    if (!before) return;
    if (before.reachesOldest) {
      const { olderFrom } = before;
      if (olderFrom === undefined) return;
      if (!(await fetched('older', (sync) => sync.older(room, olderFrom)))) return;
    }
    const now = latest?.window;
    const anchorOlder = moves()?.anchorOlder;
    if (!now || !anchorOlder) return;
    await goTo(await db.read(LOG_STORES, (tx) => anchorOlder(tx, room, now, lines)), jump);
  }

  async function goNewer(lines: number): Promise<void> {
    const next = anchor?.tag !== 'newest' && latest && moves()?.anchorNewer(latest.window, lines);
    if (next) await goTo(next, jumps);
  }

  async function goBetween(gap: Gap, edge: GapEdge): Promise<void> {
    const window = latest?.window;
    if (!window) return;
    // not while a jump is not on the screen yet, but the gap still is: it would be undone
    if (liveSync() && window.anchor === anchor) anchor = moves()!.anchorAtGap(window, gap, edge);
    await fetched('between', (sync) =>
      edge === 'upper' ? sync.older(room, gap.to + 1) : sync.newer(room, gap.from - 1),
    );
  }

  /**
   * Resolves once the answer is in the window. Without an answer the edge is stuck, and may be requested again after a
   * backoff.
   */
  async function fetched(edge: Edge, ask: (sync: LiveSync) => Promise<boolean>): Promise<boolean> {
    const sync = liveSync();
    show(edge, sync ? 'loading' : 'stuck');
    const came = sync !== undefined && (await ask(sync).catch(() => false));
    // a gap stays `loading` until the step is over; then the view requests the next part
    if (!came || edge === 'older') edges[edge] = came ? 'idle' : 'stuck';
    if (came) failures = 0;
    else if (liveSync()) clock.setTimeout(() => liveSync() && release(edge), backoff(failures++, random));
    await refresh();
    return came;
  }

  /** Unless the window has jumped meanwhile. */
  async function goTo(further: WindowAnchor, since: number): Promise<void> {
    if (since !== jumps) return;
    anchor = further;
    await refresh();
  }

  /** Runs one step at a time; scrolling triggers many. */
  function move<Args extends unknown[]>(step: (...args: Args) => Promise<void>, ...args: Args): void {
    if (moving) return;
    moving = true;
    step(...args)
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

  /** A request during a step waits until the step is over: the view requests each gap only once. */
  function loadBetween(gap: Gap, edge: GapEdge): void {
    if (moving) waiting = { gap, edge };
    else move(goBetween, gap, edge);
  }

  function show(edge: Edge, value: ConversationState[Edge]): void {
    edges[edge] = value;
    set({ ...state.get(), [edge]: value });
  }

  /** The edge may be requested again: a view that is still there does. */
  function release(edge: Edge): void {
    if (edges[edge] === 'stuck') show(edge, 'idle');
  }

  /** The log was deleted: places in it mean nothing any more. */
  function forgetPlaces(): void {
    openAgain();
    leaveAt(undefined);
  }

  function forget(): void {
    openAgain();
    state.set(EMPTY);
  }

  function leaveAt(place: SavedPlace | undefined): void {
    if (place && missing !== undefined) {
      jumps++; // the person has moved
      missing = undefined;
    }
    const next = place ? JSON.stringify(place) : '';
    if (next === left) return;
    left = next;
    const put = (tx: UserWrite) => tx.objectStore('meta').put(next, `place in ${room}`);
    db.write(['meta'], put, 'relaxed').catch(() => {}); // kept in memory
  }

  async function jumpTo(offset: number, place?: SavedPlace): Promise<boolean> {
    const jump = ++jumps;
    const isHere = () => db.read(LOG_STORES, (tx) => isStored(tx, room, offset));
    if (!(await isHere()) && !((await liveSync()?.around(room, offset)) && (await isHere()))) return false;
    if (jump !== jumps) return false;
    latest = undefined; // no line has to stay in view
    missing = undefined;
    opening = { left: place };
    anchor = anchorAround(offset);
    await refresh();
    return true;
  }

  return {
    state,
    refresh,
    async attempted(keys) {
      if (refresh.isRunning() || !latest) return refresh(); // a read that is under way may have what was before
      const attempt = <R extends Row>(row: R) => (keys.includes(row.clientOffset) ? asAttempted(row) : row);
      latest = { ...latest, rows: latest.rows.map(attempt), changes: latest.changes.map(attempt) };
      publish(latest);
    },
    loadOlder: (lines) => move(goOlder, lines),
    loadNewer: (lines) => move(goNewer, lines),
    loadBetween,
    jumpTo,
    async newestOwn() {
      const newest = { tag: 'newest', count: OWN_SOUGHT_LINES } as const;
      const snapshot = await db.read(SNAPSHOT_STORES, (tx) =>
        readSnapshot(tx, { room, me: me.id, anchor: newest, before: undefined }),
      );
      return messagesIn(snapshot).findLast(({ mine, content }) => mine && content.tag === 'text');
    },
    toNewest() {
      jumps++;
      shownUpTo = 0;
      if (anchor?.tag !== 'newest') anchor = AT_NEWEST;
      return refresh();
    },
    leaveAt,
    loaded() {
      const { memberships, messages } = state.get();
      if (memberships.length > 0 || messages.some(({ reply }) => reply && !reply.content)) void refresh();
    },
    live() {
      failures = 0;
      release('older');
      release('between');
      fetchUnread();
      void refresh();
    },
  };
}
