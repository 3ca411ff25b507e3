/**
 * Keeps the scroll position of a log while its lines change, and loads more before the reader reaches an end. The arithmetic
 * is in readingPlace.ts. The browser's scroll anchoring is not used, since Safari has none.
 *
 * A spacer above the first line takes up the height of older messages when they load: the spacer shrinks by what they need,
 * and grows by what the removal of lines above frees. So nothing has to be scrolled while somebody scrolls, which browsers
 * count as a layout shift, and which stops a momentum scroll on iOS.
 */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { SavedPlace } from '../records/storedRecords.ts';
import type { ConversationState } from '../state/model.ts';
import { isAttended } from './parts/attention.ts';
import {
  type Anchor,
  belowView,
  type Distance,
  distanceOf,
  firstInView,
  firstUnread,
  followBy,
  isAtEnd,
  isNearView,
  nearEnd,
  nearStart,
  newestOf,
  openingPlace,
  placeAfterScroll,
  type ReadingPlace,
  type Sizes,
} from './readingPlace.ts';

export interface Reading {
  distance: Distance;
  /** The message below the separator of unread ones: the first one that the reader has not seen. It stays while they read. */
  newSince: string | undefined;
  toNewest(): void;
}

interface More {
  older(): void;
  newer(): void;
  between(gap: ConversationState['gaps'][number], edge: 'upper' | 'lower'): void;
}

interface Asked extends More {
  newest(): void;
  /** The reader is at this place, or at the newest message. */
  leaveAt(place: SavedPlace | undefined): void;
}

/** `seen`: the newest entry that the reader has seen, or passed over by a jump to the newest message. It only grows. */
export function useReadingPlace(
  scroller: RefObject<HTMLDivElement | null>,
  state: ConversationState,
  seen: RefObject<number>,
  more: Asked,
): Reading {
  const place = useRef<ReadingPlace>({ tag: 'newest' });
  const leftAt = useRef(0); // scrollTop after we last set it
  const topLine = useRef<TopLine | undefined>(undefined); // measured before this rendering
  const settleCalls = useRef(0); // only the last call of settleLater takes effect
  const opening = useRef<ConversationState['opening'] | undefined>(undefined); // the last one that was followed
  const newSince = useRef<string | undefined>(undefined);
  const unread = useRef<string | undefined>(undefined); // the first message that was not seen yet, as of the last rendering
  const [distance, setDistance] = useState<Distance>('here');
  const [, renderAgain] = useState(0);
  const latest = useRef({ state, more });
  latest.current = { state, more };

  const readUpTo = () => (Number.isFinite(state.readUpTo) ? seen.current : state.readUpTo);
  if (Number.isFinite(state.readUpTo)) seen.current = Math.max(seen.current, state.readUpTo);
  const isOpening = !state.loading && opening.current !== state.opening;
  if (isOpening) newSince.current = firstUnread(state, readUpTo())?.key;
  // This runs before the document changes, so the top line is measured where the reader sees it. The `scroll` event comes
  // only with the next frame: a scroll whose event is still to come must not be undone.
  if (scroller.current) {
    topLine.current = topLineIn(scroller.current);
    if (place.current.tag === 'among' || isScrolledAway(place.current, scroller.current, leftAt.current))
      place.current = { tag: 'among', anchor: topLine.current };
  }
  const restorePlace = (element: HTMLElement) => {
    const { atNewest } = latest.current.state;
    place.current = scrollToPlace(element, place.current, atNewest, unread.current);
    leftAt.current = element.scrollTop;
    setDistance(distanceOf(place.current, sizesOf(element), atNewest));
    settleLater();
  };
  const settleLater = () => {
    const call = ++settleCalls.current;
    const ifLatest = (next: () => void) => () => call === settleCalls.current && next();
    const settle = () => {
      const element = scroller.current!;
      resizeSpacer(element, spacerFor(latest.current.state));
      leftAt.current = element.scrollTop;
      leaveAt(element);
    };
    // Not in the frame in which lines were added: a browser would take both changes for one layout shift.
    const afterFrame = () => requestAnimationFrame(() => setTimeout(ifLatest(settle)));
    setTimeout(ifLatest(afterFrame), SETTLE_MS);
  };
  const leaveAt = (element: HTMLElement) => {
    const { state, more } = latest.current;
    if (!state.loading) more.leaveAt(placeToSave(element, place.current, state.messages));
  };
  const passAll = () => {
    seen.current = Math.max(seen.current, newestOf(latest.current.state.messages));
    unread.current = undefined;
  };

  useLayoutEffect(() => {
    const element = scroller.current!;
    const before = place.current;
    unread.current = firstUnread(state, readUpTo())?.key;
    if (before.tag === 'leaving-for-newest' && state.atNewest) {
      place.current = { tag: 'newest' };
      passAll();
    }
    if (isOpening) {
      opening.current = state.opening;
      topLine.current = undefined;
      place.current = openingPlace(state, readUpTo(), leadOf(element));
    }
    adjustSpacer(element, topLine.current, state);
    if (place.current.tag === 'newest' && unread.current !== undefined) keepInPlace(element, topLine.current);
    restorePlace(element);
    if (isOpening && state.atNewest && isAtEnd(sizesOf(element))) place.current = { tag: 'newest' };
    if (unread.current === undefined || unread.current === newSince.current) return;
    const isFollowing = place.current.tag === 'newest' && isAttended();
    if (isFollowing || (newSince.current !== undefined && before.tag !== 'newest')) return;
    newSince.current = unread.current;
    renderAgain((turn) => turn + 1);
  });

  const first = state.messages[0]?.key;
  const last = state.messages.at(-1)?.key;
  const gaps = state.gaps.map(({ from, to }) => `${from}-${to}`).join();
  useLayoutEffect(
    () => askForMore(scroller.current!, latest.current, place.current),
    [first, last, gaps, state.loading, state.older === 'stuck', state.between],
  );

  useLayoutEffect(() => {
    const element = scroller.current!;
    const onScroll = () => {
      scrollOutOfSpacer(element);
      const { atNewest } = latest.current.state;
      const sizes = sizesOf(element);
      place.current = placeAfterScroll(place.current, sizes, atNewest, topLineIn(element));
      if (place.current.tag === 'newest' && element.scrollTop !== leftAt.current) passAll(); // not by our own scroll
      setDistance(distanceOf(place.current, sizes, atNewest));
      askForMore(element, latest.current, place.current);
      settleLater();
    };
    const observer = new ResizeObserver(() => restorePlace(element)); // the on-screen keyboard, a turned phone
    observer.observe(element);
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      leaveAt(element);
      settleCalls.current++;
      observer.disconnect();
      element.removeEventListener('scroll', onScroll);
    };
  }, []);

  return {
    distance,
    newSince: newSince.current,
    toNewest() {
      if (latest.current.state.atNewest) {
        place.current = { tag: 'newest' };
        passAll();
      } else {
        place.current = { tag: 'leaving-for-newest' };
        latest.current.more.newest();
      }
      setDistance('here');
      restorePlace(scroller.current!);
    },
  };
}

