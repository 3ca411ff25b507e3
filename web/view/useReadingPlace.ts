import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ConversationState } from '../state/model.ts';
import {
  type Anchor,
  type Distance,
  distanceOf,
  firstInView,
  isAtEnd,
  nearEnd,
  nearStart,
  newestOf,
  othersAfter,
  placeAfterScroll,
  type ReadingPlace,
} from './readingPlace.ts';

export interface Reading {
  distance: Distance;
  /** Others' messages that came since the reader was at the end. */
  unseen: number;
  toNewest(): void;
}

/** Keeps the reader's place in the log over every change of it, and asks for more before they get to its ends. */
export function useReadingPlace(
  box: RefObject<HTMLDivElement | null>,
  state: ConversationState,
  more: { older(): void; newer(): void; newest(): void },
): Reading {
  const place = useRef<ReadingPlace>({ tag: 'newest' });
  const leftAt = useRef(0); // where we last scrolled to
  const lastSeen = useRef(0);
  const unseen = useRef(0); // of those that were in the window while it was at the newest
  const [distance, setDistance] = useState<Distance>('here');
  const latest = useRef({ state, more });
  latest.current = { state, more };

  // Rendering has not touched the document yet: what is looked at can still be measured as it was. The browser tells of
  // a scroll with its next frame only: one that it has not told of is not undone.
  if (
    box.current &&
    (place.current.tag === 'among' || isScrolledAway(place.current, box.current, leftAt.current))
  )
    place.current = { tag: 'among', anchor: anchorIn(box.current) };
  const keepPlace = (element: HTMLElement) => {
    restore(element, place.current);
    leftAt.current = element.scrollTop;
  };

  useLayoutEffect(() => {
    if (place.current.tag === 'leaving-for-newest' && state.atNewest) place.current = { tag: 'newest' };
    keepPlace(box.current!);
    if (place.current.tag === 'newest' && state.atNewest) lastSeen.current = newestOf(state.messages);
  });

  const first = state.messages[0]?.key;
  const last = state.messages.at(-1)?.key;
  useLayoutEffect(
    () => askForMore(box.current!, latest.current),
    [first, last, state.loading, state.older === 'stuck', state.newer === 'stuck'],
  );

  useLayoutEffect(() => {
    const element = box.current!;
    const scrolled = () => {
      const { atNewest } = latest.current.state;
      place.current = placeAfterScroll(place.current, element, atNewest, anchorIn(element));
      if (place.current.tag === 'newest') lastSeen.current = newestOf(latest.current.state.messages);
      setDistance(distanceOf(place.current, element, atNewest));
      askForMore(element, latest.current);
    };
    const resized = new ResizeObserver(() => keepPlace(element)); // the keyboard, a turned phone
    resized.observe(element);
    element.addEventListener('scroll', scrolled, { passive: true });
    return () => {
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
  return place.tag === 'newest' && box.scrollTop < leftAt && !isAtEnd(box);
}

function askForMore(
  box: HTMLElement,
  { state, more }: { state: ConversationState; more: { older(): void; newer(): void } },
): void {
  if (state.loading) return;
  if (!state.atStart && state.older === 'idle' && nearStart(box)) more.older();
  if (!state.atNewest && state.newer === 'idle' && nearEnd(box)) more.newer();
}

function anchorIn(box: HTMLElement): Anchor | undefined {
  const rows = rowsIn(box);
  const top = box.getBoundingClientRect().top;
  const index = firstInView(rows.length, (i) => rows[i]!.getBoundingClientRect().bottom, top);
  const row = index === undefined ? undefined : rows[index];
  return row && { key: row.dataset.key!, offset: row.getBoundingClientRect().top - top };
}

function restore(box: HTMLElement, place: ReadingPlace): void {
  if (place.tag !== 'among') {
    box.scrollTop = box.scrollHeight;
    return;
  }
  const { anchor } = place;
  const row = anchor && Array.from(rowsIn(box)).find((element) => element.dataset.key === anchor.key);
  if (!row) return;
  const moved = row.getBoundingClientRect().top - box.getBoundingClientRect().top - anchor.offset;
  if (Math.abs(moved) >= 1) box.scrollTop += moved;
}

function rowsIn(box: HTMLElement): NodeListOf<HTMLElement> {
  return box.querySelectorAll<HTMLElement>('[data-key]');
}
