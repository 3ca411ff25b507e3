/**
 * A snapshot of a conversation: the lines and rows in its window and what belongs to them, read in one transaction. Which
 * rows of the outbox show, and how many wait, is known by keys and counts: rows are read only for the window.
 */
import type { Entry } from '../../shared/entry.ts';
import type { Line } from '../../shared/fold.ts';
import { shownName } from '../../shared/text.ts';
import { askOnce, countOutbox, getOnce, readAmendments, readFollowers } from '../db/lookups.ts';
import type { UserRead } from '../db/userDatabase.ts';
import { findOwnText, storedTargets } from '../log/read/findOwnText.ts';
import { membershipRuns } from '../log/read/membershipRuns.ts';
import type { WindowMoves } from '../log/read/moveWindow.ts';
import { readUpToOf } from '../log/read/readLines.ts';
import {
  middleRow,
  type Position,
  positionBefore,
  readWindow,
  type Window,
  type WindowAnchor,
} from '../log/read/window.ts';
import { WINDOW_MAX_LINES } from '../records/pageLimits.ts';
import {
  type Follower,
  isAmendmentRow,
  isMessageRow,
  isRefused,
  isReplacementRow,
  isWaiting,
  type Row,
} from '../records/row.ts';
import { readByAll, type ShownReaction } from '../records/storedRecords.ts';
import { answeredBy, lastChanges, mentionsIn } from './messages.ts';
import type { Memberships } from './model.ts';

export const SNAPSHOT_STORES = [
  'rooms',
  'users',
  'rows',
  'log',
  'logSpans',
  'detached',
  'reactions',
  'marks',
] as const;

export interface Snapshot {
  window: Window;
  /** The rows of the window. */
  rows: readonly Row[];
  changes: readonly Follower[];
  /** Without their people until the engine is loaded. */
  memberships: readonly Memberships[];
  /** Messages that lines and rows answer, by serverOffset. Undefined until the engine is loaded. */
  quotes: ReadonlyMap<number, Line> | undefined;
  /** By the key of the message. Undefined until the engine is loaded. */
  reactions: ReadonlyMap<string, ShownReaction[]> | undefined;
  names: ReadonlyMap<string, string>;
  head: number;
  /** Changes when the stored log was deleted, since the server's data was restored from a backup. */
  logGeneration: number;
  /** Infinity while the room is not known: then nothing counts as unread. */
  readUpTo: number;
  /** Up to which serverOffset all others have read. */
  readByAll: number;
}

export interface SnapshotRequest {
  room: string;
  me: string;
  anchor: WindowAnchor;
  before: Snapshot | undefined;
  /** Undefined until the engine is loaded. */
  moves?: WindowMoves | undefined;
}

export async function readSnapshot(tx: UserRead, request: SnapshotRequest): Promise<Snapshot> {
  const { room, me, moves } = request;
  // at the same time where it can be: a message that is being queued waits for this read
  const [{ seqs, changes }, stored] = await Promise.all([
    readOutboxView(tx, room),
    getOnce(tx, 'rooms', room),
  ]);
  const window = await followRows(tx, request, seqs);
  const [rows, memberships, reactions, readUpTo] = await Promise.all([
    rowsAt(tx, window.rows),
    Promise.all(
      runsIn(window).map(async (run) => ({
        from: run[0]!.serverOffset,
        to: run.at(-1)!.serverOffset,
        at: run.at(-1)!.at,
        people: await moves?.readRunPeople(tx, run, me),
      })),
    ),
    moves?.readReactions(tx, room, me, window.lines),
    stored ? readUpToOf(tx, stored) : Number.POSITIVE_INFINITY,
  ]);
  const answers = [...window.lines, ...rows].map(answeredBy).filter((one) => one !== undefined);
  const people = [...window.lines, ...answers];
  const mentioned = [...window.lines, ...rows].flatMap(mentionsIn).map(({ user }) => user);
  const authors = [...new Set([...people.map(({ author }) => author), ...mentioned])];
  const [quotes, users] = await Promise.all([
    moves?.readQuotes(tx, room, answers),
    Promise.all(authors.map((author) => getOnce(tx, 'users', author))),
  ]);
  return {
    window,
    rows,
    quotes,
    memberships,
    reactions,
    changes,
    names: new Map(users.map((user, i) => [authors[i]!, user ? shownName(user.name) : ''])),
    head: stored?.head ?? 0,
    logGeneration: stored?.logGeneration ?? 0,
    readByAll: stored ? readByAll(stored, me) : 0,
    readUpTo,
  };
}

function runsIn({ memberships, lines, gaps }: Window): Entry[][] {
  const ends = [...lines.map(({ serverOffset }) => serverOffset), ...gaps.map(({ from }) => from)];
  return membershipRuns(memberships, ends);
}

/**
 * The window at that anchor. Rows may have moved into the log since the last snapshot, behind others' lines: an anchor
 * that is a row follows it there, and the row that was in the middle stays in view.
 */
