/** Keyboard only: all input in these tests is by `page.keyboard`. */
import type { Page } from '@playwright/test';
import { expect, expectState, message, test } from './fixtures.ts';

test.use({
  viewport: { width: 1280, height: 800 },
  isMobile: false,
  hasTouch: false,
  deviceScaleFactor: 1,
  contextOptions: { reducedMotion: 'reduce' },
});

test('from sign-up to sign-out by keyboard alone, always with a visible focus', async ({ server, phone }) => {
  const page = await phone(server.url);
  const { keyboard } = page;
  const at = (role: 'button' | 'textbox' | 'menuitem' | 'heading' | 'link', name: string | RegExp) =>
    focusIsOn(page, role, name);

  await signUpByKeyboard(page);
  for (const body of ['First', 'Second']) {
    await keyboard.type(body);
    await keyboard.press('Enter');
    await expectState(page, body, 'Sent');
  }

  await keyboard.press('Shift+Tab');
  await keyboard.press('ArrowUp');
  await focusIsSeen(page, message(page, 'Second'));
  await keyboard.press('ArrowUp');
  await focusIsSeen(page, message(page, 'First'));
  await keyboard.press('Enter');
  await at('menuitem', 'Reply');
  await keyboard.press('Escape');
  await focusIsSeen(page, message(page, 'First'));
  await keyboard.press('ContextMenu');
  await at('menuitem', 'Reply');
  await keyboard.press('ArrowDown');
  await at('menuitem', 'Edit');
  await keyboard.press('ArrowDown');
  await at('menuitem', 'Copy');
  await keyboard.press('ArrowDown');
  await at('menuitem', 'Copy link');
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await at('heading', 'Details');
  await keyboard.press('Escape');
  await focusIsSeen(page, message(page, 'First'));

  await keyboard.press('Enter');
  await at('menuitem', 'Reply');
  await keyboard.press('ArrowDown');
  await at('menuitem', 'Edit');
  await keyboard.press('Enter');
  await expect(page.getByText('Edit this message')).toBeVisible();
  await at('textbox', 'Message');
  await keyboard.press('ControlOrMeta+a');
  await keyboard.type('First, changed');
  await keyboard.press('Enter');
  await expectState(page, 'First, changed', 'Sent');
  await at('textbox', 'Message');
  await keyboard.press('ArrowUp');
  await expect(page.getByText('Edit this message')).toBeVisible();
  await keyboard.press('Escape');
  await expect(page.getByText('Edit this message')).toHaveCount(0);
  await at('textbox', 'Message');

  await keyboard.press('Shift+Tab');
  await keyboard.press('End');
  await keyboard.press('ArrowUp');
  await focusIsSeen(page, message(page, 'First, changed'));
  await keyboard.press('Shift+F10');
  await at('menuitem', 'Reply');
  await keyboard.press('End');
  await at('menuitem', 'Delete');
  await keyboard.press('Enter');
  await at('heading', 'Delete this message?');
  await tabTo(page, 'button', 'Delete');
  await keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  const deleted = page.getByRole('log').locator('.message').first();
  await expect(deleted).toContainText('Message deleted');
  await focusIsSeen(page, deleted);

  await tabTo(page, 'button', 'Add a room', 'Shift+Tab');
  await keyboard.press('Enter');
  await at('heading', 'Add a room');
  await keyboard.press('Escape');
  await at('button', 'Add a room');
  await keyboard.press('Enter');
  await at('heading', 'Add a room');
  await tabTo(page, 'textbox', 'Name of a new room');
  await keyboard.type('Kitchen');
  await keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Kitchen' })).toBeVisible();
  await at('textbox', 'Message');

  await tabTo(page, 'button', 'Menu', 'Shift+Tab');
  await keyboard.press('Enter');
  await at('heading', 'Kitchen');
  await tabTo(page, 'button', 'Go to a date');
  await keyboard.press('Enter');
  await at('heading', 'Go to a date');
  await tabTo(page, 'button', 'Go there');
  await keyboard.press('Enter');
  await expect(page.getByText('Choose a date first.')).toBeVisible();
  await keyboard.press('Escape');
  await at('button', 'Menu');
  await keyboard.press('Enter');
  await at('heading', 'Kitchen');
  await tabTo(page, 'button', 'Leave this room');
  await keyboard.press('Enter');
  await at('heading', 'Leave Kitchen?');
  await tabTo(page, 'button', 'Leave');
  await keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Kitchen' })).toHaveCount(0);
  await at('heading', 'Rooms');

  await tabTo(page, 'link', /Lobby/);
  await keyboard.press('Enter');
  await at('textbox', 'Message');
  await tabTo(page, 'button', 'Menu', 'Shift+Tab');
  await keyboard.press('Enter');
  await at('heading', 'Lobby');
  await tabTo(page, 'button', '简体中文');
  await keyboard.press('Enter');
  await expect(page.getByRole('button', { name: '退出登录' })).toBeVisible();
  await at('button', '简体中文');
  await tabTo(page, 'button', 'English', 'Shift+Tab');
  await keyboard.press('Space');
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  await tabTo(page, 'button', 'Sign out');
  await keyboard.press('Enter');
  await at('heading', 'Sign out?');
  await tabTo(page, 'button', 'Sign out for good');
  await keyboard.press('Enter');
  await at('textbox', 'Your name');
});

