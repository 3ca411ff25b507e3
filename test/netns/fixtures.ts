/**
 * A phone, a server and a router, each in its own network namespace: the phone's address can change without an event in its
 * browser, and the page has an address that is not loopback.
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
  /** The server's address for the phone. */
  url: string;
  /** The server's address for the test process. */
  api: string;
  /** A browser on the phone, with one page. Focus is not emulated: a page behind another one is hidden. */
  page: Page;
  /** Drops all packets from and to the Wi-Fi address. No address and no link changes, so there is no event. */
  leaveWifi(): Promise<void>;
  /** Switches the phone to its other address. */
  takeMobile(): Promise<void>;
  /** Takes the link down, which the browser notices. */
  unplug(): Promise<void>;
  plugIn(): Promise<void>;
  /** The client addresses of the server's open connections. */
  connectedFrom(): Promise<string[]>;
  /** The addresses from which the phone has unanswered connection attempts. */
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

/** The phone has both addresses from the beginning; it uses the first one. */
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

/** Playwright's own launch would emulate focus in all pages. */
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
