/** Moves through a log: to its newest message, and from there to its beginning. */
import type { Page } from '@playwright/test';
import { recordsOf } from '../../support/indexedDb.ts';
import { expect, message } from '../fixtures.ts';

/** Goes to the newest message, which has this text, by the button that leads there: a log stays with what was read last. */
export async function goToNewest(page: Page, body: string): Promise<void> {
  const button = page.getByRole('button', { name: /(new messages?|the newest message)$/ });
  await expect(async () => {
    if (await button.isVisible()) await button.click({ timeout: 1_000 }).catch(() => {}); // it may be gone by now
    await expect(message(page, body)).toBeInViewport({ timeout: 1_000 });
  }).toPass({ timeout: 30_000 });
}

/** Waits until the read marker of a room is stored on the device. */
export async function expectReadUpTo(page: Page, serverOffset: number): Promise<void> {
  const mark = { store: 'marks', containing: `"upTo":${serverOffset},` };
  await expect.poll(() => recordsOf(page, mark)).toHaveLength(1);
}

export interface Read {
  /** The texts from the beginning to where the scroll started, each as it was shown last. */
  lines: string[];
  /** All texts that were in view at any time. */
  inSight: Set<string>;
}

/**
 * Scrolls up quickly: most of a view in every frame. It stops at a gap and continues as the gap is filled.
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

/** Joins the keys of successive views into one list. The views must overlap, and agree where they do. */
function joined(views: readonly string[][]): string[] {
  let keys: string[] = [];
  for (const view of views) {
    const above = keys.length === 0 ? view.length : view.indexOf(keys[0]!);
    const from = above < 0 ? keys.indexOf(view[0]!) : 0;
    expect(from, 'a view that does not overlap the one before').toBeGreaterThanOrEqual(0);
    const shared = above < 0 ? view : view.slice(above);
    expect(shared).toEqual(keys.slice(from, from + shared.length));
    if (above > 0) keys = [...view.slice(0, above), ...keys];
  }
  return keys;
}
