/** Where a Chromium is, how it is started here, and how it is killed: the tests' browsers as processes. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium } from '@playwright/test';
import { waitFor } from './waitFor.ts';

/** As root there is no sandbox; the rest keeps it from calling out, which a closed network refuses many at a time. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The size of a phone, which is what the page is drawn for. */
export const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
} satisfies BrowserContextOptions;

/** The one that is named by CHROMIUM_PATH, else an installed one, else Playwright's own download. */
export function findChromium(): string | undefined {
  const named = process.env.CHROMIUM_PATH;
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...(named ? [named] : []), ...onPath, ...ELSEWHERE, chromium.executablePath()].find((path) =>
    existsSync(path),
  );
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ELSEWHERE = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

export interface Installation {
  context: BrowserContext;
  /** Ends every process of this browser at once, as a phone does that takes its memory back. */
  kill9(): Promise<void>;
  close(): Promise<void>;
}

/** A phone with its own storage in `userDataDir`: start it again on the same folder and it remembers. Linux only. */
export async function startInstallation(userDataDir: string, baseURL: string): Promise<Installation> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('no Chromium: run `npm test`, which sets one up');
  const context = await chromium.launchPersistentContext(userDataDir, {
    ...PHONE,
    baseURL,
    executablePath,
    args: CHROMIUM_ARGS,
  });
  return {
    context,
    kill9: async () => {
      for (const pid of await processesOf(userDataDir)) process.kill(pid, 'SIGKILL');
      await waitFor('the browser is gone', async () => (await processesOf(userDataDir)).length === 0);
      await context.close().catch(() => {});
    },
    close: () => context.close(),
  };
}

/** Every process whose command line names this folder: the browser's own, all of its children that do, none of others. */
async function processesOf(userDataDir: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, index) =>
    commands[index]!.split('\0').some((part) => part === `--user-data-dir=${userDataDir}`),
  );
}
