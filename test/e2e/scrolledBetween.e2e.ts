/** A `scroll` event comes with the next frame only: a rendering before it must not undo the scroll. */
import { connectClient, signUp as signUpByApi, text } from '../support/api.ts';
import { seeded } from '../support/random.ts';
import { expect, message, say, signUp, test } from './fixtures.ts';

test('a scroll up from the newest message is kept, whatever renders before its scroll event', async ({
  server,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  await bob.append(...Array.from({ length: 60 }, (_, n) => text(`number ${n}`)));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await say(page, 'The newest');
  await expect(message(page, 'number 59')).toBeVisible(); // the own message may show before the log has loaded
  await expect(message(page, 'The newest')).toBeInViewport();

  const below = await page.locator('.log').evaluate(async (log) => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    log.scrollTop -= 500;
    log.querySelector<HTMLElement>('.message:last-child .meta')!.click(); // in the same task: renders the details
    for (let i = 0; i < 3; i++) await frame();
    return log.scrollHeight - log.scrollTop - log.clientHeight;
  });
  expect(Math.abs(below - 500)).toBeLessThanOrEqual(1); // heights are rounded to whole pixels; undone, it would be 0
});

test('the space above the log is resized only in frames in which nothing scrolls: no layout shift', async ({
  server,
  phone,
}) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  for (let n = 0; n < 200; n += 100)
    await bob.append(...Array.from({ length: 100 }, (_, i) => text(`number ${n + i}`)));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await expect(message(page, 'number 199')).toBeInViewport();

  const shifts = await page.locator('.log').evaluate(async (log) => {
    const rows = log.querySelector<HTMLElement>('.rows')!;
    const spacer = () => rows.firstElementChild!.getBoundingClientRect().height;
    const found: number[] = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[])
        found.push(entry.value);
    }).observe({ type: 'layout-shift' });
    const whole = spacer();
    log.scrollTop -= 1_500; // older messages load, and take up a part of the space
    const change = (is: () => boolean) =>
      new Promise<void>((resolve) => {
        const observer = new MutationObserver(() => {
          if (!is()) return;
          observer.disconnect();
          resolve();
        });
        observer.observe(rows, { attributeFilter: ['style'], subtree: true });
      });
    await change(() => spacer() < whole);
    await change(() => spacer() === whole);
    // a finger moves between that and the next frame
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve();
      port2.postMessage(0);
    });
    log.scrollTop -= 500;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return found;
  });
  expect(shifts).toEqual([]);
});

test('lines that load move no other line, in the very layout that shows them', async ({ server, phone }) => {
  using bob = await connectClient(server.url, await signUpByApi(server.url, 'Bob'));
  const random = seeded(14);
  for (let n = 0; n < 40; n++) {
    const texts = Array.from({ length: 10 }, (_, i) =>
      text(`${n * 10 + i} ${'words '.repeat(random.int(1, 60))}`),
    );
    await bob.append(...texts);
    if (n % 3 === 0) await signUpByApi(server.url, `Guest ${n}`); // who joins has a line
  }
  await bob.append(text('The newest'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await expect(message(page, 'The newest')).toBeInViewport();

  const { added, most } = await page.locator('.log').evaluate(async (log) => {
    const rows = log.querySelector<HTMLElement>('.rows')!;
    const lines = () => [...rows.querySelectorAll<HTMLElement>('[data-key]')];
    const placeOf = (line: Element) => line.getBoundingClientRect().top + log.scrollTop; // also while somebody scrolls
    let places = new Map<string, number>();
    let added = 0;
    let most = 0;
    new MutationObserver(() => {
      // right after the rendering: nothing has been measured yet
      const known = lines().filter(({ dataset }) => places.has(dataset.key!));
      const hasOlder = rows.querySelector('.note') !== null; // at the beginning there is no spacer
      if (known.length < lines().length) added++;
      for (const line of hasOlder ? known : [])
        most = Math.max(most, Math.abs(placeOf(line) - places.get(line.dataset.key!)!));
    }).observe(rows, { childList: true });
    for (const way of [-1, 1]) {
      for (let n = 0; n < 200; n++) {
        log.scrollTop += way * 300;
        for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
        places = new Map(lines().map((line) => [line.dataset.key!, placeOf(line)]));
      }
    }
    return { added, most };
  });
  expect(added).toBeGreaterThan(40);
  expect(most).toBeLessThan(1);
});
