/**
 * Opens a log at the right place, and keeps the scroll position while its lines change. The arithmetic is in readingPlace.ts;
 * menu/useLoading.ts loads more before the reader reaches an end. The browser's scroll anchoring is not used, since Safari has none.
 *
 * A spacer above the first line takes up the height of older messages when they load: the spacer shrinks by what they need,
 * and grows by what the removal of lines above frees. So nothing has to be scrolled while somebody scrolls, which browsers
 * count as a layout shift, and which stops a momentum scroll on iOS. While somebody scrolls, menu/keepStill.ts sets it before
 * the layout of the new lines, and what is left to measure waits until after that.
 */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ConversationState } from '../state/model.ts';
import type { Drawn, KeepStill } from './menu/keepStill.ts';
import { isAttended } from './parts/attention.ts';
import {
  type Anchor,
  belowView,
  isAtEnd,
  type LineAt,
  lastLineIn,
  offsetIn,
  rowOf,
  type SizesBesideSpacer,
  setSpacer,
  sizesOf,
  spacerOf,
  topLineIn,
} from './parts/logGeometry.ts';
import { newestOf } from './parts/newestOf.ts';
import {
  type Distance,
  distanceOf,
  firstUnread,
  followBy,
  openingPlace,
  placeAfterScroll,
  type ReadingPlace,
} from './readingPlace.ts';

export interface Reading {
  distance: Distance;
  /** The message below the separator of unread ones: the first one that the reader has not seen. It stays while they read. */
  newSince: string | undefined;
  toNewest(): void;
}

