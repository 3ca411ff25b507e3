/**
 * Pointer and keyboard input on the log. A long press, a right click or a key opens the menu of a message; the arrow keys,
 * Page Up, Page Down, Home and End move the focus between messages. The log is a single tab stop.
 */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { assertNever } from '../../../shared/never.ts';
import { LONG_PRESS_MS } from '../../records/pageLimits.ts';
import { firstInView } from '../parts/logGeometry.ts';

export interface Point {
  x: number;
  y: number;
}

/** Calls `open` with the key of a message when its menu is requested; `at` is where, in pixels of the viewport. */
export function useLogInput(
  log: RefObject<HTMLElement | null>,
  open: (key: string, at: Point) => void,
): void {
  const latest = useRef(open);
  latest.current = open;
  useLayoutEffect(() => listen(log.current!, (key, at) => latest.current(key, at)), []);
}

function listen(log: HTMLElement, open: (key: string, at: Point) => void): () => void {
  const ends = new AbortController();
  const options = { signal: ends.signal };
  let state: Press = NO_PRESS;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const step = (event: PressEvent) => {
    const before = state;
    state = press(state, event);
    if (state.tag !== 'resting') clearTimeout(timer);
    if (state.tag === 'long' && before.tag === 'resting') open(state.key, before.at);
  };

  const onPointerDown = (event: PointerEvent) => {
    step({ type: 'end' }); // a second finger ends the press of the first
    const message = messageWithMenu(event);
    if (event.pointerType === 'mouse' || !event.isPrimary || !message) return;
    step({ type: 'down', key: message.dataset.key!, at: pointOf(event) });
    timer = setTimeout(() => step({ type: 'time' }), LONG_PRESS_MS);
  };
  const onPressEnd = () => step({ type: 'end' });
  const onTouchEnd = (event: TouchEvent) => {
    if (state.tag === 'long' && event.cancelable) event.preventDefault(); // no click on the menu that opened under the finger
    onPressEnd();
  };
  const onContextMenu = (event: MouseEvent) => {
    const message = messageWithMenu(event);
    if (!message || isSelected(message)) return;
    event.preventDefault();
    if (state.tag === 'long') return; // the timer has opened the menu already
    if (state.tag === 'resting') return step({ type: 'time' });
    open(message.dataset.key!, pointOf(event));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (moveFocus(log, event)) return event.preventDefault();
    const isMenuKey =
      event.key === 'Enter' || event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey);
    if (!isMenuKey || !(event.target instanceof HTMLElement) || !event.target.dataset.key) return;
    event.preventDefault();
    const { left, top } = event.target.getBoundingClientRect();
    open(event.target.dataset.key, { x: left + 24, y: Math.max(top, 0) + 24 });
  };

  log.addEventListener('pointerdown', onPointerDown, options);
  log.addEventListener('pointermove', (event) => step({ type: 'move', at: pointOf(event) }), options);
  log.addEventListener('pointercancel', onPressEnd, options);
  log.addEventListener('pointerup', (event) => event.pointerType !== 'touch' && onPressEnd(), options);
  log.addEventListener('touchend', onTouchEnd, { ...options, passive: false });
  log.addEventListener('contextmenu', onContextMenu, options);
  log.addEventListener('keydown', onKeyDown, options);
  return () => {
    onPressEnd();
    ends.abort();
  };
}

/** The message under the pointer. Undefined on a link, which keeps the browser's own context menu. */
function messageWithMenu({ target }: Event): HTMLElement | undefined {
  if (!(target instanceof Element) || target.closest('a')) return undefined;
  return target.closest<HTMLElement>('[data-key]') ?? undefined;
}

/** With text selected, the browser's context menu stays: it has Copy. */
function isSelected(message: HTMLElement): boolean {
  const selection = getSelection();
  return !!selection && !selection.isCollapsed && selection.containsNode(message, true);
}

function pointOf({ clientX, clientY }: MouseEvent): Point {
  return { x: clientX, y: clientY };
}

/** State machine of a long press. Pure: pointer events and the timer are its input. */
export type Press =
  | { tag: 'none' }
  | { tag: 'resting'; key: string; at: Point }
  /** Long enough: the menu is open under the finger, and lifting the finger has no further effect. */
  | { tag: 'long'; key: string };

export type PressEvent =
  | { type: 'down'; key: string; at: Point }
  | { type: 'move'; at: Point }
  /** LONG_PRESS_MS after `down`. */
  | { type: 'time' }
  /** The finger was lifted, the browser started a scroll, or a second finger came. */
  | { type: 'end' };

export const NO_PRESS: Press = { tag: 'none' };

export function press(state: Press, event: PressEvent): Press {
  switch (event.type) {
    case 'down':
      return { tag: 'resting', key: event.key, at: event.at };
    case 'move':
      return state.tag === 'resting' && isFar(state.at, event.at) ? NO_PRESS : state;
    case 'time':
      return state.tag === 'resting' ? { tag: 'long', key: state.key } : state;
    case 'end':
      return NO_PRESS;
    default:
      return assertNever(event);
  }
}

function isFar(a: Point, b: Point): boolean {
  return Math.hypot(a.x - b.x, a.y - b.y) > STILL_WITHIN_PX;
}

/** A resting finger moves by this much. */
const STILL_WITHIN_PX = 10;

/** Moves the focus to another message. Returns true if the key was one that does so. */
function moveFocus(log: HTMLElement, event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return false;
  const messages = [...log.querySelectorAll<HTMLElement>('[data-key]')];
  const focused = messages.findIndex((message) => message.contains(document.activeElement));
  const to = stepTo(event.key, focused < 0 ? undefined : focused, lastInView(log, messages), messages.length);
  if (to === undefined) return false;
  messages[to]!.focus({ preventScroll: true });
  messages[to]!.scrollIntoView({ block: 'nearest' });
  if (to === 0 && focused === 0) messages[0]!.scrollIntoView(); // so that older messages load above it
  return true;
}

/**
 * The index that a key leads to among `count` messages: from the focused message `from`, or from the message `shown` if none
 * has the focus. Undefined for other keys.
 */
export function stepTo(
  key: string,
  from: number | undefined,
  shown: number,
  count: number,
): number | undefined {
  const to = target(key, from, shown, count);
  return to === undefined || count === 0 ? undefined : Math.min(Math.max(to, 0), count - 1);
}

function target(key: string, from: number | undefined, shown: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowUp':
      return from === undefined ? shown : from - 1;
    case 'ArrowDown':
      return from === undefined ? shown : from + 1;
    case 'PageUp':
      return from === undefined ? undefined : from - PAGE; // without a focused message the browser scrolls the log
    case 'PageDown':
      return from === undefined ? undefined : from + PAGE;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

/** Messages that Page Up and Page Down skip: about as many as one view shows. */
const PAGE = 10;

/** The index of the last message whose lower edge is in view; -1 if there is none. To measure each would take as long as a layout. */
export function lastInView(log: HTMLElement, messages: readonly HTMLElement[]): number {
  const end = log.getBoundingClientRect().bottom + 1;
  const count = messages.length;
  return (firstInView(count, (i) => messages[i]!.getBoundingClientRect().bottom, end) ?? count) - 1;
}
