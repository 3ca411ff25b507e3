/** What people write and how it shows: tall messages, directions, copying, translation by the browser. */
import type { Page } from '@playwright/test';
import { connectClient, signUp as signUpByApi, text } from '../support/api.ts';
import { composer, expect, message, say, signUp, test } from './fixtures.ts';

test('a tall message is folded, and unfolds where the reader is; what is selected is copied with its authors', async ({
  server,
  phone,
}) => {
  using bo = await connectClient(server.url, await signUpByApi(server.url, 'Bo'));
  const tall = `first${'\n'.repeat(3_900)}last`;
  await bo.append(text('  if (x)\n    y'), text(tall), text('see https://example.org/a'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await say(page, 'after it');
  const article = page.locator('.message', { hasText: 'first' });
  const heightOf = async () => (await article.boundingBox())!.height;
  expect(await heightOf()).toBeLessThan(844);

  await copyFrom(page, 0, 3);
  const authors = ['Bo:   if (x)\n    y', `Bo: ${tall}`, 'Bo: see https://example.org/a', 'Ada: after it'];
  expect(await copied(page)).toBe(authors.join('\n'));
  await copyFrom(page, 0, 0);
  expect(await copied(page)).toBe(''); // within one message the browser copies

  const button = article.getByRole('button', { name: 'Show all' });
  await button.focus();
  const top = (await article.boundingBox())!.y;
  await page.keyboard.press('Enter');
  await expect(button).toHaveCount(0);
  await expect(article).toBeFocused();
  expect(await heightOf()).toBeGreaterThan(10_000);
  await bo.append(text('one more')); // the log renders again
  await expect(message(page, 'one more')).toBeAttached();
  expect((await article.boundingBox())!.y).toBeCloseTo(top, 0);
});

test('each line has its own direction, and texts that a translator has replaced still change', async ({
  server,
  phone,
}) => {
  using bo = await connectClient(server.url, await signUpByApi(server.url, 'Bo'));
  await bo.append(text('wide enough to leave room at both sides\nHello.\nשלום.'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  const body = page.locator('.message .body', { hasText: 'Hello.' });
  const [hello, shalom] = await body.evaluate(lineEnds);
  expect(hello!.dot).toBeGreaterThan(hello!.first);
  expect(shalom!.dot).toBeLessThan(shalom!.first);
  expect(shalom!.first).toBeGreaterThan(hello!.dot); // at the other side

  await composer(page).fill('שלום.');
  expect(await composer(page).evaluate((field) => getComputedStyle(field).unicodeBidi)).toBe('plaintext');
  await composer(page).fill('');

  await say(page, 'two seals');
  await page.evaluate(translate);
  await expect(page.locator('.message.mine')).toContainText('[two seals]');
  await page.locator('.message.mine').press('Enter');
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await composer(page).fill('three seals, see https://example.org/a');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const edited = page.locator('.message.mine .body');
  await expect(edited).toHaveText('three seals, see https://example.org/a');
  await expect(page.locator('.message.mine')).toContainText('edited');
  await signUpByApi(server.url, 'Cy'); // joins the lobby
  await expect(page.getByText('3 people')).toBeVisible();
});

test('of one’s own old name nothing turns what is beside it', async ({ server, browser, contextOptions }) => {
  // a worker that just starts may send the request itself, and then no route sees it
  const context = await browser.newContext({ ...contextOptions, serviceWorkers: 'block' });
  const page = await context.newPage();
  const name = 'Ada \u202egnp.exe'; // as before names were checked
  await page.route('**/api/session', async (route) => {
    const response = await route.fetch();
    const answer = await response.json();
    const json = answer.user ? { ...answer, user: { ...answer.user, name } } : answer;
    await route.fulfill({ response, json });
  });
  // all that the server says has this name: the screen has the one that came last
  await page.routeWebSocket(/\/socket\.io\//, (socket) => {
    const toServer = socket.connectToServer();
    toServer.onMessage((frame) =>
      socket.send(String(frame).replaceAll('"name":"Ada"', `"name":${JSON.stringify(name)}`)),
    );
  });
  await page.goto(server.url);
  await signUp(page, 'Ada');
  const sheet = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Menu' }).click();
  await expect(sheet).toContainText('Ada gnp.exe');
  const turning = /[\u202a-\u202e]/u;
  await expect(sheet).not.toContainText(turning);
  for (const [button, shown] of [
    ['Sign out', 'Ada gnp.exe'],
    ['Recovery code', 'Ada gnp.exe'],
  ] as const) {
    await sheet.getByRole('button', { name: button }).click();
    await expect(sheet).toContainText(shown);
    await expect(sheet).not.toContainText(turning);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Menu' }).click();
  }
  await sheet.getByRole('button', { name: 'Change your name' }).click();
  await expect(sheet.getByRole('textbox')).toHaveValue('Ada gnp.exe');
  await page.unrouteAll({ behavior: 'wait' }); // the app asks for the session again once it is connected
});

/** Copies from the beginning of one message to the end of another, counted from the top. */
async function copyFrom(page: Page, first: number, last: number): Promise<void> {
  await page.evaluate(
    ([from, to]) => {
      const bodies = document.querySelectorAll('.message .body');
      getSelection()!.setBaseAndExtent(bodies[from]!, 0, bodies[to]!, bodies[to]!.childNodes.length);
      document.addEventListener(
        'copy',
        ({ clipboardData }) => Object.assign(window, { copied: clipboardData!.getData('text/plain') }),
        { once: true },
      );
    },
    [first, last] as const,
  );
  await page.keyboard.press('Control+c');
}

function copied(page: Page): Promise<string> {
  return page.evaluate(() => (window as unknown as { copied: string }).copied);
}

/** Of each line but the first: the horizontal positions of its first letter and of its full stop. */
function lineEnds(body: Element): { first: number; dot: number }[] {
  const node = body.firstChild!;
  const range = document.createRange();
  const leftOf = (index: number) => {
    range.setStart(node, index);
    range.setEnd(node, index + 1);
    return range.getBoundingClientRect().left;
  };
  const lines = node.textContent!.split('\n');
  let start = lines[0]!.length + 1;
  return lines.slice(1).map((line) => {
    const ends = { first: leftOf(start), dot: leftOf(start + line.length - 1) };
    start += line.length + 1;
    return ends;
  });
}

/** Replaces every text as Chrome's translator does. */
function translate(): void {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const each of texts) {
    if (each.data.trim() === '' || each.parentElement!.closest('[translate=no], script, style, textarea'))
      continue;
    const outer = document.createElement('font');
    outer.append(document.createElement('font'));
    outer.firstElementChild!.textContent = `[${each.data}]`;
    each.replaceWith(outer);
  }
}
