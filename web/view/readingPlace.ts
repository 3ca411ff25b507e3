/**
 * Pure arithmetic of the reader's place in a log: where it opens, where the view is, and when more must be loaded. Used by
 * useReadingPlace.ts.
 */
import type { ConversationState, Message } from '../state/model.ts';

export interface Sizes {
  scrollTop: number;
  scrollHeight: number;
  clientHeight: number;
}

/** A line on the screen and its distance from the top of the view, in pixels. */
export interface Anchor {
  key: string;
  offset: number;
}

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

/** The greatest serverOffset; 0 if there is none. */
export function newestOf(messages: readonly Pick<Message, 'serverOffset'>[]): number {
  return Math.max(0, ...messages.map(({ serverOffset }) => serverOffset ?? 0));
}

/** Within this distance of the end the reader counts as at the end: a finger does not stop at a pixel. */
const END_WITHIN_PX = 48;
/** More is loaded when the reader is this many view heights before an end. */
const AHEAD_VIEWS = 1.5;

export function isAtEnd(sizes: Sizes): boolean {
  return belowView(sizes) <= END_WITHIN_PX;
}

export function nearStart(sizes: Sizes): boolean {
  return sizes.scrollTop < sizes.clientHeight * AHEAD_VIEWS;
}

export function nearEnd(sizes: Sizes): boolean {
  return belowView(sizes) < sizes.clientHeight * AHEAD_VIEWS;
}

/** True if an element is within AHEAD_VIEWS of the view. Both rectangles are in the same coordinates. */
export function isNearView(
  element: { top: number; bottom: number },
  view: { top: number; bottom: number; height: number },
): boolean {
  const ahead = view.height * AHEAD_VIEWS;
  return element.bottom > view.top - ahead && element.top < view.bottom + ahead;
}

/** The index of the first line that is at least partly in view, by binary search. Undefined if all are above the view. */
export function firstInView(
  count: number,
  bottomOf: (index: number) => number,
  viewTop: number,
): number | undefined {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bottomOf(middle) > viewTop) high = middle;
    else low = middle + 1;
  }
  return low < count ? low : undefined;
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

export function belowView({ scrollTop, scrollHeight, clientHeight }: Sizes): number {
  return scrollHeight - scrollTop - clientHeight;
}
