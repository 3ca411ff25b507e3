/** Slow networks, and networks that are connected but carry no data. */
import type { Page } from '@playwright/test';
import { CATCH_UP_POLLED_BYTES, RANGE_POLLED_BYTES } from '../../shared/limits.ts';
import { CONNECTION_HEARTBEAT_TIMEOUT_MS, SILENCE_MS } from '../../web/records/pageLimits.ts';
import { bodyOf, connectClient, signUp as signUpByApi, text, wholeLog } from '../support/api.ts';
import { recordsOf } from '../support/indexedDb.ts';
import { startTabs } from '../support/lifecycle.ts';
import { seeded } from '../support/random.ts';
import { withoutSyncManager } from '../support/worker.ts';
import { ALONE, expect, expectState, message, say, signUp, test } from './fixtures.ts';
import { crowdSays, numbered } from './support/crowd.ts';
import { goToNewest, readToTheBeginning } from './support/scroll.ts';
import { secondsFromVisible } from './support/secondsFromVisible.ts';

test('O2 L3 at 20 kB/s both ways, 300 messages up and 1,000 missed messages down: all arrive once, over one connection', async ({
  server,
  network,
  phone,
}) => {
  test.setTimeout(120_000); // mostly for writing 300 texts, each durable before the next
  const page = await phone(network.url);
  await withoutSyncManager(page.context()); // the service worker would send by HTTP while the page waits to connect again
  await page.reload();
  const welcomes = countWelcomes(page);
  await signUp(page, 'Ada');
  await say(page, 'before');
  await expectState(page, 'before', 'Sent');
  network.refuse();
  await expect(page.getByText('Offline').first()).toBeAttached();
  const own = numbered('own', 300).map(
    (body) => `${body}, and as long as what people write to each other is`,
  );
  await sayAll(page, own);
  const missed = numbered('missed', 1_000);
  await crowdSays(server.url, missed);

  const welcomesBefore = welcomes();
  network.narrow(20_000);
  network.pass();
  const began = performance.now();
  await expect(message(page, own.at(-1)!).getByText('Sent', { exact: true })).toBeAttached({
    timeout: 40_000,
  });
  const sent = seconds(began);
  // an acknowledgement is stored apart from the entries that came before it: until then nothing shows that any are missing
  const newest = { store: 'log', containing: `"${missed.at(-1)}"` };
  await expect.poll(() => recordsOf(page, newest)).toHaveLength(1);
  const { lines } = await readToTheBeginning(page);
  console.log(
    `300 sent after ${sent} s, 1,000 read after ${seconds(began)} s, ${welcomes() - welcomesBefore} welcome`,
  );
  expect(welcomes() - welcomesBefore).toBe(1);
  const log = await wholeLog(server.url, await signUpByApi(server.url, 'Reader'));
  const all = ['before', ...missed, ...own];
  expect(
    partsOf(
      log.flatMap((entry) => bodyOf(entry) ?? []),
      all,
    ),
  ).toEqual([`1 to ${all.length}`]);
  expect(partsOf(lines, all)).toEqual([`1 to ${all.length}`]);
});

