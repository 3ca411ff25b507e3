/**
 * Measures a catch-up after an absence on a slow phone, while the person writes: twenty rooms with 190 missed messages each.
 * `npm run measure` runs it at 4 and 8 times; by hand: `node test/budgets/absence.ts 8`.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { createLogger } from '../../server/base/logger.ts';
import type { Store } from '../../server/store/port.ts';
import { openSqlite } from '../../server/store/sqlite/index.ts';
import { LOBBY } from '../../shared/mint.ts';
import { membersFor, seed } from '../bench/stand/seed.ts';
import { startInstallation } from '../support/chromium.ts';
import { startServer } from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { waitFor } from '../support/waitFor.ts';
import budgets from './budgets.json' with { type: 'json' };
import { pieceTimes, slownessOf } from './calibration.ts';
import { addRoom, appendThrough } from './fillServer.ts';
import { historyOf } from './history.ts';
import { openRoom, signUpInPage, slowDown, watchedPage } from './stage.ts';
import { timeOfTap } from './taps.ts';

export interface Absence {
  slowdown: number;
  /** From the server's return until all is stored. */
  caughtUpMs: number;
  /** Each from the end of a touch on Send until the row is durable and painted, while the catch-up runs. */
  taps: number[];
  connections: number;
  /** How many times as slow as the machine of the budgets this one is, before and after (calibration.ts). */
  slowness: number;
}

const ROOMS = 20;
const MISSED = 190;
const PIECES = 15;
/** Between the end of a tap and the next: somebody who writes one word a message. */
const TAP_EVERY_MS = 500;

export async function measureAbsence(slowdown: number): Promise<Absence> {
  await using parts = new AsyncDisposableStack();
  const storage = parts.use(await temporaryFolder());
  const server = parts.use(await startServer());
  const phone = await startInstallation(storage.path, server.url);
  parts.defer(phone.close);
  const me = await signUpInPage(phone.context);
  const others = membersFor(7);
  const people = [me, ...others.map(({ id }) => id)];
  const rooms: string[] = [];
  const whileStopped = async (work: (store: Store) => Promise<void>) => {
    await server.stop();
    const store = await openSqlite({ file: join(server.data, 'holdfast.db'), log: createLogger('warn') });
    await work(store).finally(() => store.close());
  };
  await whileStopped(async (store) => {
    await seed(store, others);
    while (rooms.length < ROOMS) rooms.push(await addRoom(store, `Room ${rooms.length + 1}`, people));
  });
  await server.start();
  const page = await watchedPage(phone, 1);
  let connections = 0;
  const countWelcomes = (received: string) => {
    connections += received.split('"welcome"').length - 1;
  };
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => countWelcomes(String(payload))),
  );
  // a websocket that is refused while the server starts is followed by long polling
  page.on('response', (response) => {
    if (!response.url().includes('transport=polling')) return;
    response.text().then(countWelcomes, () => {}); // a request that has failed has no text
  });
  await openRoom(page, LOBBY);
  await waitFor('the rooms are held', async () => (await held(page, me)) > ROOMS);
  await whileStopped(async (store) => {
    for (const room of rooms) await appendThrough(store, historyOf(room, people.slice(1), MISSED));
  });
  const before = await held(page, me);
  const cdp = await phone.context.newCDPSession(page);
  const pieces: number[] = [];
  const calibrate = async () => {
    await slowDown(cdp, budgets.cpuSlowdown);
    pieces.push(...(await pieceTimes(page, PIECES)));
  };
  await calibrate();
  await slowDown(cdp, slowdown);
  connections = 0;
  await server.start();
  const began = performance.now();
  const taps: number[] = [];
  await waitFor('the app is connected', async () => connections > 0, 60_000);
  let caughtUpMs = 0;
  while (caughtUpMs === 0) {
    taps.push(await timeOfTap(page, cdp, `Seal ${taps.length + 1}`));
    if ((await held(page, me)) >= before + ROOMS * MISSED) caughtUpMs = performance.now() - began;
    else await sleep(TAP_EVERY_MS);
  }
  await calibrate();
  return { slowdown, caughtUpMs, taps, connections, slowness: slownessOf(pieces) };
}

/** The number of entries that the spans cover. */
function held(page: Page, me: string): Promise<number> {
  return page.evaluate(
    (name) =>
      new Promise<number>((resolve) => {
        const opening = indexedDB.open(name);
        opening.onsuccess = () => {
          const db = opening.result;
          const spans = db.transaction('logSpans').objectStore('logSpans').getAll();
          spans.onsuccess = () => {
            db.close();
            resolve(spans.result.reduce((sum, { from, to }) => sum + to - from + 1, 0));
          };
        };
      }),
    `holdfast:${me}`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log(JSON.stringify(await measureAbsence(Number(process.argv[2] ?? 8))));
