/** Measures the time from a tap on Send to a durable, visible row: online, on the phone with the large database. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CDPSession, Page } from '@playwright/test';
import { seeded } from '../support/random.ts';
import { waitFor } from '../support/waitFor.ts';
import type { Tap, Watched } from './watch.ts';

declare const watched: Watched;

/** The number of the round; it makes the texts of each round different. */
let round = 0;

/** Milliseconds from the end of each touch until the row is durable and painted, whichever is later. One tap after the other. */
export async function tapTimes(page: Page, count: number): Promise<number[]> {
  const random = seeded(++round);
  const field = page.getByRole('textbox', { name: 'Message' });
  const send = page.getByRole('button', { name: 'Send', exact: true });
  await field.focus();
  const { x, y, width, height } = (await send.boundingBox())!;
  const cdp = await page.context().newCDPSession(page);
  const times: number[] = [];
  while (times.length < count) {
    const body = `Seal ${times.length + 1} of round ${round}`; // one line: the composer does not grow
    await page.keyboard.insertText(body);
    await page.evaluate((text) => watched.expectTap(text), body);
    await sleep(random.int(THUMB_LEAST_MS, THUMB_MOST_MS)); // the thumb moves to the button
    await press(cdp, { x: x + width / 2, y: y + height / 2 });
    times.push(await timeOfLast(page));
    await isSent(page, body);
  }
  return times;
}

/**
 * The same for one tap at any time, without waiting until the text is sent. Elements are found by selectors: by role, Playwright
 * would compute the names of all elements in the page, which is measured.
 */
export async function timeOfTap(page: Page, cdp: CDPSession, body: string): Promise<number> {
  await page.locator('.composer textarea').focus();
  await page.keyboard.insertText(body);
  const { x, y, width, height } = (await page.locator('.composer button[aria-label="Send"]').boundingBox())!;
  await page.evaluate((text) => watched.expectTap(text), body);
  await press(cdp, { x: x + width / 2, y: y + height / 2 });
  return timeOfLast(page);
}

/** Often during the write of the draft, but never so fast that the write has not begun. */
const THUMB_LEAST_MS = 100;
const THUMB_MOST_MS = 400;

async function press(cdp: CDPSession, point: { x: number; y: number }): Promise<void> {
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [point] });
  await sleep(ON_THE_GLASS_MS);
  await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
}

/** The shortest touch of a finger. */
const ON_THE_GLASS_MS = 60;

async function timeOfLast(page: Page): Promise<number> {
  const { at, durable, shown } = await page.evaluate(() => watched.tap as Promise<Tap>);
  return Math.max(durable, shown) - at;
}

/** Waits until the text is sent, so that the next tap begins on an idle phone. */
async function isSent(page: Page, body: string): Promise<void> {
  const row = page.locator('.message', { has: page.getByText(body, { exact: true }) }).last();
  await waitFor(
    `“${body}” is sent`,
    async () => (await row.getByText('Sent', { exact: true }).count()) === 1,
  );
}
