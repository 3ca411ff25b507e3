/** Unread messages: their count in the list of rooms, where a room opens, and what counts as read. */
import type { Page } from '@playwright/test';
import { LOBBY } from '../../shared/mint.ts';
import { SEEN_AFTER_MS } from '../../web/records/pageLimits.ts';
import { type ApiClient, connectClient, newId, signUp as signUpByApi, text } from '../support/api.ts';
import { composer, expect, expectState, message, say, signUp, test } from './fixtures.ts';
import { recordFrames } from './support/frames.ts';
import { expectReadUpTo } from './support/scroll.ts';

test('messages of others count as unread until they were in view, on every device of the user', async ({
  server,
  phone,
}) => {
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  const other = await phone(server.url);
  await other.context().addCookies(await page.context().cookies());
  await other.reload();
  await expect(lobby(other)).toBeVisible();

  await back(page);
  for (const body of ['one', 'two']) await mika.append(text(body, LOBBY));
  await expect(lobby(page)).toHaveAccessibleName(/2 unread/);
  await expect(lobby(other)).toHaveAccessibleName(/2 unread/);

  await lobby(page).click();
  await expect(message(page, 'two')).toBeVisible();
  await expect(lobby(other)).not.toHaveAccessibleName(/unread/);
  await back(page);
  await expect(composer(page)).toBeHidden();
  await expect(lobby(page)).not.toHaveAccessibleName(/unread/);
});

/** More than 99 are unread also after those that are in view first. */
const NEWS = 130;

test('a room opens at the first unread message, and again where it was left; only what was in view is read', async ({
  server,
  phone,
}, info) => {
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await write(mika, 'read', 20);
  await say(page, 'mine');
  await expectState(page, 'mine', 'Sent');
  await expectReadUpTo(page, 2 + 20 + 1); // two entries are joins
  await back(page);
  await write(mika, 'news', NEWS);
  await expect(lobby(page)).toHaveAccessibleName(/more than 99 unread/);

  const frames = await recordFrames(page);
  await lobby(page).click();
  await expect(message(page, 'news 0')).toBeInViewport({ ratio: 1 });
  const separator = page.getByText(/^New since/);
  await expect(separator).toBeInViewport();
  await expect(message(page, 'mine')).toBeInViewport();
  expect((await message(page, 'news 0').boundingBox())!.y).toBeLessThan(250);
  const pill = page.getByRole('button', { name: /new messages$/ });
  await expect(pill).toHaveAccessibleName('more than 99 new messages');
  await page.screenshot({ path: info.outputPath('opened.png') });

  await page.locator('.log').evaluate((log) => log.scrollBy(0, 1_000));
  await expect(pill).toHaveAccessibleName(/^[89]\d new messages$/);
  await page.screenshot({ path: info.outputPath('scrolled.png') });
  const left = await topOf(page);
  await back(page);
  await expect(lobby(page)).toHaveAccessibleName(/ [89]\d unread$/);
  await lobby(page).click();
  expect(await topOf(page)).toEqual(left);
  await page.screenshot({ path: info.outputPath('again.png') });
  await page.goBack();
  await page.goForward();
  await expect(composer(page)).toBeVisible();
  expect(await topOf(page)).toEqual(left);
  expect(await frames.withoutLines()).toBe(0);

  await scrollWhenRemoved(page);
  await back(page);
  await lobby(page).click();
  await expect(composer(page)).toBeVisible();
  expect(await topOf(page)).toEqual(left);

  await page.reload();
  await expect(composer(page)).toBeVisible();
  expect(await topOf(page)).toEqual(left);
  await pill.click();
  await expect(message(page, `news ${NEWS - 1}`)).toBeInViewport();
  await expect(pill).toHaveCount(0);
  await expectReadUpTo(page, 2 + 20 + 1 + NEWS);
  await back(page);
  await expect(lobby(page)).not.toHaveAccessibleName(/unread/);
  await lobby(page).click();
  await expect(message(page, `news ${NEWS - 1}`)).toBeInViewport();
  await expect(separator).toHaveCount(0);
});

test('messages that were deleted are not unread; while a visible page has no focus, none are read', async ({
  server,
  phone,
}) => {
  using mika = await connectClient(server.url, await signUpByApi(server.url, 'Mika'));
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await back(page);
  const regretted = [0, 1, 2, 3].map((n) => text(`regretted ${n}`));
  await mika.append(...regretted);
  await expect(lobby(page)).toHaveAccessibleName(/4 unread/);
  const regrets = regretted.map(({ clientOffset }) => ({ clientOffset: newId(), target: clientOffset }));
  await mika.append(...regrets.map((each) => ({ kind: 'delete' as const, room: LOBBY, ...each })));
  await expect(lobby(page)).not.toHaveAccessibleName(/unread/);
  await lobby(page).click();
  await expect(page.getByRole('log').getByText('Message deleted')).toHaveCount(4);
  await expect(page.getByText(/^New since/)).toHaveCount(0);

  await setFocus(page, false);
  await write(mika, 'news', 30);
  await expect(message(page, 'news 0')).toBeInViewport();
  const pill = page.getByRole('button', { name: /new messages$/ });
  await expect(pill).toHaveAccessibleName('30 new messages');
  await expect(page.getByText(/^New since/)).toBeInViewport();
  await page.waitForTimeout(SEEN_AFTER_MS + 500);
  await expect(pill).toHaveAccessibleName('30 new messages');
  await setFocus(page, true);
  await expect(pill).toHaveAccessibleName(/^1\d new messages$/);
});

/** All windows of a headless browser have the focus: so the page is told that its own has not. */
async function setFocus(page: Page, has: boolean): Promise<void> {
  await page.evaluate((focus) => {
    document.hasFocus = () => focus;
    window.dispatchEvent(new Event(focus ? 'focus' : 'blur'));
  }, has);
}

function lobby(page: Page) {
  return page.getByRole('link', { name: /lobby/i });
}

/** When the log is not in the document any more, it gets the `scroll` event of its last frame, as on a slow phone. */
function scrollWhenRemoved(page: Page): Promise<void> {
  return page.locator('.log').evaluate((log) => {
    const observer = new MutationObserver(() => {
      if (log.isConnected) return;
      observer.disconnect();
      log.dispatchEvent(new Event('scroll'));
    });
    observer.observe(document, { childList: true, subtree: true });
  });
}

function back(page: Page): Promise<void> {
  return page.getByRole('link', { name: 'Back to the rooms' }).click();
}

async function write(by: ApiClient, name: string, count: number): Promise<void> {
  const texts = Array.from({ length: count }, (_, n) => text(`${name} ${n}`, LOBBY));
  for (let n = 0; n < count; n += 50)
    expect(await by.append(...texts.slice(n, n + 50))).toMatchObject({ ok: true });
}

/** The first message in view, and its distance from the top of the view in pixels. */
async function topOf(page: Page): Promise<{ text: string; px: number }> {
  await expect(page.locator('.log [data-key]')).not.toHaveCount(0);
  return page.locator('.log').evaluate((log) => {
    const { top } = log.getBoundingClientRect();
    const row = [...log.querySelectorAll('[data-key]')].find(
      (each) => each.getBoundingClientRect().bottom > top,
    )!;
    return {
      text: row.querySelector('.body')!.textContent!,
      px: Math.round(row.getBoundingClientRect().top - top),
    };
  });
}
