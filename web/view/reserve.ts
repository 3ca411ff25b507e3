/**
 * Empty room above the first line, for what loads there. Older lines take of it what they need, and what goes from above
 * gives back what it had, so that nothing has to be moved while somebody scrolls: done by hand in that moment, browsers
 * count it as a layout shift, and iOS ends the swing of a scroll.
 */
import type { Sizes } from './readingPlace.ts';

/** A thousand long messages: what a quick reader scrolls through without a rest. */
export const RESERVE_PX = 150_000;

/** As if there were none. */
export function sizesOf(box: HTMLElement): Sizes {
  const reserve = reserveOf(box);
  return {
    scrollTop: box.scrollTop - reserve,
    scrollHeight: box.scrollHeight - reserve,
    clientHeight: box.clientHeight,
  };
}

export function reserveOf(box: HTMLElement): number {
  return Number(/[\d.]+(?=px)/.exec(rowsOf(box).style.paddingTop)?.[0] ?? 0);
}

/** By its padding: what holds the lines begins where it began, and they stand where they stood. */
export function setReserve(box: HTMLElement, px: number): void {
  rowsOf(box).style.paddingTop = `calc(var(--s-3) + ${px}px)`; // as in log.css
}

/** Who jumps up beyond all lines stands at the first of them: in the room above them they would wait for many pages. */
export function leaveReserve(box: HTMLElement): void {
  const reserve = reserveOf(box);
  if (box.scrollTop + box.clientHeight <= reserve) box.scrollTop = reserve;
}

function rowsOf(box: HTMLElement): HTMLElement {
  return box.firstElementChild as HTMLElement;
}
