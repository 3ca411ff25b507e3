/**
 * The arithmetic of a windowed list: where its reader is, and how it stays there while lines come and go above and
 * below. The browser's own scroll anchoring is not used: Safari has none.
 */

export interface Sizes {
  scrollTop: number;
  scrollHeight: number;
  clientHeight: number;
}

/** One line that is looked at, and how far below the top of the view it begins. */
export interface Anchor {
  key: string;
  offset: number;
}

/** `newest`: at the end, and staying there. `leaving-for-newest`: on the way, until the newest are in the window. */
export type ReadingPlace =
  | { tag: 'newest' }
  | { tag: 'leaving-for-newest' }
  | { tag: 'among'; anchor: Anchor | undefined };

/** Nearer than this to the end counts as there: a finger does not stop at a pixel. */
const END_WITHIN_PX = 48;
/** More is fetched this many views before the reader gets there. */
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

/** For what stands within the log: both in the same pixels. */
export function isNearView(
  it: { top: number; bottom: number },
  view: { top: number; bottom: number; height: number },
): boolean {
  const ahead = view.height * AHEAD_VIEWS;
  return it.bottom > view.top - ahead && it.top < view.bottom + ahead;
}

/** The first line of which something is in view: lines are in order, so it is found by halving. */
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

/** Where the reader is after a scroll. On the way to the newest, a scroll is our own. */
export function placeAfterScroll(
  place: ReadingPlace,
  sizes: Sizes,
  atNewest: boolean,
  anchor: Anchor | undefined,
): ReadingPlace {
  if (place.tag === 'leaving-for-newest' && !atNewest) return place;
  return atNewest && isAtEnd(sizes) ? { tag: 'newest' } : { tag: 'among', anchor };
}

/** How far the reader is from the newest: only from afar is a way back offered when there is nothing new. */
export type Distance = 'here' | 'near' | 'far';

export function distanceOf(place: ReadingPlace, sizes: Sizes, atNewest: boolean): Distance {
  if (place.tag !== 'among') return 'here';
  return atNewest && belowView(sizes) < sizes.clientHeight / 2 ? 'near' : 'far';
}

/** Others' messages after the entry that was the newest when the reader was at the end. */
export function othersAfter(
  messages: readonly { serverOffset: number | undefined; mine: boolean }[],
  lastSeen: number,
): number {
  return messages.filter(({ mine, serverOffset }) => !mine && (serverOffset ?? 0) > lastSeen).length;
}

export function newestOf(messages: readonly { serverOffset: number | undefined }[]): number {
  return Math.max(0, ...messages.map(({ serverOffset }) => serverOffset ?? 0));
}

function belowView({ scrollTop, scrollHeight, clientHeight }: Sizes): number {
  return scrollHeight - scrollTop - clientHeight;
}