async function followRows(
  tx: UserRead,
  { room, me, anchor, before }: SnapshotRequest,
  queue: readonly number[],
): Promise<Window> {
  const begin =
    anchor.tag === 'from' && anchor.from.tag === 'row' ? await whereIs(anchor.from.seq) : undefined;
  const window = await readWindow(
    tx,
    room,
    anchor.tag === 'from' && begin ? { ...anchor, from: begin } : anchor,
    queue,
  );
  const middle = before && middleRow(before.window);
  if (window.anchor.tag === 'newest' || middle === undefined || window.rows.includes(middle)) return window;
  const now = await whereIs(middle);
  if (!now || (now.tag === 'line' && window.lines.some((line) => line.serverOffset === now.offset)))
    return window;
  const from = await positionBefore(tx, room, now, WINDOW_MAX_LINES / 2, queue);
  return readWindow(tx, room, { tag: 'from', from, count: window.anchor.count }, queue);

  /** Undefined where the row is gone, or was not in the last snapshot. */
  async function whereIs(seq: number): Promise<Position | undefined> {
    if (queue.includes(seq)) return { tag: 'row', seq };
    const row = before?.rows.find((each) => each.seq === seq);
    const message = row && isMessageRow(row) ? await findOwnText(tx, me, room, row.clientOffset) : undefined;
    return message && { tag: 'line', offset: message.serverOffset };
  }
}

export interface OutboxView {
  /** The `seq`s, in order, of messages, of amendments whose message is not held, and of what was not sent. */
  seqs: readonly number[];
  /** All amendments, in order. */
  changes: readonly Follower[];
}

export async function readOutboxView(tx: UserRead, room: string): Promise<OutboxView> {
  if ((await countOutbox(tx)) === 0) return { seqs: [], changes: [] };
  const [changes, unshown, all] = await Promise.all([
    readAmendments(tx, room),
    unshownIn(tx, room),
    tx.objectStore('rows').index('room').getAllKeys(room),
  ]);
  const alone = new Set((await withoutText(tx, changes)).map(({ seq }) => seq));
  const hidden = new Set(changes.map(({ seq }) => seq).filter((seq) => !alone.has(seq)));
  for (const row of unshown) if (isWaiting(row)) hidden.add(row.seq);
  return { seqs: hidden.size === 0 ? all : all.filter((seq) => !hidden.has(seq)), changes };
}

/** The rows that exist, in the order of `seqs`. */
export async function rowsAt(tx: UserRead, seqs: readonly number[]): Promise<Row[]> {
  const rows = await Promise.all(seqs.map((seq) => tx.objectStore('rows').get(seq)));
  return rows.filter((row) => row !== undefined);
}

export interface RowCounts {
  messages: number;
  /** Rows that are sent without the person, and rows that are not. */
  waiting: number;
  notSent: number;
}

/**
 * Of one room, or of all. An amendment of a refused message does not count as waiting: the person decides about the
 * message first.
 */
export async function countRows(tx: UserRead, room?: string): Promise<RowCounts> {
  const total = await countOutbox(tx);
  if (total === 0) return { messages: 0, waiting: 0, notSent: 0 };
  const rows = tx.objectStore('rows');
  const parked = room === undefined ? IDBKeyRange.bound(['parked'], ['parked', []]) : ['parked', room];
  const [followers, all, notSent, unshown] = await Promise.all([
    readFollowers(tx, room),
    room === undefined ? total : rows.index('room').count(room),
    rows.index('state').count(parked as IDBKeyRange),
    unshownIn(tx, room),
  ]);
  let behind = 0;
  for (const row of followers) {
    const message = isWaiting(row) && (await rows.index('clientOffset').get(row.target));
    if (message && isRefused(message)) behind++;
  }
  const messages = all - followers.filter(isAmendmentRow).length - unshown.length;
  return { messages, waiting: all - notSent - behind, notSent };
}

/** The newest queued message of the room. */
export async function lastMessage(tx: UserRead, room: string): Promise<Row | undefined> {
  let cursor = await tx.objectStore('rows').index('room').openCursor(room, 'prev');
  while (cursor && !isMessageRow(cursor.value)) cursor = await cursor.continue();
  return cursor?.value;
}

/** Of one room, or of all: rows that are neither a message nor an amendment. */
function unshownIn(tx: UserRead, room?: string): Promise<Row[]> {
  const range = room === undefined ? undefined : IDBKeyRange.only([room, 1]);
  return askOnce(tx, `unshown ${room}`, () => tx.objectStore('rows').index('unshown').getAll(range));
}

/**
 * The amendments that are shown as messages of their own, so that no own text is invisible: those whose message is not
 * held, and those that were not sent, unless their message is queued itself (O3, O4).
 */
async function withoutText(tx: UserRead, changes: readonly Follower[]): Promise<Follower[]> {
  const held = await storedTargets(tx, changes);
  const alone: Follower[] = [];
  for (const change of lastChanges(changes)) {
    const shows = !isWaiting(change) || (isReplacementRow(change) && !held.has(change.target));
    const message = shows && (await tx.objectStore('rows').index('clientOffset').getKey(change.target));
    if (shows && message === undefined) alone.push(change);
  }
  return alone;
}
