/**
 * Generates the icons in public/ from favicon.svg: `node test/support/gallery/icons.ts`. They are committed; run it again
 * when the logo changes. Phones crop maskable icons: their background fills the square, the logo is in the middle.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';

const ICONS = [
  { file: 'icon-192.png', size: 192, full: false },
  { file: 'icon-512.png', size: 512, full: false },
  { file: 'icon-maskable-512.png', size: 512, full: true },
  { file: 'apple-touch-icon.png', size: 180, full: true },
];

const folder = fileURLToPath(new URL('../../../public/', import.meta.url));
const drawing = await readFile(`${folder}favicon.svg`, 'utf8');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
for (const { file, size, full } of ICONS) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const svg = full ? drawing.replace(' rx="22"', '') : drawing;
  await page.setContent(`<style>body { margin: 0 } svg { display: block; width: ${size}px }</style>${svg}`);
  await page.screenshot({ path: folder + file, omitBackground: true });
  await page.close();
}
await browser.close();
