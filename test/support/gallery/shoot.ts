/**
 * Pictures of every scene, to be looked at: `node test/support/gallery/shoot.ts <folder> [scene …]`.
 * Phone in light and dark, and a wide screen; the browser is CHROMIUM_PATH or /usr/bin/chromium.
 */
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from '@playwright/test';
import { createServer } from 'vite';
import { SCENES } from './scenes.ts';

const SCREENS = [
  { name: 'light', viewport: { width: 390, height: 844 }, colorScheme: 'light', hasTouch: true },
  { name: 'dark', viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true },
  { name: 'wide', viewport: { width: 1280, height: 800 }, colorScheme: 'light', hasTouch: false },
] as const;

const [folder = '/tmp/shots', ...wanted] = process.argv.slice(2);
const vite = await createServer({
  configFile: false,
  root: fileURLToPath(new URL('.', import.meta.url)),
  cacheDir: fileURLToPath(new URL('../../../node_modules/.cache/gallery', import.meta.url)),
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  server: {
    host: '127.0.0.1',
    port: 0,
    fs: { allow: [fileURLToPath(new URL('../../..', import.meta.url))] },
  },
  logLevel: 'warn',
});
await vite.listen();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
});
const url = vite.resolvedUrls!.local[0]!;
for (const scene of wanted.length > 0 ? wanted : Object.keys(SCENES)) await shoot(browser, scene);
await browser.close();
await vite.close();

async function shoot(browser: Browser, scene: string): Promise<void> {
  for (const { name, ...screen } of SCREENS) {
    const page = await browser.newPage({ ...screen, deviceScaleFactor: name === 'wide' ? 1 : 2 });
    page.on('pageerror', (error) => console.error(scene, name, error));
    page.on('console', (line) => line.type() === 'error' && console.error(scene, name, line.text()));
    await page.goto(`${url}?scene=${scene}`);
    if (scene === 'taken') await page.getByLabel('Your name').fill('Ada');
    const { taps = [], menuOf } = SCENES[scene]!;
    if (menuOf) await page.getByText(menuOf, { exact: true }).click({ button: 'right' });
    for (const tap of taps)
      await page
        .getByRole('button', { name: tap })
        .or(page.getByRole('menuitem', { name: tap }))
        .last()
        .click();
    if (scene === 'long') await page.locator('.log').evaluate((log) => log.scrollBy(0, -1500));
    await page.waitForTimeout(900); // for the eye only: what fades in has done so
    await page.screenshot({ path: `${folder}/${scene}-${name}.png` });
    await page.close();
  }
}
