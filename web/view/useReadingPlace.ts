import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ConversationState } from '../state/model.ts';
import {
  type Anchor,
  type Distance,
  distanceOf,
  firstInView,
  isAtEnd,
  isNearView,
  nearEnd,
  nearStart,
  newestOf,
  othersAfter,
  placeAfterScroll,
  type ReadingPlace,
} from './readingPlace.ts';
import { leaveReserve, RESERVE_PX, reserveOf, setReserve, sizesOf } from './reserve.ts';

export interface Reading {
  distance: Distance;
  /** Others' messages that came since the reader was at the end. */
  unseen: number;
  toNewest(): void;
}

interface More {
  older(): void;
  newer(): void;
  between(gap: ConversationState['gaps'][number], edge: 'upper' | 'lower'): void;
}

/** Keeps the reader's place in the log over every change of it, and asks for more before they get to its ends. */
export function useReadingPlace(
  box: RefObject<HTMLDivElement | null>,
  state: ConversationState,
  more: More & { newest(): void },
): Reading {
  const place = useRef<ReadingPlace>({ tag: 'newest' });
  const leftAt = useRef(0); // where we last scrolled to
  const looked = useRef<Looked | undefined>(undefined); // at, before what is rendered now
  const turns = useRef(0); // the last one rests
  const lastSeen = useRef(0);
  const unseen = useRef(0); // of those that were in the window while it was at the newest
  const [distance, setDistance] = useState<Distance>('here');
  const latest = useRef({ state, more });
  latest.current = { state, more };

  // Rendering has not touched the document yet: what is looked at can still be measured as it was. The browser tells of
  // a scroll with its next frame only: one that it has not told of is not undone.
  if (box.current) {
    looked.current = lookedAtIn(box.current);
    if (place.current.tag === 'among' || isScrolledAway(place.current, box.current, leftAt.current))
      place.current = { tag: 'among', anchor: looked.current };
  }
  const keepPlace = (element: HTMLElement) => {
    restore(element, place.current);
    leftAt.current = element.scrollTop;
    restLater();
  };
  const restLater = () => {
    const turn = ++turns.current;
    const soon = (next: () => void) => () => turn === turns.current && next();
    const rest = () => {
      const element = box.current!;
      refill(element, reserveFor(latest.current.state));
      leftAt.current = element.scrollTop;
    };
    // Never in the frame in which something came: the two would be taken for one.
    const afterFrame = () => requestAnimationFrame(() => setTimeout(soon(rest)));
    setTimeout(soon(afterFrame), REST_MS);
  };

  useLayoutEffect(() => {
    if (place.current.tag === 'leaving-for-newest' && state.atNewest) place.current = { tag: 'newest' };
    adjustReserve(box.current!, looked.current, state);
    keepPlace(box.current!);
    if (place.current.tag === 'newest' && state.atNewest) lastSeen.current = newestOf(state.messages);
  });

  const first = state.messages[0]?.key;
  const last = state.messages.at(-1)?.key;
  const gaps = state.gaps.map(({ from, to }) => `${from}-${to}`).join();
  useLayoutEffect(
    () => askForMore(box.current!, latest.current, place.current),
    [first, last, gaps, state.loading, state.older === 'stuck', state.between],
  );

  useLayoutEffect(() => {
    const element = box.current!;
    const scrolled = () => {
      leaveReserve(element);
      const { atNewest } = latest.current.state;
      const sizes = sizesOf(element);
      place.current = placeAfterScroll(place.current, sizes, atNewest, lookedAtIn(element));
      if (place.current.tag === 'newest') lastSeen.current = newestOf(latest.current.state.messages);
      setDistance(distanceOf(place.current, sizes, atNewest));
      askForMore(element, latest.current, place.current);
      restLater();
    };
    const resized = new ResizeObserver(() => keepPlace(element)); // the keyboard, a turned phone
    resized.observe(element);
    element.addEventListener('scroll', scrolled, { passive: true });
    return () => {
      turns.current++;
      resized.disconnect();
      element.removeEventListener('scroll', scrolled);
    };
  }, []);

  if (state.atNewest) unseen.current = othersAfter(state.messages, lastSeen.current);
  return {
    distance,
    unseen: distance === 'here' ? 0 : unseen.current + (state.atNewest ? 0 : state.unseen),
    toNewest() {
      if (latest.current.state.atNewest) place.current = { tag: 'newest' };
      else {
        place.current = { tag: 'leaving-for-newest' };
        latest.current.more.newest();
      }
      setDistance('here');
      keepPlace(box.current!);
    },
  };
}

