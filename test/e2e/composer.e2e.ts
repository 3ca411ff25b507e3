/** The composer in a real browser: size, keys, on-screen keyboard, paste. */
import type { Page } from '@playwright/test';
import { connectClient, signUp as signUpByApi, text } from '../support/api.ts';
import { bodies, composer, expect, message, signUp, test } from './fixtures.ts';
import { expectReadUpTo, goToNewest } from './support/scroll.ts';

test('the field grows with its text up to six lines and then scrolls; when emptied it is one line high', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  const heights: number[] = [];
  for (const lines of [1, 2, 3, 6, 7, 20]) {
    await composer(page).fill(Array.from({ length: lines }, (_, n) => `line ${n}`).join('\n'));
    heights.push(await heightOf(page));
  }
  const [one, two, three, six, seven, twenty] = heights as [number, number, number, number, number, number];
  const line = three - two;
  expect(line).toBeGreaterThan(15);
  expect(two - one).toBeLessThanOrEqual(line + 1); // a single line is at least the height of a touch target
  expect(Math.abs(six - three - 3 * line)).toBeLessThan(3); // the height of a line is no integer
  expect(seven - six).toBeLessThan(1);
  expect(twenty).toBe(seven);
  expect(await composer(page).evaluate((field) => field.scrollHeight > field.clientHeight)).toBe(true);
  await composer(page).press('End');
  await composer(page).pressSequentially(' and more');
  expect(await composer(page).evaluate((field) => field.scrollTop > 0)).toBe(true); // the end of the text is in view
  await page.getByRole('button', { name: 'Send', exact: true }).tap();
  await expect(composer(page)).toHaveValue('');
  expect(await heightOf(page)).toBe(one);
});

test('a tap on Send makes no `submit` event, before which the browser looks at the fields of the form', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await page.evaluate(() => {
    const { dataset } = document.documentElement;
    addEventListener('submit', () => (dataset.submitted = ''), { capture: true });
  });
  await composer(page).fill('tapped');
  await page.getByRole('button', { name: 'Send', exact: true }).tap();
  await expect(message(page, 'tapped')).toBeVisible();
  await expect(page.locator('[data-submitted]')).toHaveCount(0);
});

test('on a touch keyboard Enter is a new line, and the keyboard says so', async ({ server, phone }) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await expect(composer(page)).toHaveAttribute('enterkeyhint', 'enter');
  await composer(page).tap();
  await page.keyboard.type('one');
  await page.keyboard.press('Enter');
  await page.keyboard.type('two');
  await expect(composer(page)).toHaveValue('one\ntwo');
  await page.getByRole('button', { name: 'Send', exact: true }).tap();
  await expect.poll(() => bodies(page)).toEqual(['one\ntwo']);
  await expect(composer(page)).toBeFocused(); // the on-screen keyboard stays open
});

test('the composer stays above a keyboard that shrinks the page, and the newest message above the composer', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await fillLog(server.url, page);
  await composer(page).tap();
  // As Chromium on Android does with `interactive-widget=resizes-content`. There is no on-screen keyboard here.
  await page.setViewportSize({ width: 390, height: 480 });
  await expect(composer(page)).toBeInViewport({ ratio: 1 });
  await expect(message(page, 'number 19')).toBeInViewport({ ratio: 1 });
  await page.setViewportSize({ width: 390, height: 844 });
  await goToNewest(page, 'number 19');
  await expect(message(page, 'number 19')).toBeInViewport({ ratio: 1 });
});

