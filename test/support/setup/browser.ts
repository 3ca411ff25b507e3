/** Provides a Chromium: from CHROMIUM_PATH, an installed one, Playwright's download, or Debian's package. */
import { existsSync } from 'node:fs';
import { DEBIANS_HEADLESS_SHELL, findChromium, headlessShellIn } from '../chromium.ts';
import { runTool } from '../tools.ts';
import { aptInstall, CannotSetUp, mayInstall } from './root.ts';

/** Returns the path of a Chromium, and installs one if necessary. */
async function chromiumForTests(): Promise<string> {
  const named = process.env.CHROMIUM_PATH;
  if (named && !existsSync(named))
    throw new CannotSetUp(`CHROMIUM_PATH names ${named}, where no file is: correct or unset it.`);
  return findChromium() ?? (await install());
}

async function install(): Promise<string> {
  // Debian's package first: it brings the libraries that Playwright's download needs.
  if (mayInstall() && (await aptInstall('chromium'))) return found();
  const { code } = await runTool('playwright', ['install', 'chromium']);
  return code === 0 ? found() : missing();
}

function found(): string {
  return findChromium() ?? missing();
}

function missing(): never {
  throw new CannotSetUp(
    'The browser tests need Chromium, which is not here and could not be downloaded: `sudo apt-get install chromium` ' +
      '(or your system’s package of it) installs it, or set CHROMIUM_PATH to one.',
  );
}

/**
 * The browsers of the tests as environment variables, for what is started from here. `mayAdd`: whether the headless shell is
 * installed where it is missing.
 */
export async function chromiumsForTests(mayAdd: boolean): Promise<ChromiumPaths> {
  const whole = await chromiumForTests();
  if (mayAdd) await addHeadlessShell();
  return { CHROMIUM_PATH: whole, HEADLESS_SHELL_PATH: headlessShellIn(process.env) ?? '' };
}

interface ChromiumPaths {
  CHROMIUM_PATH: string;
  /** Empty: all tests use the whole one. */
  HEADLESS_SHELL_PATH: string;
}

/** For people. */
export function chromiumsInWords({ CHROMIUM_PATH, HEADLESS_SHELL_PATH }: ChromiumPaths): string {
  return HEADLESS_SHELL_PATH === ''
    ? `Chromium: all tests use ${CHROMIUM_PATH}`
    : `Chromium: most tests use ${HEADLESS_SHELL_PATH}, the others ${CHROMIUM_PATH}`;
}

/** Installs Chromium's headless shell beside Debian's Chromium. Where that cannot be, the tests use Chromium, which takes longer. */
async function addHeadlessShell(): Promise<void> {
  const { HEADLESS_SHELL_PATH, CHROMIUM_PATH } = process.env;
  if (HEADLESS_SHELL_PATH !== undefined || CHROMIUM_PATH || existsSync(DEBIANS_HEADLESS_SHELL)) return;
  if (existsSync(DEBIANS_CHROMIUM) && mayInstall() && (await aptInstall('chromium-headless-shell'))) return;
  console.log(
    'The browser tests use Chromium itself, which takes longer than its headless shell ' +
      '(on Debian: `sudo apt-get install chromium-headless-shell`).',
  );
}

const DEBIANS_CHROMIUM = '/usr/lib/chromium/chromium';
