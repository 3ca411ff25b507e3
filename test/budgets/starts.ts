/** A cold start offline: the browser was not running, and opens the app at a room. */
import { pieceTimes } from './calibration.ts';
import { openRoom, type Stage, watchedPage } from './stage.ts';
import { shiftOf, type Watched } from './watch.ts';

declare const watched: Watched;

export interface Start {
  /** Milliseconds from the beginning of the navigation until 50 messages are painted, including the start of the service worker. */
  ms: number;
  shift: number;
  /** Milliseconds of the pieces that calibrate it. */
  pieces: number[];
}

/** The browser is started before; its own start does not count. */
export async function coldStart(stage: Stage, slowdown: number): Promise<Start> {
  stage.network.refuse();
  const phone = await stage.phone();
  const page = await watchedPage(phone, slowdown);
  await openRoom(page, stage.room);
  const ms = await page.evaluate((count) => watched.shown(count), SHOWN_MESSAGES);
  await page.getByRole('main').getByText('Offline.').waitFor(); // everything after the first paint has loaded
  const shift = await shiftOf(page);
  const pieces = await pieceTimes(page, PIECES);
  await phone.close();
  stage.network.pass();
  return { ms, shift, pieces };
}

const PIECES = 5;

const SHOWN_MESSAGES = 50;
