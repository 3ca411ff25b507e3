/** Loads more of a log before the reader reaches an end or a gap, and keeps the reader's place for the next opening. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { WINDOW_MAX_LINES, WINDOW_SMALL_STEP_LINES, WINDOW_STEP_LINES } from '../../records/pageLimits.ts';
import type { SavedPlace } from '../../records/storedRecords.ts';
import type { Client, ConversationState } from '../../state/model.ts';
import {
  belowView,
  isAtEnd,
  type LineAt,
  lastLineIn,
  offsetIn,
  rowOf,
  type Sizes,
  sizesOf,
  spacerOf,
  topLineIn,
} from '../parts/logGeometry.ts';
import { useWorld } from '../parts/world.ts';

export function useLoading(room: string, log: RefObject<HTMLElement | null>, state: ConversationState): void {
  const { client } = useWorld();
  const latest = useRef(state);
  latest.current = state;
  const scrolledTo = useRef<string | undefined>(undefined); // a line in view after the last scroll: the first, at the newest message the last

  useEffect(() => {
    const element = log.current!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let at: Scrolled | undefined; // measured then: when this ends, the log is not in the document any more
    const save = () => {
      clearTimeout(timer);
      if (at && !latest.current.loading) client.leaveAt(room, placeOf(at, latest.current));
    };
    const onScroll = () => {
      if (!element.isConnected) return; // Preact ends an effect after the next frame, whose `scroll` event may still come
      scrollOutOfSpacer(element);
      const sizes = sizesOf(element);
      const line = latest.current.atNewest && isAtEnd(sizes) ? lastLineIn(element) : topLineIn(element);
      at = { line, isAtEnd: isAtEnd(sizes) };
      scrolledTo.current = line?.key;
      askForMore(client, room, element, sizes, latest.current, scrolledTo.current);
      clearTimeout(timer);
      timer = setTimeout(save, SAVE_MS);
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      element.removeEventListener('scroll', onScroll);
      save();
    };
  }, [client, room]);

  const first = state.messages[0]?.key;
  const last = state.messages.at(-1)?.key;
  const gaps = state.gaps.map(({ from, to }) => `${from}-${to}`).join();
  const ask = (when: boolean) => () => {
    if (when && log.current?.isConnected)
      askForMore(client, room, log.current, sizesOf(log.current), latest.current, scrolledTo.current);
  };
  const changes = [first, last, gaps, state.loading, state.older === 'stuck', state.between];
  // Before a scroll event that the change itself causes: a gap may have come into view by itself.
  useLayoutEffect(ask(gaps !== ''), changes);
  useEffect(ask(gaps === ''), changes); // after the frame: measuring here would be another layout in the same task
}

/** The place is kept this long after the last scroll. */
const SAVE_MS = 300;

/** What was in view after a scroll. */
interface Scrolled {
  line: LineAt | undefined;
  isAtEnd: boolean;
}

/** Undefined at the newest message, and at a message that is not in the log yet: it is near the newest. */
function placeOf({ line, isAtEnd }: Scrolled, state: ConversationState): SavedPlace | undefined {
  if (!line || (isAtEnd && state.atNewest)) return undefined;
  const serverOffset = state.messages.find(({ key }) => key === line.key)?.serverOffset;
  return serverOffset === undefined
    ? undefined
    : { key: line.key, serverOffset, px: Math.round(line.offset) };
}

function askForMore(
  client: Client,
  room: string,
  log: HTMLElement,
  sizes: Sizes,
  state: ConversationState,
  scrolledTo: string | undefined,
): void {
  if (state.loading) return;
  const isFull = state.messages.length + WINDOW_STEP_LINES > WINDOW_MAX_LINES; // a step leaves out lines at the other end
  if (state.between === 'idle') fillGap(client, room, log, state, sizes, scrolledTo);
  if (!state.atStart && state.older === 'idle' && nearStart(sizes, isFull))
    client.loadOlder(room, stepAt(sizes.scrollTop, sizes));
  if (!state.atNewest && nearEnd(sizes, isFull)) client.loadNewer(room, stepAt(belowView(sizes), sizes));
}

/** Loads into the newest gap near the view, at the edge away from the reader: the top line stays where it is. */
function fillGap(
  client: Client,
  room: string,
  log: HTMLElement,
  { gaps, atNewest }: ConversationState,
  sizes: Sizes,
  scrolledTo: string | undefined,
): void {
  if (gaps.length === 0) return;
  const view = log.getBoundingClientRect();
  const elements = Array.from(log.querySelectorAll<HTMLElement>('[data-gap]'));
  const element = elements.findLast((each) => isNearView(each.getBoundingClientRect(), view));
  const gap = element && gaps.find(({ from }) => from === Number(element.dataset.gap));
  if (!gap) return;
  const isBelow = (atNewest && isAtEnd(sizes)) || isReaderBelow(log, element, scrolledTo);
  client.loadBetween(room, gap, isBelow ? 'upper' : 'lower');
}

/**
 * True if the line to which the reader scrolled is below the gap, which may have come into view by itself, as older messages
 * loaded; or less than a line is visible above the gap.
 */
function isReaderBelow(log: HTMLElement, gap: HTMLElement, scrolledTo: string | undefined): boolean {
  const rowAt = (key: string | undefined) => (key === undefined ? null : rowOf(log, key));
  const row = rowAt(scrolledTo) ?? rowAt(topLineIn(log)?.key);
  if (!row || (gap.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0) return true;
  return offsetIn(log, gap) < LINE_PX;
}

const LINE_PX = 24;

/** More is loaded when the reader is this many view heights before an end. */
const AHEAD_VIEWS = 1.5;

/**
 * How many pixels before an end more is loaded. A full window of short lines in a high view could be near both ends:
 * each step would bring the other end near, for ever. So it is at most a third of what is out of view: as long as a step
 * is not higher than that, the other end is not near after it.
 */
function aheadPx({ scrollHeight, clientHeight }: Sizes, isFull: boolean): number {
  const ahead = clientHeight * AHEAD_VIEWS;
  return isFull ? Math.min(ahead, (scrollHeight - clientHeight) / 3) : ahead;
}

export function nearStart(sizes: Sizes, isFull: boolean): boolean {
  return sizes.scrollTop < aheadPx(sizes, isFull);
}

export function nearEnd(sizes: Sizes, isFull: boolean): boolean {
  return belowView(sizes) < aheadPx(sizes, isFull);
}

/** By how many lines the window moves towards its end, which is so many pixels out of view. */
export function stepAt(outOfViewPx: number, { clientHeight }: Sizes): number {
  return outOfViewPx > clientHeight ? WINDOW_SMALL_STEP_LINES : WINDOW_STEP_LINES;
}

/** True if an element is within AHEAD_VIEWS of the view. Both rectangles are in the same coordinates. */
export function isNearView(
  element: { top: number; bottom: number },
  view: { top: number; bottom: number; height: number },
): boolean {
  const ahead = view.height * AHEAD_VIEWS;
  return element.bottom > view.top - ahead && element.top < view.bottom + ahead;
}

/** After a jump into the spacer, scrolls down to the first line: many pages would have to load before the spacer is used up. */
function scrollOutOfSpacer(scroller: HTMLElement): void {
  const spacer = spacerOf(scroller);
  if (scroller.scrollTop + scroller.clientHeight <= spacer) scroller.scrollTop = spacer;
}
