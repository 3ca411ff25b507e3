/**
 * Takes screenshots of every scene: `node test/support/gallery/shoot.ts <folder> [scene …]`. On a phone in light and dark, and
 * on a wide screen.
 */
import { type Browser, chromium } from '@playwright/test';
import { CHROMIUM_ARGS, findChromium } from '../chromium.ts';
import { SCENES } from './scenes.ts';
import { serveGallery } from './serve.ts';

const SCREENS = [
  { name: 'light', viewport: { width: 390, height: 844 }, colorScheme: 'light', hasTouch: true },
  { name: 'dark', viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true },
  { name: 'wide', viewport: { width: 1280, height: 800 }, colorScheme: 'light', hasTouch: false },
] as const;

const [folder = '/tmp/shots', ...wanted] = process.argv.slice(2);
await using gallery = await serveGallery();
const executablePath = findChromium();
if (executablePath === undefined) throw new Error('There is no Chromium here: set CHROMIUM_PATH.');
const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS });
for (const scene of wanted.length > 0 ? wanted : Object.keys(SCENES)) await shoot(browser, scene);
await browser.close();

async function shoot(browser: Browser, scene: string): Promise<void> {
  for (const { name, ...screen } of SCREENS) {
    const deviceScaleFactor = name === 'wide' ? 1 : 2;
    const page = await browser.newPage({ ...screen, deviceScaleFactor, reducedMotion: 'reduce' });
    page.on('pageerror', (error) => console.error(scene, name, error));
    page.on('console', (line) => line.type() === 'error' && console.error(scene, name, line.text()));
    await page.goto(gallery.url);
    await gallery.show(page, scene);
    if (scene === 'long') await page.locator('.log').evaluate((log) => log.scrollBy(0, -1500));
    await page.waitForTimeout(900); // until lines that show late are there
    await page.screenshot({ path: `${folder}/${scene}-${name}.png` });
    await page.close();
  }
}
