/** One look at a conversation: what of it is in the window, read in one transaction. */

import type { UserRead } from '../db/schema.ts';
import {
  middleRow,
  type Place,
  type Position,
  positionBefore,
  readWindow,
  type Window,
} from '../log/window.ts';
import { heldMessage } from '../outbox/held.ts';
import { type Follower, isMessageRow, type Row } from '../outbox/row.ts';
import { WINDOW_MAX_LINES } from '../records/pageLimits.ts';
import { readQueue, rowsAt } from './queue.ts';
import { countOthers, readUpToOf } from './unread.ts';

export const LOOK_STORES = ['rooms', 'users', 'rows', 'log', 'logSpans', 'detached', 'marks'] as const;

export interface Look {
  window: Window;
  /** Those of the window. */
  rows: readonly Row[];
  changes: readonly Follower[];
  names: ReadonlyMap<string, string>;
  head: number;
  /** Undefined while nothing is known of the room. */
  readUpTo: number | undefined;
  /** Others' lines after `shownUpTo`; none at the end. */
  unseen: number;
}

export interface Asked {
  room: string;
  me: string;
  place: Place;
  before: Look | undefined;
  shownUpTo: number;
}

export async function look(tx: UserRead, asked: Asked): Promise<Look> {
  const { room, me, shownUpTo } = asked;
  const { seqs, changes } = await readQueue(tx, room);
  const window = await follow(tx, asked, seqs);
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
 * The window at that place. What waited may be in the log by now, and others' lines may have come between: the place goes
 * where its row went, and what was in the middle stays in view.
 */
async function follow(
  tx: UserRead,
  { room, me, place, before }: Asked,
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

  /** Undefined when it is gone, or was never looked at. */
  async function whereIs(seq: number): Promise<Position | undefined> {
    if (queue.includes(seq)) return { tag: 'row', seq };
    const row = before?.rows.find((each) => each.seq === seq);
    const message = row && isMessageRow(row) ? await heldMessage(tx, me, room, row.clientOffset) : undefined;
    return message && { tag: 'line', offset: message.serverOffset };
  }
}
