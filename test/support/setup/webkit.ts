/** Provides WebKitGTK on Linux: its driver, its MiniBrowser, and a virtual screen. */
import { globSync } from 'node:fs';
import { onPath } from './onPath.ts';
import { aptInstall, CannotSetUp, mayInstall } from './root.ts';

export interface WebKit {
  driver: string;
  browser: string;
  xvfb: string;
}

/** On other systems its tests are skipped. */
export const IS_OF_THIS_SYSTEM = process.platform === 'linux';

/** Installs WebKitGTK if necessary. */
export async function webKitForTests(): Promise<WebKit> {
  const here = findWebKit();
  if (here !== undefined) return here;
  const installed =
    mayInstall() && (await aptInstall('webkit2gtk-driver', 'xvfb')) ? findWebKit() : undefined;
  if (installed !== undefined) return installed;
  throw new CannotSetUp(
    'The tests in other browsers need WebKitGTK with its driver and Xvfb, which are not here: ' +
      '`sudo apt-get install webkit2gtk-driver xvfb` (or your system’s packages of them) installs them.',
  );
}

export function findWebKit(): WebKit | undefined {
  const [driver] = onPath('WebKitWebDriver');
  const [xvfb] = onPath('Xvfb');
  const browser = globSync(BROWSERS).sort().at(-1); // the newest version
  return driver && xvfb && browser ? { driver, browser, xvfb } : undefined;
}

/** Debian and Ubuntu, Arch, Fedora. */
const BROWSERS = [
  '/usr/lib/*/webkit*gtk-*/MiniBrowser',
  '/usr/lib/webkit*gtk-*/MiniBrowser',
  '/usr/libexec/webkit*gtk-*/MiniBrowser',
];
