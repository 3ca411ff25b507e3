/** Builds the gallery and serves it on its own port. */
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import { build, preview } from 'vite';
import { temporaryFolder } from '../tmp.ts';
import { SCENES } from './scenes.ts';

export interface Gallery extends AsyncDisposable {
  /** The URL of the gallery with some scene. */
  readonly url: string;
  /** Shows a scene of scenes.ts in English on an open page, with its actions done. */
  show(page: Page, scene: string): Promise<void>;
  /** Shows the current scene in Chinese. */
  inChinese(page: Page): Promise<void>;
}

export async function serveGallery(): Promise<Gallery> {
  const folder = await temporaryFolder();
  const config = {
    configFile: false as const,
    root: fileURLToPath(new URL('.', import.meta.url)),
    build: { outDir: folder.path, emptyOutDir: true, target: 'chrome111', minify: false },
    preview: { host: '127.0.0.1', port: 0 },
    oxc: { jsx: { runtime: 'automatic' as const, importSource: 'preact' } },
    logLevel: 'warn' as const,
  };
  await build(config);
  const server = await preview(config);
  return {
    url: server.resolvedUrls!.local[0]!,
    async show(page, scene) {
      await page.waitForFunction(() => 'show' in window);
      await page.evaluate((name) => (window as unknown as InPage).show(name, 'en'), scene);
      await arrange(page, scene);
    },
    inChinese: (page) => page.evaluate(() => (window as unknown as InPage).speak('zh')),
    async [Symbol.asyncDispose]() {
      await server.close();
      await folder.remove();
    },
  };
}

/** The functions that gallery.tsx adds to the window. */
interface InPage {
  show(scene: string, language: string): Promise<void>;
  speak(language: string): Promise<void>;
}

/** Does the actions of a scene: typing and taps. */
async function arrange(page: Page, scene: string): Promise<void> {
  const { types, menuOf, taps = [] } = SCENES[scene]!;
  if (types !== undefined) await page.getByRole('textbox').fill(types);
  if (menuOf !== undefined) await page.getByText(menuOf, { exact: true }).click({ button: 'right' });
  for (const tap of taps)
    await page
      .getByRole('button', { name: tap })
      .or(page.getByRole('menuitem', { name: tap }))
      .last()
      .click();
}