test('S4 O2 a stalled network is detected, and the app uses another network as soon as there is one', async ({
  server,
  network,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const page = await phone(network.url);
  await signUp(page, 'Ada');
  await say(page, 'before');
  await expectState(page, 'before', 'Sent');

  network.strand();
  await bob.append(text('into the void')); // sent live, but never received
  const began = performance.now();
  await say(page, 'from the void');
  await expect(message(page, 'into the void')).toBeVisible();
  await expectState(page, 'from the void', 'Sent');
  console.log(`live again ${seconds(began)} s after the network stalled`);
  expect(seconds(began)).toBeLessThan((SILENCE_MS + CONNECTION_HEARTBEAT_TIMEOUT_MS) / 1_000 + 2);

  const log = await wholeLog(server.url, bob.session);
  expect(log.flatMap((entry) => bodyOf(entry) ?? [])).toEqual(['before', 'into the void', 'from the void']);
});

test(
  'S4 a socket that died while the page was hidden and still reports open: live within 3 s of being visible',
  ALONE,
  async ({ server, network, storage }) => {
    using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
    await using tabs = await startTabs(storage.path);
    const page = await tabs.open(network.url);
    await signUp(page, 'Ada');
    await say(page, 'before');
    await expectState(page, 'before', 'Sent');
    await windowBecomes(page, 'minimized');
    await expect.poll(() => page.evaluate(() => document.visibilityState)).toBe('hidden');
    network.strand();
    await bob.append(text('meanwhile'));

    const live = await secondsFromVisible(page, 'meanwhile');
    await windowBecomes(page, 'normal');
    await expect(message(page, 'meanwhile')).toBeVisible();
    const taken = await live();
    console.log(`live ${taken.toFixed(2)} s after being looked at`);
    expect(taken).toBeLessThan(3);
  },
);

test('O2 S4 long polling at 10 kB/s with 512 KiB missed: the newest arrive over one connection, and own messages are sent after them', async ({
  server,
  network,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const page = await phone(network.url);
  await blockWebSockets(page);
  const welcomes = countWelcomes(page);
  await page.reload();
  await signUp(page, 'Ada');
  await say(page, 'before');
  await expectState(page, 'before', 'Sent');
  network.refuse();
  await expect(page.getByText('Offline').first()).toBeAttached();
  const missed = numbered('missed', 200).map((body) => `${body} ${longText()}`); // 640 kB
  for (let at = 0; at < missed.length; at += 15)
    await bob.append(...missed.slice(at, at + 15).map((body) => text(body)));

  const welcomesBefore = welcomes();
  const bytesBefore = network.seen('down');
  network.narrow(10_000);
  network.pass();
  const began = performance.now();
  await goToNewest(page, missed.at(-1)!);
  expect(network.seen('down') - bytesBefore).toBeLessThan(CATCH_UP_POLLED_BYTES); // a response arrives only when it is complete
  console.log(`the newest after ${seconds(began)} s`);
  await say(page, 'after');
  await expectState(page, 'after', 'Sent');
  console.log(`and sent after ${seconds(began)} s, ${welcomes() - welcomesBefore} welcomes`);
  expect(welcomes() - welcomesBefore).toBe(1);
});

test('S2 S4 long polling at 10 kB/s: older messages load in small answers over one connection', async ({
  server,
  network,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const all = numbered('said', OLDER).map((body) => `${body} ${longText()}`);
  for (let at = 0; at < all.length; at += 15)
    await bob.append(...all.slice(at, at + 15).map((body) => text(body)));
  const page = await phone(network.url);
  await blockWebSockets(page);
  const welcomes = countWelcomes(page);
  const largest = largestResponse(page);
  await page.reload();
  await signUp(page, 'Ada');
  await expect(message(page, all.at(-1)!)).toBeInViewport();
  await expect.poll(welcomes).toBe(1);

  network.narrow(10_000);
  const began = performance.now();
  const { lines } = await readToTheBeginning(page);
  console.log(
    `${OLDER} read after ${seconds(began)} s, ${largest()} bytes at once at most, ${welcomes()} welcomes`,
  );
  expect(lines).toEqual(all);
  expect(largest()).toBeLessThan(1.1 * RANGE_POLLED_BYTES); // JSON within JSON, and its envelope
  expect(welcomes()).toBe(1);
});

/** Blocks WebSockets as a proxy does, so that long polling remains. */
async function blockWebSockets(page: Page): Promise<void> {
  await page.addInitScript(() => {
    class Blocked {
      onerror?: (event: Event) => void;
      constructor() {
        setTimeout(() => this.onerror?.(new Event('error')));
      }
      close() {}
    }
    Object.assign(globalThis, { WebSocket: Blocked });
  });
}

/** About twenty of them come with the first catch-up; the others take 8 s. */
const OLDER = 45;

/** 3 kB that do not compress well. */
function longText(): string {
  return Array.from({ length: 400 }, () => random.next().toString(36).slice(2, 9)).join(' ');
}

const random = seeded(1);

/** Sizes in bytes of the long polling responses. */
function largestResponse(page: Page): () => number {
  let largest = 0;
  page.on('response', (response) => {
    if (!response.url().includes('transport=polling')) return;
    response.body().then(
      (body) => {
        largest = Math.max(largest, body.length);
      },
      () => {}, // an aborted response
    );
  });
  return () => largest;
}

/** Which of `all` these lines are: `['1 to 3', '204 to 1301']` where two hundred are missing. Short, for a report of failures. */
function partsOf(lines: readonly string[], all: readonly string[]): string[] {
  const parts: { from: number; to: number }[] = [];
  for (const place of lines.map((line) => all.indexOf(line) + 1)) {
    const last = parts.at(-1);
    if (last && place === last.to + 1) last.to = place;
    else parts.push({ from: place, to: place });
  }
  return parts.map(({ from, to }) => `${from} to ${to}`);
}

function seconds(since: number): number {
  return Number(((performance.now() - since) / 1_000).toFixed(2));
}

/** How many `welcome` frames this page has received, over any transport. */
function countWelcomes(page: Page): () => number {
  let count = 0;
  const look = (text: string) => {
    count += text.split('42["welcome"').length - 1;
  };
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => look(String(payload))));
  page.on('response', (response) => {
    if (!response.url().includes('transport=polling')) return;
    response.text().then(look, () => {}); // an aborted response has none
  });
  return () => count;
}

/** Like `say`, but within the page, for hundreds of messages one after another. */
async function sayAll(page: Page, bodies: readonly string[]): Promise<void> {
  await page.evaluate(async (bodies) => {
    const box = document.querySelector<HTMLTextAreaElement>('textarea[aria-label="Message"]')!;
    const send = document.querySelector<HTMLButtonElement>('button[aria-label="Send"]')!;
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    for (const body of bodies) {
      box.value = body;
      box.dispatchEvent(new Event('input', { bubbles: true }));
      await frame();
      send.click();
      while (box.value !== '') await frame();
    }
  }, bodies);
}

async function windowBecomes(page: Page, windowState: 'minimized' | 'normal'): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  const { windowId } = await cdp.send('Browser.getWindowForTarget');
  await cdp.send('Browser.setWindowBounds', { windowId, bounds: { windowState } });
}
