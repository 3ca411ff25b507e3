/** The Chromium of the tests as a process: finds, starts and kills it. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium } from '@playwright/test';
import { waitFor } from './waitFor.ts';

/** Root has no sandbox. The other flags stop background requests, which a closed network would refuse by the dozen. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The viewport of a phone, the main target of the page. */
export const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
} satisfies BrowserContextOptions;

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const ELSEWHERE = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Its command in /usr/bin is a script, which Playwright could not kill. */
export const DEBIANS_HEADLESS_SHELL = '/usr/lib/chromium/chromium-headless-shell';

/** The path in CHROMIUM_PATH, else an installed Chromium, else the one that Playwright downloaded. */
export function findChromium(): string | undefined {
  const named = process.env.CHROMIUM_PATH;
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...(named ? [named] : []), ...onPath, ...ELSEWHERE, chromium.executablePath()].find((path) =>
    existsSync(path),
  );
}

/**
 * Chromium without windows and menus: the same engine, network and storage, for about half of the CPU time. The path in
 * HEADLESS_SHELL_PATH (none if that is empty), else that of Debian's package, but not for whoever names a browser by
 * CHROMIUM_PATH. `npm test` sets both for what it starts.
 */
export function headlessShellIn(
  { HEADLESS_SHELL_PATH, CHROMIUM_PATH }: NodeJS.ProcessEnv,
  exists: (path: string) => boolean = existsSync,
): string | undefined {
  const path = HEADLESS_SHELL_PATH ?? (CHROMIUM_PATH ? '' : DEBIANS_HEADLESS_SHELL);
  return path !== '' && exists(path) ? path : undefined;
}

/** Where there is none, Playwright names the path that it has tried. */
const WHOLE = findChromium() ?? chromium.executablePath();

/** For most tests of the page. */
export const HEADLESS_SHELL = { executablePath: headlessShellIn(process.env) ?? WHOLE, args: CHROMIUM_ARGS };

/** `test.use(WHOLE_CHROMIUM)`: for what the headless shell does not have, or where its speed would not be that of a phone. */
export const WHOLE_CHROMIUM = { launchOptions: { executablePath: WHOLE, args: CHROMIUM_ARGS } };

export interface Installation {
  context: BrowserContext;
  /** Kills every process of this browser at once, as a phone does that needs the memory. */
  kill9(): Promise<void>;
  close(): Promise<void>;
}

/** A browser with its storage in `userDataDir`, which survives a restart on the same folder. Linux only. */
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

/** Every process whose command line names this folder: those of this browser and of no other. */
async function processesOf(userDataDir: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, index) =>
    commands[index]!.split('\0').some((part) => part === `--user-data-dir=${userDataDir}`),
  );
}