test('the focus is not lost when the focused element disappears: a queued message is deleted', async ({
  network,
  phone,
}) => {
  const page = await phone(network.url);
  const { keyboard } = page;
  await page.evaluate(() => delete (Element.prototype as { checkVisibility?: unknown }).checkVisibility); // Safari before 17.4
  await signUpByKeyboard(page);
  network.refuse();
  await keyboard.type('waits');
  await keyboard.press('Enter');
  await expectState(page, 'waits', 'Queued');
  await keyboard.press('Shift+Tab');
  await keyboard.press('ArrowUp');
  await focusIsSeen(page, message(page, 'waits')); // the dashed border of a queued message is not a focus ring
  await keyboard.press('Enter');
  await focusIsOn(page, 'menuitem', 'Reply');
  await keyboard.press('End');
  await keyboard.press('Enter');
  await focusIsOn(page, 'heading', 'Delete this message?');
  await tabTo(page, 'button', 'Delete');
  await keyboard.press('Enter');
  await expect(message(page, 'waits')).toHaveCount(0);
  await focusIsSeen(page, page.locator('.log'));
});

test('the focus is not lost when the focused element is disabled: Send has sent all, a choice waits for a connection', async ({
  network,
  phone,
}) => {
  const page = await phone(network.url);
  const { keyboard } = page;
  await signUpByKeyboard(page);
  await keyboard.type('one');
  await keyboard.press('Tab');
  await focusIsOn(page, 'button', 'Send');
  await keyboard.press('Enter');
  await expectState(page, 'one', 'Sent');
  await focusIsOn(page, 'textbox', 'Message');

  await tabTo(page, 'button', 'Menu', 'Shift+Tab');
  await keyboard.press('Enter');
  const choice = page.getByRole('checkbox', { name: 'Show when I am here' });
  await expect(choice).toBeEnabled();
  await tabTo(page, 'checkbox', 'Show when I am here');
  network.refuse();
  await expect(choice).toBeDisabled();
  await keyboard.press('Space');
  await expect(choice).toBeChecked();
  await focusIsSeen(page, choice);
});

/** Resolves in the lobby. */
async function signUpByKeyboard(page: Page): Promise<void> {
  await focusIsOn(page, 'textbox', 'Your name');
  await page.keyboard.type('Ada');
  await page.keyboard.press('Enter');
  await focusIsOn(page, 'textbox', 'Message');
}

/** Expects that the element has a visible focus. */
async function focusIsOn(page: Page, role: Parameters<Page['getByRole']>[0], name: string | RegExp) {
  await focusIsSeen(page, page.getByRole(role, typeof name === 'string' ? { name, exact: true } : { name }));
}

async function focusIsSeen(page: Page, element: ReturnType<Page['locator']>): Promise<void> {
  const focused = element.and(page.locator(':focus'));
  await expect(focused).toHaveCount(1);
  expect(await looksFocused(page), `the focus on ${element}`).toBe(true);
}

const SEEN = new WeakMap<Page, Set<string>>();

/** Compares pictures of the focused element with and without focus. Once for each kind of element. */
async function looksFocused(page: Page): Promise<boolean> {
  const seen = SEEN.get(page) ?? new Set();
  SEEN.set(page, seen);
  const kind = await page.evaluate(() => {
    const element = document.activeElement!;
    return `${element.tagName} ${element.className} ${element.closest('dialog')?.className}`;
  });
  if (seen.has(kind)) return true;
  seen.add(kind);
  const clip = await page.evaluate(() => {
    const { x, y, width, height } = document.activeElement!.getBoundingClientRect();
    const [left, top] = [Math.max(0, x - 6), Math.max(0, y - 6)];
    return { x: left, y: top, width: Math.min(width + 12, innerWidth - left), height: height + 12 };
  });
  const withIt = await page.screenshot({ clip });
  const put = (to: 'blur' | 'focus') =>
    page.evaluate((method) => {
      const holder = window as unknown as { had?: HTMLElement };
      document.dispatchEvent(new Event('pointerdown')); // a pointer removes the focus on purpose, so that nothing restores it
      if (method === 'blur') holder.had = document.activeElement as HTMLElement;
      holder.had![method]({ preventScroll: true });
    }, to);
  await put('blur');
  const without = await page.screenshot({ clip });
  await put('focus');
  return !withIt.equals(without);
}

/** Presses Tab repeatedly and expects a visible focus at every stop. */
async function tabTo(page: Page, role: Parameters<Page['getByRole']>[0], name: string | RegExp, key = 'Tab') {
  const element = page.getByRole(role, typeof name === 'string' ? { name, exact: true } : { name });
  const wanted = element.and(page.locator(':focus'));
  await expect(element.first()).toBeVisible(); // a part that comes late may come before the place of the focus
  for (let stops = 0; stops < 25; stops++) {
    if ((await wanted.count()) === 1) return;
    await page.keyboard.press(key);
    expect(await page.evaluate(() => document.activeElement !== document.body)).toBe(true);
    expect(await looksFocused(page)).toBe(true);
  }
  await expect(wanted).toHaveCount(1);
}
