/** Scrolls up through some hundred messages without a pause, and down again. */
import type { CDPSession, Page } from '@playwright/test';
import { shiftOf, type Watched } from './watch.ts';

declare const watched: Watched;

export interface Scrolled {
  /** The longest task in ms; 0 if none took the 50 ms that browsers report. */
  longestTaskMs: number;
  /** The maximum number of messages in the document. */
  mostRows: number;
  /** The browser's layout shift score so far: while older messages load above and are removed again. */
  shift: number;
  /** The number of messages that scrolled past; with few of them, the other values mean nothing. */
  passed: number;
}

/** Scrolls up until this many messages have passed, then down by the same distance. */
export async function scroll(page: Page, messages: number): Promise<Scrolled> {
  const cdp = await page.context().newCDPSession(page);
  const begin = await page.evaluate(() => performance.now());
  const passed = new Set<string>();
  let swipes = 0;
  for (; passed.size < messages && swipes < messages; swipes++) {
    await swipe(cdp, UP);
    for (const key of await page.locator('[data-key]').evaluateAll(keysOf)) passed.add(key);
  }
  while (swipes-- > 0) await swipe(cdp, DOWN);
  const tasks = await page.evaluate((since) => watched.longTasks.filter(({ at }) => at >= since), begin);
  return {
    longestTaskMs: Math.max(0, ...tasks.map(({ ms }) => ms)),
    mostRows: await page.evaluate(() => watched.mostRows),
    shift: await shiftOf(page),
    passed: passed.size,
  };
}

/** The same, looking for jumps, which makes every task longer. Resolves with their number. */
export async function jumpsOfScroll(page: Page, messages: number): Promise<number> {
  await page.evaluate(() => watched.lookForJumps());
  await scroll(page, messages);
  return page.evaluate(() => {
    watched.stopLooking();
    return watched.jumps.length;
  });
}

const [UP, DOWN] = [1, -1];

/** The browser's synthetic gesture, which takes the same path as a real one: a wheel, since synthetic touches do not reach an emulated screen. */
async function swipe(cdp: CDPSession, way: number): Promise<void> {
  await cdp.send('Input.synthesizeScrollGesture', {
    x: 195,
    y: 400,
    yDistance: way * SWIPE_PX,
    speed: SWIPE_PX_PER_SECOND,
    gestureSourceType: 'mouse',
    preventFling: true,
  });
}

const SWIPE_PX = 2_500;
const SWIPE_PX_PER_SECOND = 5_000;

function keysOf(rows: Element[]): string[] {
  return rows.map((row) => (row as HTMLElement).dataset.key!);
}