/** By its reader: what a smaller view hides below, or fewer lines leave above, is no scroll. */
function isScrolledAway(place: ReadingPlace, box: HTMLElement, leftAt: number): boolean {
  return place.tag === 'newest' && box.scrollTop < leftAt && !isAtEnd(sizesOf(box));
}

function askForMore(
  box: HTMLElement,
  { state, more }: { state: ConversationState; more: More },
  place: ReadingPlace,
): void {
  if (state.loading) return;
  const sizes = sizesOf(box);
  if (state.between === 'idle') fillGapIn(box, state, more, place);
  if (!state.atStart && state.older === 'idle' && nearStart(sizes)) more.older();
  if (!state.atNewest && nearEnd(sizes)) more.newer();
}

/** Of the gaps near the view the newest. What is filled in goes where the reader is not: the first line in view stays. */
function fillGapIn(box: HTMLElement, { gaps }: ConversationState, more: More, place: ReadingPlace): void {
  const view = box.getBoundingClientRect();
  const elements = Array.from(box.querySelectorAll<HTMLElement>('[data-gap]'));
  const element = elements.findLast((each) => isNearView(each.getBoundingClientRect(), view));
  const gap = element && gaps.find(({ from }) => from === Number(element.dataset.gap));
  if (!gap) return;
  more.between(gap, isReadFromBelow(box, element, place) ? 'upper' : 'lower');
}

/**
 * True where what is read lies below the gap. That is what was looked at last, since the gap may have come into view by
 * itself, as older messages load; and who looks at less than a line of a message above it reads what is below.
 */
function isReadFromBelow(box: HTMLElement, gap: HTMLElement, place: ReadingPlace): boolean {
  const anchor = place.tag === 'among' ? place.anchor?.key : undefined;
  const row = Array.from(rowsIn(box)).find((each) => each.dataset.key === anchor);
  if (!row || (gap.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0) return true;
  return gap.getBoundingClientRect().top - box.getBoundingClientRect().top < LINE_PX;
}

/** The first line in view, and how far below the beginning of all that can be scrolled to it stands. */
type Looked = Anchor & { at: number };

function lookedAtIn(box: HTMLElement): Looked | undefined {
  const rows = rowsIn(box);
  const top = box.getBoundingClientRect().top;
  const index = firstInView(rows.length, (i) => rows[i]!.getBoundingClientRect().bottom, top);
  const row = index === undefined ? undefined : rows[index];
  const offset = row && row.getBoundingClientRect().top - top;
  return offset === undefined ? undefined : { key: row!.dataset.key!, offset, at: offset + box.scrollTop };
}

/** What was looked at stands where it stood, as far as the reserve goes. Where nothing was, all is new and nothing moves. */
function adjustReserve(box: HTMLElement, looked: Looked | undefined, state: ConversationState): void {
  if (!looked) {
    setReserve(box, reserveFor(state));
    return;
  }
  const offset = offsetOf(box, looked.key);
  if (offset === undefined) return;
  const moved = offset + box.scrollTop - looked.at;
  const reserve = reserveOf(box);
  const left = state.atStart ? 0 : Math.max(0, reserve - moved);
  if (left !== reserve) setReserve(box, left);
}

/** None where nothing older will load: it would be empty room to scroll into. */
function reserveFor({ loading, atStart, older }: ConversationState): number {
  return loading || atStart || older === 'stuck' ? 0 : RESERVE_PX;
}

/** While nothing scrolls that can be made up for exactly, and so unseen. */
function refill(box: HTMLElement, px: number): void {
  const by = px - reserveOf(box);
  if (by === 0) return;
  const top = box.scrollTop;
  setReserve(box, px);
  box.scrollTop = top + by;
}

/** So long after the last scroll. */
const REST_MS = 300;
const LINE_PX = 24;

function restore(box: HTMLElement, place: ReadingPlace): void {
  if (place.tag !== 'among') {
    box.scrollTop = box.scrollHeight;
    return;
  }
  const { anchor } = place;
  const offset = anchor && offsetOf(box, anchor.key);
  if (offset === undefined) return;
  const moved = offset - anchor!.offset;
  if (Math.abs(moved) >= 1) box.scrollTop += moved;
}

function offsetOf(box: HTMLElement, key: string): number | undefined {
  const row = Array.from(rowsIn(box)).find((element) => element.dataset.key === key);
  return row && row.getBoundingClientRect().top - box.getBoundingClientRect().top;
}

function rowsIn(box: HTMLElement): NodeListOf<HTMLElement> {
  return box.querySelectorAll<HTMLElement>('[data-key]');
}
