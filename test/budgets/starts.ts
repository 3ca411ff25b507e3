/** A cold start without a network: a browser that was not running, opened at a room. */
import { openRoom, type Stage, watchedPage } from './stage.ts';
import { shiftOf, type Watched } from './watch.ts';

declare const watched: Watched;

export interface Start {
  /** From the beginning of the navigation until 50 messages were painted. Starting the service worker is in it. */
  ms: number;
  shift: number;
}

/** The browser itself is started before, and its own start does not count. */
export async function coldStart(stage: Stage, slowdown: number): Promise<Start> {
  stage.network.refuse();
  const phone = await stage.phone();
  const page = await watchedPage(phone, slowdown);
  await openRoom(page, stage.room);
  const ms = await page.evaluate((count) => watched.shown(count), SHOWN_MESSAGES);
  await page.getByRole('main').getByText('Offline.').waitFor(); // what comes after the first paint has come
  const shift = await shiftOf(page);
  await phone.close();
  stage.network.pass();
  return { ms, shift };
}

const SHOWN_MESSAGES = 50;
