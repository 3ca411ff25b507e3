/** The way to the home screen: WebKit of iOS, played by Chromium; Chromium itself; and the browsers of other apps. */
import type { Browser, BrowserContext, Page } from '@playwright/test';
import { WHOLE_CHROMIUM } from '../support/chromium.ts';
import { expect, expectState, say, signUp, test } from './fixtures.ts';

// The headless shell cannot install apps.
test.use(WHOLE_CHROMIUM);

const SCREENS = 'test-results/screens';
const WECHAT =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.49';

/** `standalone`: as WebKit of iOS has it, in a browser or on the home screen, each with a storage of its own. */
async function iPhone(browser: Browser, baseURL: string, standalone: boolean): Promise<BrowserContext> {
  const context = await browser.newContext({ baseURL, viewport: { width: 390, height: 844 } });
  await context.addInitScript((is) => Object.assign(navigator, { standalone: is }), standalone);
  return context;
}

test('an app that is added to the home screen of iOS comes in as the user', async ({ server, browser }) => {
  const safari = await iPhone(browser, server.url, false);
  const page = await safari.newPage();
  await page.goto('/');
  await signUp(page, 'Ada');
  const line = page.getByText('add Holdfast to your home screen', { exact: false });
  await expect(line).toHaveCount(0);
  await say(page, 'From the browser');
  await expectState(page, 'From the browser', 'Sent');
  await expect(line).toBeVisible();
  await page.screenshot({ path: `${SCREENS}/8-install-line.png` });

  // Adding to the home screen fetches the manifest that the page names, with its cookies.
  const link = page.locator('link[rel=manifest]');
  await expect(link).toHaveAttribute('crossorigin', 'use-credentials');
  const start = await link.evaluate(async (element) => {
    const answer = await fetch((element as HTMLLinkElement).href, { credentials: 'include' });
    return (await answer.json()).start_url as string;
  });
  const added = await iPhone(browser, server.url, true);
  const app = await added.newPage();
  await app.goto(start);
  await app.getByRole('link', { name: /lobby/i }).click();
  await expectState(app, 'From the browser', 'Sent');
  expect(app.url()).toBe(`${server.url}/#/room/lobby`);
  await say(app, 'From the home screen');
  await expectState(app, 'From the home screen', 'Sent');
  await expect(app.getByText('add Holdfast to your home screen', { exact: false })).toHaveCount(0);
  await app.goto('about:blank');
  await app.goto(start); // each start has the same address
  await expect(app.getByRole('link', { name: /lobby/i })).toBeVisible();
  expect(app.url()).toBe(`${server.url}/`);

  await page.getByRole('button', { name: 'No, thanks' }).click();
  await expect(line).toHaveCount(0);
  await page.reload();
  await expectState(page, 'From the browser', 'Sent');
  await expect(line).toHaveCount(0);
  await Promise.all([safari.close(), added.close()]);
});

test('the code of the menu signs in on another device; a link with a pass does not', async ({
  server,
  browser,
  phone,
}) => {
  const page = await phone(server.url);
  await signUp(page, 'Cy');
  await say(page, 'From the first device');
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('button', { name: 'Use on another device' }).click();
  const code = await page
    .getByRole('status')
    .filter({ hasText: /^\w{3}-\w{3}$/ })
    .textContent();
  await page.screenshot({ path: `${SCREENS}/9-code.png` });
  const other = await newPage(browser, server.url);
  const start = await page.evaluate(
    async () => (await (await fetch('/api/manifest.webmanifest')).json()).start_url,
  );
  expect(start).toMatch(/^\/#\/pass\/[\w-]{22}$/);
  await other.goto(start); // in a browser a pass does nothing, or a link could sign people in as somebody else
  await other.getByRole('button', { name: 'I am already here' }).click();
  await other.screenshot({ path: `${SCREENS}/10-enter-code.png` });
  await other.getByRole('textbox', { name: 'Code' }).fill('ZZZ ZZZ');
  await other.getByRole('button', { name: 'Sign in' }).click();
  await expect(other.getByText('This code is wrong', { exact: false })).toBeVisible();
  await other.getByRole('textbox', { name: 'Code' }).fill(code!.toLowerCase().replace('-', ' '));
  await other.getByRole('button', { name: 'Sign in' }).click();
  await other.getByRole('link', { name: /lobby/i }).click();
  await expectState(other, 'From the first device', 'Sent');
  await other.context().close();
});

test('Chromium’s own prompt is offered once, and never in the app itself', async ({ server, phone }) => {
  const page = await phone(server.url);
  await signUp(page, 'Bea');
  await say(page, 'first');
  await expectState(page, 'first', 'Sent');
  await page.evaluate(() => {
    const prompt = () => Promise.resolve(document.body.setAttribute('data-prompted', ''));
    dispatchEvent(Object.assign(new Event('beforeinstallprompt', { cancelable: true }), { prompt }));
  });
  await page.getByRole('button', { name: 'Install' }).click();
  await expect(page.locator('body[data-prompted]')).toHaveCount(1);
  await expect(page.getByText('install Holdfast', { exact: false })).toHaveCount(0);
});

test('the browser of another app makes no account: it says where to open the link', async ({
  server,
  browser,
}) => {
  const page = await newPage(browser, server.url, WECHAT);
  await page.goto('/#/room/lobby');
  await expect(page.getByText('Open this page in your browser', { exact: false })).toBeVisible();
  await expect(page.getByText(`${server.url}/#/room/lobby`)).toBeVisible();
  await expect(page.getByRole('textbox')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'I am already here' })).toHaveCount(0);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy the link' }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${server.url}/#/room/lobby`);
  await page.screenshot({ path: `${SCREENS}/11-in-app.png` });
  await page.context().close();
});

async function newPage(browser: Browser, baseURL: string, userAgent?: string): Promise<Page> {
  const context = await browser.newContext({
    baseURL,
    ...(userAgent && { userAgent }),
    viewport: { width: 390, height: 844 },
  });
  return context.newPage();
}
