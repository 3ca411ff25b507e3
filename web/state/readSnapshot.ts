/** A snapshot of a conversation: the lines and rows in its window and what belongs to them, read in one transaction. */

import type { UserRead } from '../db/userDatabase.ts';
import { findOwnText } from '../log/read/findOwnText.ts';
import {
  middleRow,
  type Position,
  positionBefore,
  readWindow,
  type Window,
  type WindowAnchor,
} from '../log/read/window.ts';
import { WINDOW_MAX_LINES } from '../records/pageLimits.ts';
import { type Follower, isMessageRow, type Row } from '../records/row.ts';
import { readOutboxView, rowsAt } from './outboxView.ts';
import { countOthers, readUpToOf } from './unread.ts';

export const SNAPSHOT_STORES = ['rooms', 'users', 'rows', 'log', 'logSpans', 'detached', 'marks'] as const;

export interface Snapshot {
  window: Window;
  /** The rows of the window. */
  rows: readonly Row[];
  changes: readonly Follower[];
  names: ReadonlyMap<string, string>;
  head: number;
  /** Undefined while the room is not known. */
  readUpTo: number | undefined;
  /** The number of others' lines after `shownUpTo`; 0 at the newest. */
  unseen: number;
}

export interface SnapshotRequest {
  room: string;
  me: string;
  place: WindowAnchor;
  before: Snapshot | undefined;
  shownUpTo: number;
}

export async function readSnapshot(tx: UserRead, request: SnapshotRequest): Promise<Snapshot> {
  const { room, me, shownUpTo } = request;
  const { seqs, changes } = await readOutboxView(tx, room);
  const window = await followRows(tx, request, seqs);
  const authors = [...new Set(window.lines.map(({ author }) => author))];
  const users = await Promise.all(authors.map((author) => tx.objectStore('users').get(author)));
  const stored = await tx.objectStore('rooms').get(room);
  return {
    window,
    rows: await rowsAt(tx, window.rows),
    changes,
    names: new Map(users.map((user, i) => [authors[i]!, user?.name ?? ''])),
    head: stored?.head ?? 0,
    readUpTo: stored && (await readUpToOf(tx, stored)),
    unseen: window.place.tag === 'newest' ? 0 : await countOthers(tx, room, me, shownUpTo),
  };
}

/**
 * The window at that place. Rows may have moved into the log since the last snapshot, behind others' lines: a place
 * that is a row follows it there, and the row that was in the middle stays in view.
 */
async function followRows(
  tx: UserRead,
  { room, me, place, before }: SnapshotRequest,
  queue: readonly number[],
): Promise<Window> {
  const begin = place.tag === 'from' && place.from.tag === 'row' ? await whereIs(place.from.seq) : undefined;
  const window = await readWindow(
    tx,
    room,
    place.tag === 'from' && begin ? { ...place, from: begin } : place,
    queue,
  );
  const middle = before && middleRow(before.window);
  if (window.place.tag === 'newest' || middle === undefined || window.rows.includes(middle)) return window;
  const now = await whereIs(middle);
  if (!now || (now.tag === 'line' && window.lines.some((line) => line.serverOffset === now.offset)))
    return window;
  const from = await positionBefore(tx, room, now, WINDOW_MAX_LINES / 2, queue);
  return readWindow(tx, room, { tag: 'from', from, count: window.place.count }, queue);

  /** Undefined where the row is gone, or was not in the last snapshot. */
  async function whereIs(seq: number): Promise<Position | undefined> {
    if (queue.includes(seq)) return { tag: 'row', seq };
    const row = before?.rows.find((each) => each.seq === seq);
    const message = row && isMessageRow(row) ? await findOwnText(tx, me, room, row.clientOffset) : undefined;
    return message && { tag: 'line', offset: message.serverOffset };
  }
}
