/** Reading a long conversation from its end to its beginning. */
import type { Page } from '@playwright/test';
import { expect } from '../fixtures.ts';

export interface Read {
  /** What the log said, from the beginning to where the reader began, as it read last. */
  lines: string[];
  /** Everything that was within the view at any time. */
  inSight: Set<string>;
}

/**
 * Scrolls as a thumb does that is in a hurry: most of a view at a time, a frame after the other. It stops at a gap, and
 * goes on as that is filled.
 */
export async function readToTheBeginning(page: Page): Promise<Read> {
  const { views, texts, inSight } = await page.locator('.log').evaluate(async (log) => {
    const views: string[][] = [];
    const texts: Record<string, string> = {};
    const inSight = new Set<string>();
    const gap = () => Array.from(log.querySelectorAll('[data-gap]')).at(-1);
    const isBelowGap = (row: Element) =>
      ((gap()?.compareDocumentPosition(row) ?? 4) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
    const gapTop = () =>
      log.scrollTop +
      (gap()?.getBoundingClientRect().top ?? Number.NEGATIVE_INFINITY) -
      log.getBoundingClientRect().top;
    const look = () => {
      const { top, bottom } = log.getBoundingClientRect();
      const view: string[] = [];
      for (const row of log.querySelectorAll<HTMLElement>('[data-key]')) {
        if (!isBelowGap(row)) continue;
        const key = row.dataset.key!;
        const at = row.getBoundingClientRect();
        texts[key] = row.querySelector('.body, i')!.textContent!;
        if (at.bottom > top && at.top < bottom) inSight.add(texts[key]);
        view.push(key);
      }
      if (view.join() !== views.at(-1)?.join()) views.push(view);
    };
    const isAtStart = () => log.scrollTop === 0 && !log.querySelector('.note');
    while (!isAtStart()) {
      look();
      log.scrollTop = Math.max(gapTop(), log.scrollTop - log.clientHeight * 0.8);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    look();
    return { views, texts, inSight: [...inSight] };
  });
  return { lines: joined(views).map((key) => texts[key]!), inSight: new Set(inSight) };
}

/** Views of a window that goes upwards, as one list. What two of them share has to be the same, without a hole. */
function joined(views: readonly string[][]): string[] {
  let keys: string[] = [];
  for (const view of views) {
    const above = keys.length === 0 ? view.length : view.indexOf(keys[0]!);
    const from = above < 0 ? keys.indexOf(view[0]!) : 0;
    expect(from, 'a view that has nothing of the one before').toBeGreaterThanOrEqual(0);
    const shared = above < 0 ? view : view.slice(above);
    expect(shared).toEqual(keys.slice(from, from + shared.length));
    if (above > 0) keys = [...view.slice(0, above), ...keys];
  }
  return keys;
}
