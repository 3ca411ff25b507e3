/** A reader who scrolls up through some hundred messages without a rest, and down again. */
import type { CDPSession, Page } from '@playwright/test';
import { shiftOf, type Watched } from './watch.ts';

declare const watched: Watched;

export interface Scrolled {
  /** The longest task there was; 0 where none took the 50 ms from which on browsers tell. */
  longestTaskMs: number;
  /** The most messages that were in the document at one time. */
  mostRows: number;
  /** Up to now, as the browser counts it: while older ones load above, and go again. */
  shift: number;
  /** Jumps of the log under its reader. */
  jumps: number;
  /** Messages that came by: without them the rest says nothing. */
  passed: number;
}

/** Up until so many messages have come by, and as far down again. */
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
    jumps: await page.evaluate(() => watched.jumps.length),
    passed: passed.size,
  };
}

const [UP, DOWN] = [1, -1];

/** The browser's own gesture, along the way of every real one: a wheel's, since a synthetic touch reaches no emulated screen. */
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
