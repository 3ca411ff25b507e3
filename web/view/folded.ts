/** Messages of many lines: which are folded, and what of them shows. Rows are estimated, since measuring forces a layout. */

/** About two screens of a phone. */
const TALL_FROM_ROWS = 80;
const FOLDED_ROWS = 24;
/** Latin letters in a row of a phone; others are counted as two. */
const ROW_LETTERS = 40;

export function isTall(text: string): boolean {
  return text.length >= TALL_FROM_ROWS && endOfRow(text, TALL_FROM_ROWS) < text.length;
}

export function firstRows(text: string): string {
  return text.slice(0, endOfRow(text, FOLDED_ROWS)).toWellFormed();
}

/** Where a row ends, counted from 1; the length of the text if it has no more rows. */
function endOfRow(text: string, row: number): number {
  let width = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    width += code < 0x1100 ? 1 : 2;
    if (code !== 10 && width <= ROW_LETTERS) continue;
    if (--row === 0) return i;
    width = 0;
  }
  return text.length;
}
