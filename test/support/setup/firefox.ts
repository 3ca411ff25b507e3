/** Provides a Firefox: from FIREFOX_PATH, an installed one, or Debian's package. */
import { existsSync } from 'node:fs';
import { onPath } from './onPath.ts';
import { aptInstall, CannotSetUp, mayInstall } from './root.ts';

/** Returns the path of a Firefox, and installs one if necessary. */
export async function firefoxForTests(): Promise<string> {
  const named = process.env.FIREFOX_PATH;
  if (named && !existsSync(named))
    throw new CannotSetUp(`FIREFOX_PATH names ${named}, where no file is: correct or unset it.`);
  const here = findFirefox();
  if (here !== undefined) return here;
  const installed = mayInstall() && (await aptInstall('firefox-esr')) ? findFirefox() : undefined;
  if (installed !== undefined) return installed;
  throw new CannotSetUp(
    'The tests in other browsers need Firefox 126 or later, which is not here: `sudo apt-get install firefox-esr` ' +
      '(or your system’s package of it) installs it, or set FIREFOX_PATH to one.',
  );
}

/** The path in FIREFOX_PATH, else an installed Firefox. */
export function findFirefox(): string | undefined {
  const named = process.env.FIREFOX_PATH;
  return [...(named ? [named] : []), ...onPath('firefox-esr', 'firefox'), ...ELSEWHERE].find((path) =>
    existsSync(path),
  );
}

const ELSEWHERE = ['/Applications/Firefox.app/Contents/MacOS/firefox'];
