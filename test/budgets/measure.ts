/** Takes all measurements, often enough for percentiles. Takes some minutes. */
import type { Page } from '@playwright/test';
import budgets from './budgets.json' with { type: 'json' };
import { pieceTimes } from './calibration.ts';
import { quantile } from './figures.ts';
import { type Scrolled, scroll } from './scrolling.ts';
import { livePage, type Stage } from './stage.ts';
import { coldStart, type Start } from './starts.ts';
import { tapTimes } from './taps.ts';
import { shiftOf } from './watch.ts';

/** The measurements at one CPU slowdown. */
export interface Measured {
  slowdown: number;
  /** How much slower a loop runs in the page than without the slowdown. */
  slowdownSeen: number;
  starts: Start[];
  taps: number[];
  scrolls: Scrolled[];
  /** Layout shift of the page until the tap. */
  shiftOfTaps: number;
  /** The median of the pieces of calibration.ts, in milliseconds: `calibrationMs` of the budgets is this of a quiet machine. */
  pieceMs: number;
}

export interface Amounts {
  starts: number;
  taps: number;
  scrolls: number;
  messages: number;
}

export async function measure(stage: Stage, slowdown: number, amounts: Amounts): Promise<Measured> {
  const starts: Start[] = [];
  while (starts.length < amounts.starts) starts.push(await coldStart(stage, slowdown));

  const phone = await stage.phone();
  const page = await livePage(stage, phone, slowdown);
  const slowdownSeen = await seenIn(page, slowdown);
  // between the measurements, since how slow a machine is changes within seconds
  const pieces = await pieceTimes(page, 2);
  const taps: number[] = [];
  while (taps.length < amounts.taps) {
    taps.push(...(await tapTimes(page, 10)));
    pieces.push(...(await pieceTimes(page, 2)));
  }
  const shiftOfTaps = await shiftOf(page);
  const scrolls: Scrolled[] = [];
  while (scrolls.length < amounts.scrolls) {
    scrolls.push(await scroll(page, amounts.messages));
    pieces.push(...(await pieceTimes(page, 2)));
  }
  const pieceMs = quantile(pieces, 0.5);
  await phone.close();
  return { slowdown, slowdownSeen, starts, taps, scrolls, shiftOfTaps, pieceMs };
}

export const ENOUGH: Amounts = { starts: 20, taps: 200, scrolls: 5, messages: 1_000 };
export const A_LOOK: Amounts = { starts: 3, taps: 10, scrolls: 1, messages: 300 };

/** Checks that the browser's CPU throttling works. */
async function seenIn(page: Page, slowdown: number): Promise<number> {
  const cdp = await page.context().newCDPSession(page);
  const loop = () =>
    page.evaluate(() => {
      const begin = performance.now();
      let sum = 0;
      for (let n = 0; n < 2e7; n++) sum += n % 7;
      return sum > 0 ? performance.now() - begin : 0;
    });
  const least = async () => Math.min(await loop(), await loop(), await loop());
  const slow = await least();
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  const quick = await least();
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
  return slow / quick;
}

export const SLOWDOWNS = [budgets.cpuSlowdown, 1];
