/** Pure arithmetic of the reader's place in a log: where the view is, and when more must be loaded. Used by useReadingPlace.ts. */

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

function belowView({ scrollTop, scrollHeight, clientHeight }: Sizes): number {
  return scrollHeight - scrollTop - clientHeight;
}