/** True if the reader has scrolled up. A smaller view, or fewer lines above, also change the distance to the end. */
function isScrolledAway(place: ReadingPlace, scroller: HTMLElement, leftAt: number): boolean {
  return place.tag === 'newest' && scroller.scrollTop < leftAt && !isAtEnd(sizesOf(scroller));
}

function askForMore(
  scroller: HTMLElement,
  { state, more }: { state: ConversationState; more: More },
  place: ReadingPlace,
): void {
  if (state.loading) return;
  const sizes = sizesOf(scroller);
  if (state.between === 'idle') fillGap(scroller, state, more, place);
  if (!state.atStart && state.older === 'idle' && nearStart(sizes)) more.older();
  if (!state.atNewest && nearEnd(sizes)) more.newer();
}

/** Loads into the newest gap near the view, at the edge away from the reader: the top line stays where it is. */
function fillGap(scroller: HTMLElement, { gaps }: ConversationState, more: More, place: ReadingPlace): void {
  const view = scroller.getBoundingClientRect();
  const elements = Array.from(scroller.querySelectorAll<HTMLElement>('[data-gap]'));
  const element = elements.findLast((each) => isNearView(each.getBoundingClientRect(), view));
  const gap = element && gaps.find(({ from }) => from === Number(element.dataset.gap));
  if (!gap) return;
  more.between(gap, isReaderBelow(scroller, element, place) ? 'upper' : 'lower');
}

/**
 * True if the reader is below the gap: their anchor is, which counts since the gap may have come into view by itself, as
 * older messages loaded; or less than a line is visible above the gap.
 */