/** `seen`: the newest entry that the reader has seen, or passed over by a jump to the newest message. It only grows. */
export function useReadingPlace(
  scroller: RefObject<HTMLDivElement | null>,
  state: ConversationState,
  seen: RefObject<number>,
  goToNewest: () => void,
  keepStill: KeepStill | undefined,
): Reading {
  const place = useRef<ReadingPlace>({ tag: 'newest' });
  const leftAt = useRef(0); // scrollTop after we last set it
  const keptLine = useRef<LineAt | undefined>(undefined); // stays where it is; measured before this rendering
  const drawn = useRef<Drawn>({}); // as of the last rendering
  const settleCalls = useRef(0); // only the last call of settleLater takes effect
  const opening = useRef<ConversationState['opening'] | undefined>(undefined); // the last one that was followed
  const newSince = useRef<string | undefined>(undefined);
  const unread = useRef<string | undefined>(undefined); // the first message that was not seen yet, as of the last rendering
  const adjusting = useRef<() => void>(undefined); // what the last rendering has still to measure and to set
  const adjustNow = () => {
    adjusting.current?.();
    adjusting.current = undefined;
  };
  adjustNow();
  const [distance, setDistance] = useState<Distance>('here');
  const [, renderAgain] = useState(0);
  const latest = useRef(state);
  latest.current = state;

  const readUpTo = () => Math.max(seen.current, state.readUpTo);
  const isOpening = !state.loading && opening.current !== state.opening;
  unread.current = firstUnread(state, readUpTo())?.key;
  if (isOpening) newSince.current = unread.current;
  let still: ReturnType<KeepStill>;
  // This runs before the document changes, so a line is measured where the reader sees it. The `scroll` event comes
  // only with the next frame: a scroll whose event is still to come must not be undone.
  if (scroller.current) {
    const isAmong =
      place.current.tag === 'among' || isScrolledAway(place.current, scroller.current, leftAt.current);
    keptLine.current = isAmong ? topLineIn(scroller.current) : lastLineIn(scroller.current);
    if (isAmong) place.current = { tag: 'among', anchor: keptLine.current };
    if (isAmong && !isOpening) still = keepStill?.(scroller.current, drawn.current, state, newSince.current);
    if (!still) setSpacer(scroller.current, spacerOf(scroller.current));
  }
  /** `known`: nothing has to be scrolled, and these are the sizes. To measure again would be a second layout in the same task. */
  const restorePlace = (element: HTMLElement, known?: SizesBesideSpacer) => {
    const { atNewest } = latest.current;
    if (!known) scrollToPlace(element, place.current, unread.current);
    const sizes = known ?? sizesOf(element);
    if (place.current.tag === 'newest' && !(atNewest && isAtEnd(sizes)))
      place.current = { tag: 'among', anchor: topLineIn(element) }; // following stopped at the first unread message
    leftAt.current = sizes.scrollTop + sizes.spacer;
    setDistance(distanceOf(place.current, sizes, atNewest));
    settleLater();
  };
  const settleLater = () => {
    const call = ++settleCalls.current;
    const ifLatest = (next: () => void) => () => call === settleCalls.current && next();
    const settle = () => {
      const element = scroller.current!;
      resizeSpacer(element, spacerFor(latest.current));
      leftAt.current = element.scrollTop;
    };
    // Not in a frame in which lines were added or somebody scrolled: a browser would take both changes for one layout shift.
    // In a frame's callback all scrolling of that frame has happened, and its event has called this function again.
    const afterFrame = () => requestAnimationFrame(() => requestAnimationFrame(ifLatest(settle)));
    setTimeout(ifLatest(afterFrame), SETTLE_MS);
  };
  const passAll = () => {
    seen.current = Math.max(seen.current, newestOf(latest.current.messages));
    unread.current = undefined;
  };

  useLayoutEffect(() => {
    const element = scroller.current!;
    const before = place.current;
    if (before.tag === 'leaving-for-newest' && state.atNewest) {
      place.current = { tag: 'newest' };
      passAll();
    }
    if (isOpening) {
      opening.current = state.opening;
      keptLine.current = undefined;
      place.current = openingPlace(state, readUpTo(), leadOf(element));
    }
    adjusting.current = () => {
      const inPlace = adjustSpacer(element, keptLine.current, state);
      if (place.current.tag === 'newest' && unread.current !== undefined)
        keepInPlace(element, keptLine.current);
      const isKept = place.current.tag === 'among' && place.current.anchor === keptLine.current;
      restorePlace(element, isKept ? inPlace : undefined);
      if (isOpening && state.atNewest && isAtEnd(sizesOf(element))) place.current = { tag: 'newest' };
      if (unread.current === undefined || unread.current === newSince.current) return;
      const isFollowing = place.current.tag === 'newest' && isAttended();
      if (isFollowing || (newSince.current !== undefined && before.tag !== 'newest')) return;
      // Not above a line in view: it would move under the reader's eyes.
      const px = before.tag === 'among' ? offsetOf(element, unread.current) : undefined;
      if (px !== undefined && px < element.clientHeight) return;
      newSince.current = unread.current;
      renderAgain((turn) => turn + 1);
    };
    drawn.current = { state, newSince: newSince.current };
    settleCalls.current++; // not before that
    if (still) still(adjustNow);
    else adjustNow();
  });

  useLayoutEffect(() => {
    const element = scroller.current!;
    const onScroll = () => {
      const isOurs = element.scrollTop === leftAt.current;
      adjustNow();
      const { atNewest } = latest.current;
      const sizes = sizesOf(element);
      if (isOurs && place.current.tag === 'newest' && isAtEnd(sizes)) return; // restorePlace has done the rest
      place.current = placeAfterScroll(place.current, sizes, atNewest, topLineIn(element));
      if (place.current.tag === 'newest' && !isOurs) passAll();
      setDistance(distanceOf(place.current, sizes, atNewest));
      settleLater();
    };
    const observer = new ResizeObserver(() => restorePlace(element)); // the on-screen keyboard, a turned phone
    observer.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      adjusting.current = undefined;
      settleCalls.current++;
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, []);

  return {
    distance,
    newSince: newSince.current,
    toNewest() {
      if (latest.current.atNewest) {
        place.current = { tag: 'newest' };
        passAll();
      } else {
        place.current = { tag: 'leaving-for-newest' };
        goToNewest();
      }
      restorePlace(scroller.current!);
    },
  };
}

/** True if the reader has scrolled up. A smaller view, or fewer lines above, also change the distance to the end. */
function isScrolledAway(place: ReadingPlace, scroller: HTMLElement, leftAt: number): boolean {
  return place.tag === 'newest' && scroller.scrollTop < leftAt && !isAtEnd(sizesOf(scroller));
}

/**
 * Changes the spacer so that the line stays where it was, as far as the spacer suffices. Without a line the log is new.
 * Returns the sizes after that if the line is in its place: by arithmetic, since to measure them would be another layout.
 */
function adjustSpacer(
  scroller: HTMLElement,
  line: LineAt | undefined,
  state: ConversationState,
): SizesBesideSpacer | undefined {
  const offset = line && offsetOf(scroller, line.key);
  if (offset === undefined) {
    if (!line) setSpacer(scroller, spacerFor(state));
    return undefined;
  }
  const sizes = sizesOf(scroller);
  const { spacer } = sizes;
  // The reader may have scrolled since the line was measured. At the very end it may have been the browser, for want of lines.
  if (belowView(sizes) >= 1) line!.offset = line!.at - scroller.scrollTop;
  const movedPx = offset + scroller.scrollTop - line!.at;
  const left = state.atStart ? 0 : Math.max(0, spacer - movedPx);
  if (Math.abs(left - spacer) > ROUNDING_PX) setSpacer(scroller, left);
  sizes.spacer = left;
  sizes.scrollTop += spacer - left;
  const isInPlace = Math.abs(offset + left - spacer - line!.offset) < 1;
  return isInPlace && belowView(sizes) >= 0 ? sizes : undefined;
}

/** Positions that are the same differ by as much. */
const ROUNDING_PX = 0.1;

/** 0 if nothing older will load: one could scroll into the empty space. */
function spacerFor({ loading, atStart, older }: ConversationState): number {
  return loading || atStart || older === 'stuck' ? 0 : SPACER_PX;
}

/** Sets the spacer and corrects scrollTop by the same amount. Only while nothing scrolls, or the correction would be visible. */
function resizeSpacer(scroller: HTMLElement, px: number): void {
  const by = px - spacerOf(scroller);
  if (by === 0) return;
  const top = scroller.scrollTop;
  setSpacer(scroller, px);
  scroller.scrollTop = top + by;
}

/** The spacer is resized this long after the last scroll or change. */
const SETTLE_MS = 300;

function scrollToPlace(scroller: HTMLElement, place: ReadingPlace, unread: string | undefined): void {
  if (place.tag === 'among') {
    keepInPlace(scroller, place.anchor);
    return;
  }
  const unreadPx = place.tag === 'newest' && unread !== undefined ? offsetOf(scroller, unread) : undefined;
  scroller.scrollTop += followBy(belowView(sizesOf(scroller)), unreadPx, leadOf(scroller));
}

/** Scrolls so that the line is where it was. */
function keepInPlace(scroller: HTMLElement, anchor: Anchor | undefined): void {
  const offset = anchor && offsetOf(scroller, anchor.key);
  if (offset === undefined) return;
  const movedPx = offset - anchor!.offset;
  if (Math.abs(movedPx) >= 1) scroller.scrollTop += movedPx;
}

/** The first unread message is this far below the top of the view: the separator and a line or two are above it. */
function leadOf(scroller: HTMLElement): number {
  return Math.min(LEAD_PX, scroller.clientHeight / 3);
}

const LEAD_PX = 112;

function offsetOf(scroller: HTMLElement, key: string): number | undefined {
  const row = rowOf(scroller, key);
  return row ? offsetIn(scroller, row) : undefined;
}

/** The height of about a thousand long messages, more than one scrolls through without a pause. */
const SPACER_PX = 150_000;
