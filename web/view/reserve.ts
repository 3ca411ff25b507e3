/**
 * Empty room above the first line, for what loads there. Older lines take of it what they need, and what goes from above
 * gives back what it had, so that nothing has to be moved while somebody scrolls: done by hand in that moment, browsers
 * count it as a layout shift, and iOS ends the swing of a scroll.
 */
import type { Sizes } from './readingPlace.ts';

/** What a quick reader scrolls through without a rest. Whoever jumps to its top waits for some pages. */
export const RESERVE_PX = 50_000;

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

function rowsOf(box: HTMLElement): HTMLElement {
  return box.firstElementChild as HTMLElement;
}
