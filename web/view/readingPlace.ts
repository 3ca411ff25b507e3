/**
 * Pure arithmetic of the reader's place in a log: where it opens, and where the view is. Used by useReadingPlace.ts.
 */
import type { ConversationState, Message } from '../state/model.ts';
import { type Anchor, belowView, isAtEnd, type Sizes } from './parts/logGeometry.ts';

/**
 * `newest`: at the end, following new messages. `leaving-for-newest`: asked for the newest messages, which are not in the
 * window yet. `among`: anywhere else; `anchor` is the line to keep in place.
 */
export type ReadingPlace =
  | { tag: 'newest' }
  | { tag: 'leaving-for-newest' }
  | { tag: 'among'; anchor: Anchor | undefined };

/**
 * The first unread message: of others, after `readUpTo`, not deleted. Undefined if there is none, or an earlier one may be
 * above the window or in a gap.
 */
export function firstUnread(
  { messages, gaps, completeFrom }: Pick<ConversationState, 'messages' | 'gaps' | 'completeFrom'>,
  readUpTo: number,
): Message | undefined {
  const first = messages.find((message) => isUnread(message, readUpTo));
  const isBehindGap = gaps.some(({ from, to }) => to > readUpTo && from < (first?.serverOffset ?? 0));
  return completeFrom <= readUpTo + 1 && !isBehindGap ? first : undefined;
}

function isUnread({ mine, serverOffset = 0, content }: Message, readUpTo: number): boolean {
  return !mine && serverOffset > readUpTo && content.tag !== 'deleted';
}

/**
 * Where a log opens: where the person left it, or at the first unread message, or above the gap that may hold that one.
 * `leadPx`: at this distance from the top of the view the first unread message is, below what was read before.
 */
export function openingPlace(
  state: Pick<ConversationState, 'messages' | 'gaps' | 'completeFrom' | 'opening'>,
  readUpTo: number,
  leadPx: number,
): ReadingPlace {
  const { messages, gaps, opening } = state;
  const { left } = opening;
  if (left && messages.some(({ key }) => key === left.key))
    return { tag: 'among', anchor: { key: left.key, offset: left.px } };
  const unread = firstUnread(state, readUpTo);
  if (unread) return { tag: 'among', anchor: { key: unread.key, offset: leadPx } };
  const gap = gaps.find(({ to }) => to > readUpTo);
  const above =
    gap && messages.findLast(({ serverOffset }) => (serverOffset ?? Number.POSITIVE_INFINITY) < gap.from);
  return above ? { tag: 'among', anchor: { key: above.key, offset: leadPx / 2 } } : { tag: 'newest' };
}

/**
 * How many pixels to scroll down at the newest message: to the end, but only so far that the first unread message stays in
 * view, `leadPx` below its top. `unreadPx`: where it is now, from the top of the view.
 */
export function followBy(endPx: number, unreadPx: number | undefined, leadPx: number): number {
  return unreadPx === undefined ? endPx : Math.min(endPx, Math.max(0, unreadPx - leadPx));
}

/** The place after a scroll event. In `leaving-for-newest` the scroll is our own and changes nothing. */
export function placeAfterScroll(
  place: ReadingPlace,
  sizes: Sizes,
  atNewest: boolean,
  anchor: Anchor | undefined,
): ReadingPlace {
  if (place.tag === 'leaving-for-newest' && !atNewest) return place;
  return atNewest && isAtEnd(sizes) ? { tag: 'newest' } : { tag: 'among', anchor };
}

/** The reader's distance from the newest message. If nothing is new, only `far` shows the button that leads back. */
export type Distance = 'here' | 'near' | 'far';

export function distanceOf(place: ReadingPlace, sizes: Sizes, atNewest: boolean): Distance {
  if (place.tag !== 'among') return 'here';
  return atNewest && belowView(sizes) < sizes.clientHeight / 2 ? 'near' : 'far';
}
