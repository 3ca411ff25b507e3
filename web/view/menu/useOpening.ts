import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { LONG_PRESS_MS } from '../../records/pageLimits.ts';
import { messageOf, walk } from './keys.ts';
import { NO_PRESS, type Point, type Press, type PressEvent, press } from './press.ts';

/** The ways to the menu of a message: a long press, a right click, a key. `at` is where it was asked for. */
export function useOpening(log: RefObject<HTMLElement | null>, open: (key: string, at: Point) => void): void {
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

  const pressed = (event: PointerEvent) => {
    step({ type: 'end' }); // a second finger is no press
    const message = ownMenuOf(event);
    if (event.pointerType === 'mouse' || !event.isPrimary || !message) return;
    step({ type: 'down', key: message.dataset.key!, at: pointOf(event) });
    timer = setTimeout(() => step({ type: 'time' }), LONG_PRESS_MS);
  };
  const ended = () => step({ type: 'end' });
  const lifted = (event: TouchEvent) => {
    if (state.tag === 'long' && event.cancelable) event.preventDefault(); // no click on what opened under the finger
    ended();
  };
  const asked = (event: MouseEvent) => {
    const message = ownMenuOf(event);
    if (!message || isSelected(message)) return;
    event.preventDefault();
    if (state.tag === 'long') return; // open already: the browser has waited as long as we did
    if (state.tag === 'resting') return step({ type: 'time' });
    open(message.dataset.key!, pointOf(event));
  };
  const typed = (event: KeyboardEvent) => {
    if (walk(log, event)) return event.preventDefault();
    const wanted =
      event.key === 'Enter' || event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey);
    if (!wanted || !(event.target instanceof HTMLElement) || !event.target.dataset.key) return;
    event.preventDefault();
    const { left, top } = event.target.getBoundingClientRect();
    open(event.target.dataset.key, { x: left + 24, y: Math.max(top, 0) + 24 });
  };

  log.addEventListener('pointerdown', pressed, options);
  log.addEventListener('pointermove', (event) => step({ type: 'move', at: pointOf(event) }), options);
  log.addEventListener('pointercancel', ended, options);
  log.addEventListener('pointerup', (event) => event.pointerType !== 'touch' && ended(), options);
  log.addEventListener('touchend', lifted, { ...options, passive: false });
  log.addEventListener('contextmenu', asked, options);
  log.addEventListener('keydown', typed, options);
  return () => {
    ended();
    ends.abort();
  };
}

/** The message that was meant; a link in it has a menu of the browser's. */
function ownMenuOf({ target }: Event): HTMLElement | undefined {
  return target instanceof Element && !target.closest('a') ? messageOf(target) : undefined;
}

/** Who has selected something wants to copy that. */
function isSelected(message: HTMLElement): boolean {
  const selection = getSelection();
  return !!selection && !selection.isCollapsed && selection.containsNode(message, true);
}

function pointOf({ clientX, clientY }: MouseEvent): Point {
  return { x: clientX, y: clientY };
}
