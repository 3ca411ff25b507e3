/** Sizes and positions in a log on the screen, in pixels. */

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

/** Within this distance of the end the reader counts as at the end: a finger does not stop at a pixel. */
const END_WITHIN_PX = 48;
export function isAtEnd(sizes: Sizes): boolean {
  return belowView(sizes) <= END_WITHIN_PX;
}

export function belowView({ scrollTop, scrollHeight, clientHeight }: Sizes): number {
  return scrollHeight - scrollTop - clientHeight;
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

/** A line, and its distance from the top of the scrollable content, in pixels. */
export type LineAt = Anchor & { at: number };

/** The first line that is at least partly in view. */
export function topLineIn(scroller: HTMLElement): LineAt | undefined {
  const rows = rowsIn(scroller);
  const top = scroller.getBoundingClientRect().top;
  const index = firstInView(rows.length, (i) => rows[i]!.getBoundingClientRect().bottom, top);
  return lineAt(scroller, index === undefined ? undefined : rows[index]);
}

/** The same for the last line: it is found without a search. */
export function lastLineIn(scroller: HTMLElement): LineAt | undefined {
  const rows = rowsIn(scroller);
  return lineAt(scroller, rows[rows.length - 1]);
}

function lineAt(scroller: HTMLElement, row: HTMLElement | undefined): LineAt | undefined {
  if (!row) return undefined;
  const offset = offsetIn(scroller, row);
  return { key: row.dataset.key!, offset, at: offset + scroller.scrollTop };
}

/** How far below the top of the view it begins. */
export function offsetIn(scroller: HTMLElement, row: HTMLElement): number {
  return row.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
}

export function rowsIn(scroller: HTMLElement): NodeListOf<HTMLElement> {
  return scroller.querySelectorAll<HTMLElement>('[data-key]');
}

/** The sizes of the log without the spacer, and the height of that. */
export type SizesBesideSpacer = Sizes & { spacer: number };

export function sizesOf(scroller: HTMLElement): SizesBesideSpacer {
  const spacer = spacerOf(scroller);
  return {
    spacer,
    scrollTop: scroller.scrollTop - spacer,
    scrollHeight: scroller.scrollHeight - spacer,
    clientHeight: scroller.clientHeight,
  };
}

/** Measured only where it may have shrunk. */
export function spacerOf(scroller: HTMLElement): number {
  const spacer = spacerElementOf(scroller);
  return Number(spacer.dataset.px || spacer.getBoundingClientRect().height);
}

/**
 * Lines that are added move those below them. Not so with a `height` of spacer and lines together: the spacer is then what
 * the lines leave of it, and gets smaller.
 */
export function setSpacer(scroller: HTMLElement, px: number, height = ''): void {
  const { style, dataset } = spacerElementOf(scroller);
  style.flex = `${height ? 1 : 0} 0 ${px}px`;
  dataset.px = height ? '' : `${px}`; // the style has fewer digits
  rowsElementOf(scroller).style.minHeight = height;
}

function spacerElementOf(scroller: HTMLElement): HTMLElement {
  return rowsElementOf(scroller).firstElementChild as HTMLElement;
}

export function rowOf(scroller: HTMLElement, key: string): HTMLElement | null {
  return scroller.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
}

export function rowsElementOf(scroller: HTMLElement): HTMLElement {
  return scroller.firstElementChild as HTMLElement;
}
