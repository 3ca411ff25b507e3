/** Where a room opens: where the person left it, else at the first unread message, else at the newest message. */
import type { Entry } from '../../../shared/entry.ts';
import { readSpans } from '../../db/lookups.ts';
import type { UserRead } from '../../db/userDatabase.ts';
import { WINDOW_PAGE_LINES } from '../../records/pageLimits.ts';
import { cursorOf, spanAt } from '../../records/spans.ts';
import { messageKey, type SavedPlace } from '../../records/storedRecords.ts';
import { findFirstUnread, readLinesForward, readUpToOf } from './readLines.ts';
import { AT_NEWEST, anchorAround, type WindowAnchor } from './window.ts';

export interface RoomOpening {
  anchor: WindowAnchor;
  /** Where the person left the room, if that is in the window. */
  place: SavedPlace | undefined;
  /** After entry `after`, which is read, `first` is the first unread message. */
  unread: { after: number; first: number } | undefined;
  /** The first entry that is unread, if it is not stored and its neighbour above is not either: it has to be fetched. */
  missing: number | undefined;
}

const NEWEST: RoomOpening = { anchor: AT_NEWEST, place: undefined, unread: undefined, missing: undefined };

export async function readOpening(
  tx: UserRead,
  room: string,
  me: string,
  left: SavedPlace | undefined,
): Promise<RoomOpening> {
  if (left && (await isThere(tx, room, left)))
    return { ...NEWEST, anchor: anchorAround(left.serverOffset), place: left };
  const stored = await tx.objectStore('rooms').get(room);
  if (!stored) return NEWEST;
  const after = await readUpToOf(tx, stored);
  const found = await findFirstUnread(tx, stored, me);
  const spans = await readSpans(tx, room);
  if (!found || found.offset > cursorOf(spans)) return NEWEST;
  const { offset, isHeld } = found;
  if (isHeld)
    return { ...NEWEST, anchor: await anchorAtUnread(tx, room, offset), unread: { after, first: offset } };
  if (spanAt(spans, offset - 1)) return { ...NEWEST, anchor: anchorAround(offset - 1) };
  return { ...NEWEST, missing: offset };
}

/** The entry at that place is still the one at which the person was: after a restore it may be another one. */
async function isThere(tx: UserRead, room: string, { serverOffset, key }: SavedPlace): Promise<boolean> {
  const at: [string, number] = [room, serverOffset];
  const entry: Entry | undefined =
    (await tx.objectStore('log').get(at)) ?? (await tx.objectStore('detached').get(at));
  return entry !== undefined && messageKey(entry.author, entry.clientOffset) === key;
}

/** At the newest message if the window there begins above the unread ones, else around the first of them. */
async function anchorAtUnread(tx: UserRead, room: string, first: number): Promise<WindowAnchor> {
  const from = await readLinesForward(tx, room, first, WINDOW_PAGE_LINES);
  const queued = await tx.objectStore('rows').index('room').count(room);
  return from.length + queued <= WINDOW_PAGE_LINES - LINES_ABOVE ? AT_NEWEST : anchorAround(first);
}

/** So many lines above the first unread one are enough to fill what the view shows above it. */
const LINES_ABOVE = 10;