function isReaderBelow(scroller: HTMLElement, gap: HTMLElement, place: ReadingPlace): boolean {
  const anchor = place.tag === 'among' ? place.anchor?.key : undefined;
  const row = Array.from(rowsIn(scroller)).find((each) => each.dataset.key === anchor);
  if (!row || (gap.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0) return true;
  return gap.getBoundingClientRect().top - scroller.getBoundingClientRect().top < LINE_PX;
}

/** The first line in view. `at`: its distance from the top of the scrollable content, in pixels. */
type TopLine = Anchor & { at: number };

function topLineIn(scroller: HTMLElement): TopLine | undefined {
  const rows = rowsIn(scroller);
  const top = scroller.getBoundingClientRect().top;
  const index = firstInView(rows.length, (i) => rows[i]!.getBoundingClientRect().bottom, top);
  const row = index === undefined ? undefined : rows[index];
  const offset = row && row.getBoundingClientRect().top - top;
  return offset === undefined
    ? undefined
    : { key: row!.dataset.key!, offset, at: offset + scroller.scrollTop };
}

/** Changes the spacer so that the top line stays where it was, as far as the spacer suffices. Without a top line the log is new. */
function adjustSpacer(scroller: HTMLElement, topLine: TopLine | undefined, state: ConversationState): void {
  if (!topLine) {
    setSpacer(scroller, spacerFor(state));
    return;
  }
  const offset = offsetOf(scroller, topLine.key);
  if (offset === undefined) return;
  const movedPx = offset + scroller.scrollTop - topLine.at;
  const spacer = spacerOf(scroller);
  const left = state.atStart ? 0 : Math.max(0, spacer - movedPx);
  if (left !== spacer) setSpacer(scroller, left);
}

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
const LINE_PX = 24;

/** Scrolls to the place. Returns it, or `among` if following the newest message stopped before the end. */
function scrollToPlace(
  scroller: HTMLElement,
  place: ReadingPlace,
  atNewest: boolean,
  unread: string | undefined,
): ReadingPlace {
  if (place.tag === 'among') {
    keepInPlace(scroller, place.anchor);
    return place;
  }
  const unreadPx = place.tag === 'newest' && unread !== undefined ? offsetOf(scroller, unread) : undefined;
  const endPx = belowView(sizesOf(scroller));
  scroller.scrollTop += followBy(endPx, unreadPx, leadOf(scroller));
  const isThere = place.tag !== 'newest' || (atNewest && isAtEnd(sizesOf(scroller)));
  return isThere ? place : { tag: 'among', anchor: topLineIn(scroller) };
}

/** Scrolls so that the line is where it was. */
function keepInPlace(scroller: HTMLElement, anchor: Anchor | undefined): void {
  const offset = anchor && offsetOf(scroller, anchor.key);
  if (offset === undefined) return;
  const movedPx = offset - anchor!.offset;
  if (Math.abs(movedPx) >= 1) scroller.scrollTop += movedPx;
}

/** Undefined at the newest message, and at a message that is not in the log yet: it is near the newest. */
function placeToSave(
  scroller: HTMLElement,
  place: ReadingPlace,
  messages: ConversationState['messages'],
): SavedPlace | undefined {
  const line = place.tag === 'among' ? topLineIn(scroller) : undefined;
  const serverOffset = line && messages.find(({ key }) => key === line.key)?.serverOffset;
  return serverOffset === undefined
    ? undefined
    : { key: line!.key, serverOffset, px: Math.round(line!.offset) };
}

/** The first unread message is this far below the top of the view: the separator and a line or two are above it. */
function leadOf(scroller: HTMLElement): number {
  return Math.min(LEAD_PX, scroller.clientHeight / 3);
}

const LEAD_PX = 112;

function offsetOf(scroller: HTMLElement, key: string): number | undefined {
  const row = Array.from(rowsIn(scroller)).find((element) => element.dataset.key === key);
  return row && row.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

function rowsIn(scroller: HTMLElement): NodeListOf<HTMLElement> {
  return scroller.querySelectorAll<HTMLElement>('[data-key]');
}

/** The height of about a thousand long messages, more than one scrolls through without a pause. */
const SPACER_PX = 150_000;

/** The sizes of the log without the spacer. */
function sizesOf(scroller: HTMLElement): Sizes {
  const spacer = spacerOf(scroller);
  return {
    scrollTop: scroller.scrollTop - spacer,
    scrollHeight: scroller.scrollHeight - spacer,
    clientHeight: scroller.clientHeight,
  };
}

function spacerOf(scroller: HTMLElement): number {
  return Number(/[\d.]+(?=px)/.exec(rowsElementOf(scroller).style.paddingTop)?.[0] ?? 0);
}

/** The spacer is padding of the element with the rows, which itself stays where it is. */
function setSpacer(scroller: HTMLElement, px: number): void {
  rowsElementOf(scroller).style.paddingTop = `calc(var(--s-3) + ${px}px)`; // as in log.css
}

/** After a jump into the spacer, scrolls down to the first line: many pages would have to load before the spacer is used up. */
function scrollOutOfSpacer(scroller: HTMLElement): void {
  const spacer = spacerOf(scroller);
  if (scroller.scrollTop + scroller.clientHeight <= spacer) scroller.scrollTop = spacer;
}

function rowsElementOf(scroller: HTMLElement): HTMLElement {
  return scroller.firstElementChild as HTMLElement;
}