test('the composer stays above a keyboard that overlays the page, as on iOS; zooming in does not count as a keyboard', async ({
  server,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Ada');
  await fillLog(server.url, page);
  const covered = 336;
  await showOnly(page, { height: 844 - covered, scale: 1 });
  await expect.poll(() => bottomOf(page)).toBeLessThanOrEqual(844 - covered);
  await expect.poll(() => bottomOf(page)).toBeGreaterThan(844 - covered - 30);
  await expect(message(page, 'number 19')).toBeInViewport({ ratio: 1 });
  await showOnly(page, { height: 422, scale: 2 });
  await expect.poll(() => bottomOf(page)).toBeGreaterThan(800);
});

test('the gap for the home indicator goes while a keyboard covers it', async ({ server, phone }) => {
  const page = await phone(server.url);
  const phoneOfApple = await page.context().newCDPSession(page);
  const inset = 34;
  await phoneOfApple.send('Emulation.setSafeAreaInsetsOverride', { insets: { bottom: inset } });
  await signUp(page, 'Ada');
  const gap = () => page.locator('.composer').evaluate((element) => getComputedStyle(element).paddingBottom);
  expect(await gap()).toBe(`${inset}px`);
  await showOnly(page, { height: 844 - 336, scale: 1 });
  await expect.poll(gap).toBe('12px');
  await showOnly(page, { height: 844, scale: 1 });
  await expect.poll(gap).toBe(`${inset}px`);
});

test.describe('with a keyboard', () => {
  test.use({
    viewport: { width: 1280, height: 800 },
    isMobile: false,
    hasTouch: false,
    deviceScaleFactor: 1,
  });

  test('Enter sends, with Shift it is a new line', async ({ server, phone }) => {
    const page = await phone(server.url);
    await signUp(page, 'Ada');
    await expect(composer(page)).toHaveAttribute('enterkeyhint', 'send');
    await expect(composer(page)).toBeFocused();
    await page.keyboard.type('one');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('two');
    await page.keyboard.press('Enter');
    await expect.poll(() => bodies(page)).toEqual(['one\ntwo']);
    await page.keyboard.press('Enter'); // an empty message is not sent
    await page.keyboard.type('three');
    await page.keyboard.press('Enter');
    await expect.poll(() => bodies(page)).toEqual(['one\ntwo', 'three']);
  });

  test('Enter that picks a word of an input method does not send; the next Enter does', async ({
    server,
    phone,
  }) => {
    const page = await phone(server.url);
    await signUp(page, 'Ada');
    await composer(page).focus();
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Input.imeSetComposition', { text: 'ni', selectionStart: 2, selectionEnd: 2 });
    await expect(composer(page)).toHaveValue('ni');
    const enter = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13 };
    await cdp.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...enter });
    await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', ...enter });
    await cdp.send('Input.insertText', { text: '你' });
    await expect(composer(page)).toHaveValue('你');
    expect(await bodies(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await expect.poll(() => bodies(page)).toEqual(['你']);
  });

  test('a paste inserts plain text, whatever else is in the clipboard', async ({ server, phone }) => {
    const page = await phone(server.url);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await signUp(page, 'Ada');
    await page.evaluate(() =>
      navigator.clipboard.write([
        new ClipboardItem({
          'text/html': new Blob(['<b onclick="alert(1)">bold</b><img src="x">'], { type: 'text/html' }),
          'text/plain': new Blob(['bold & <i>plain</i>'], { type: 'text/plain' }),
        }),
      ]),
    );
    await composer(page).focus();
    await page.keyboard.press('ControlOrMeta+v');
    await expect(composer(page)).toHaveValue('bold & <i>plain</i>');
    await page.keyboard.press('Enter');
    await expect.poll(() => bodies(page)).toEqual(['bold & <i>plain</i>']);
    expect(await page.locator('.body *').count()).toBe(0);
  });
});

function heightOf(page: Page): Promise<number> {
  return composer(page).evaluate((field) => field.getBoundingClientRect().height);
}

function bottomOf(page: Page): Promise<number> {
  return composer(page).evaluate((field) => field.getBoundingClientRect().bottom);
}

/** Sends more messages than fit in the view. */
async function fillLog(url: string, page: Page): Promise<void> {
  using mika = await connectClient(url, await signUpByApi(url, 'Mika'));
  await mika.append(...Array.from({ length: 20 }, (_, n) => text(`number ${n}`)));
  await goToNewest(page, 'number 19');
  await expect(message(page, 'number 19')).toBeInViewport({ ratio: 1 });
  await expectReadUpTo(page, 22); // two joins and 20 texts: the log follows its end while nothing is unread
}

/**
 * Simulates the on-screen keyboard of iOS: only the visual viewport gets lower, the page keeps its size. Chromium cannot do
 * that, so the values of `visualViewport` are replaced.
 */
async function showOnly(page: Page, seen: { height: number; scale: number }): Promise<void> {
  await page.evaluate(({ height, scale }) => {
    Object.defineProperty(visualViewport!, 'height', { value: height, configurable: true });
    Object.defineProperty(visualViewport!, 'scale', { value: scale, configurable: true });
    visualViewport!.dispatchEvent(new Event('resize'));
  }, seen);
}
