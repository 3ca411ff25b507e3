/**
 * Firefox, driven by puppeteer-core over WebDriver BiDi. Its profile is a folder and survives a restart.
 *
 * Features, as of version 153: service workers and starting offline, Web Locks with `steal` and `query`, BroadcastChannel,
 * IndexedDB with `strict` durability. Missing: Background Sync, `freeze` and `resume`, and `navigator.connection`.
 */
import { writeFile } from 'node:fs/promises';
import puppeteer from 'puppeteer-core';
import type { Browser } from '../otherBrowsers/browser.ts';
import { type ProcessGroup, startGroup } from './processGroup.ts';
import { findFirefox } from './setup/firefox.ts';
import { type DrivenWindow, openTabs } from './tabs.ts';
import { temporaryFolder } from './tmp.ts';
import { waitFor } from './waitFor.ts';

/** The process name of a site. With Fission each site has its own process; with these preferences, each tab. */
const PROCESS_OF_A_TAB = 'Isolated Web Co';

const PREFERENCES = {
  'dom.ipc.processCount.webIsolated': 8, // a process for each tab, so that one tab can be stopped
  'dom.ipc.processPrelaunch.enabled': false,
  'fission.webContentIsolationStrategy': 1,
  'browser.sessionstore.resume_from_crash': false,
  'toolkit.startup.max_resumed_crashes': -1,
  'browser.startup.page': 0,
  'browser.newtabpage.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'network.proxy.type': 0,
  'network.manage-offline-status': false, // the loopback interface counts as a network
  // No background requests to the internet, which fail in a closed network.
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.enabled': false,
};

export async function startFirefox(): Promise<Browser> {
  const program = findFirefox();
  if (program === undefined) throw new Error('no Firefox: run `npm test`, which sets one up');
  const home = await temporaryFolder();
  const lines = Object.entries(PREFERENCES).map(
    ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`,
  );
  await writeFile(`${home.path}/user.js`, lines.join('\n'));

  let life: Life | undefined;
  const end = async () => {
    await life?.kill9();
    life = undefined;
  };
  const dispose = async () => {
    await end();
    await home.remove();
  };
  try {
    life = await startLife(program, home.path);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    name: 'Firefox',
    open: (url) => life!.tabs.open(url),
    async restart() {
      await end();
      life = await startLife(program, home.path);
    },
    dispose,
  };
}

interface Life {
  tabs: ReturnType<typeof openTabs>;
  kill9(): Promise<void>;
}

async function startLife(program: string, home: string): Promise<Life> {
  const group = startGroup(
    program,
    ['--headless', '--no-remote', '--profile', home, '--remote-debugging-port=0'],
    {
      env: { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8', MOZ_CRASHREPORTER_DISABLE: '1' },
    },
  );
  try {
    const endpoint = await endpointOf(group);
    const browser = await puppeteer.connect({
      browserWSEndpoint: `${endpoint}/session`,
      protocol: 'webDriverBiDi',
      defaultViewport: null,
    });
    const openWindow = async (): Promise<DrivenWindow> => {
      const page = await browser.newPage({ type: 'window' });
      return {
        goto: async (url) => void (await page.goto(url)),
        run: (work, ...args) => page.evaluate(work as never, ...(args as unknown as [])) as never,
        click: (css) => page.click(css),
        type: (css, text) => page.type(css, text),
        close: () => page.close(),
      };
    };
    return { tabs: openTabs(() => group.named(PROCESS_OF_A_TAB), openWindow), kill9: group.kill9 };
  } catch (error) {
    await group.kill9();
    throw error;
  }
}

function endpointOf(group: ProcessGroup): Promise<string> {
  return waitFor(
    'Firefox reports its port',
    () => {
      group.check();
      return /WebDriver BiDi listening on (ws:\S+)/.exec(group.logs())?.[1];
    },
    60_000,
  );
}
