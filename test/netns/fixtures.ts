/**
 * A phone, a server, and what is between them, each with a network of its own: the phone's address can change without a
 * word to its browser, and the page comes from an address that is not loopback.
 */
import { once } from 'node:events';
import { type Browser, test as base, chromium, expect, type Page } from '@playwright/test';
import { CHROMIUM_ARGS, findChromium, PHONE } from '../support/chromium.ts';
import { cable, type Machine, startMachine, whyNoMachines } from '../support/namespaces.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/tmp.ts';
import { waitFor } from '../support/waitFor.ts';

export { expect };

export const WIFI = '10.77.1.2';
export const MOBILE = '10.77.1.3';
const ROUTER = '10.77.1.1';
const SERVER = '10.77.2.1';
const PORT = 3000;
const DEBUGGING_PORT = 9222;

export interface Field {
  /** The server as the phone sees it. */
  url: string;
  /** The same server, for the test itself. */
  api: string;
  /** A browser on the phone, with one page. It is not told that it has the focus: a page behind another is hidden. */
  page: Page;
  /** Nothing from or to the address of the Wi-Fi arrives any more. No address and no link changes: nobody is told. */
  leaveWifi(): Promise<void>;
  /** From now on the phone speaks from its other address. */
  takeMobile(): Promise<void>;
  /** The cable is pulled, which a browser is told. */
  unplug(): Promise<void>;
  plugIn(): Promise<void>;
  /** From where the server has connections that it thinks are there. */
  connectedFrom(): Promise<string[]>;
  /** From where the phone tries to connect to it, unheard so far. */
  callingFrom(): Promise<string[]>;
}

interface Fixtures {
  folder: TemporaryFolder;
  machines: { phone: Machine; router: Machine; server: Machine };
  field: Field;
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures that are needed off this pattern
  folder: async ({}, use) => {
    await using folder = await temporaryFolder();
    await use(folder);
  },
  // biome-ignore lint/correctness/noEmptyPattern: as above
  machines: async ({}, use, info) => {
    const why = await whyNoMachines();
    if (why) console.log(`${info.title}: not run. ${why}`);
    info.skip(why !== undefined, why);
    await using phone = await startMachine();
    await using router = await startMachine();
    await using server = await startMachine();
    await wire(phone, router, server);
    await use({ phone, router, server });
  },
  field: async ({ machines: { phone, router, server }, folder }, use, info) => {
    const { logs } = await serve(server, folder.path);
    await using browser = await startBrowser(phone, folder.path);
    const [page] = browser.contexts()[0]!.pages();
    await page!.setViewportSize(PHONE.viewport);
    await use({
      url: `http://${SERVER}:${PORT}`,
      api: await server.door(SERVER, PORT),
      page: page!,
      async leaveWifi() {
        await router.run(`ip rule add from ${WIFI} blackhole`);
        await router.run(`ip rule add to ${WIFI} blackhole`);
      },
      takeMobile: async () => void (await phone.run(`ip route change default via ${ROUTER} src ${MOBILE}`)),
      unplug: async () => void (await router.run('ip link set phone down')),
      plugIn: async () => void (await router.run('ip link set phone up')),
      connectedFrom: async () =>
        (await connectionsOf(server, 'established')).flatMap(([here, there]) =>
          here === `${SERVER}:${PORT}` ? [hostOf(there)] : [],
        ),
      callingFrom: async () => (await connectionsOf(phone, 'syn-sent')).map(([here]) => hostOf(here)),
    });
    if (info.status !== info.expectedStatus) await info.attach('server.log', { body: logs() });
  },
});

/** Both addresses are the phone's from the beginning; it speaks from the first. */
async function wire(phone: Machine, router: Machine, server: Machine): Promise<void> {
  await cable([phone, 'net'], [router, 'phone']);
  await cable([server, 'net'], [router, 'server']);
  await phone.run(`ip address add ${WIFI}/24 dev net`);
  await phone.run(`ip address add ${MOBILE}/24 dev net`);
  await router.run(`ip address add ${ROUTER}/24 dev phone`);
  await router.run('ip address add 10.77.2.254/24 dev server');
  await server.run(`ip address add ${SERVER}/24 dev net`);
  await server.run('ip route add default via 10.77.2.254');
  await phone.run(`ip route add default via ${ROUTER} src ${WIFI}`);
}

async function connectionsOf(machine: Machine, state: string): Promise<[here: string, there: string][]> {
  const lines = (await machine.run(`ss -Htn state ${state}`)).trim().split('\n');
  return lines.filter(Boolean).map((line) => line.trim().split(/\s+/).slice(2, 4) as [string, string]);
}

const hostOf = (address: string) => address.slice(0, address.lastIndexOf(':'));

async function serve(machine: Machine, data: string): Promise<{ logs(): string }> {
  let logs = '';
  const child = machine.start(process.execPath, ['server/main.ts'], {
    env: { PATH: process.env.PATH, HOST: SERVER, PORT: `${PORT}`, DATA: data },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      logs += text;
    });
  await waitFor('the server is open', () => {
    if (child.exitCode !== null) throw new Error(`the server ended:\n${logs}`);
    return logs.includes('Holdfast: open');
  });
  return { logs: () => logs };
}

/** Playwright's own way of starting one would tell each of its pages for good that it is looked at. */
async function startBrowser(machine: Machine, folder: string): Promise<Browser & AsyncDisposable> {
  const child = machine.start(
    findChromium()!,
    [
      ...CHROMIUM_ARGS,
      '--headless',
      `--remote-debugging-port=${DEBUGGING_PORT}`,
      `--user-data-dir=${folder}/browser`,
      'about:blank',
    ],
    { stdio: 'ignore' },
  );
  const door = await machine.door('127.0.0.1', DEBUGGING_PORT);
  await waitFor('the browser listens', () =>
    fetch(`${door}/json/version`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  const browser = await chromium.connectOverCDP(door, { noDefaults: true });
  return Object.assign(browser, {
    async [Symbol.asyncDispose]() {
      await browser.close();
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  });
}
