/** Whole clients on slow and broken networks. */
import { afterEach, expect, test, vi } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import {
  CONNECTION_HEARTBEAT_TIMEOUT_MS,
  RECEIVING_SILENCE_MS,
  SILENCE_MS,
  WINDOW_STEP_LINES,
} from '../../../web/records/pageLimits.ts';
import { turns, until } from '../db/until.ts';
import { createBrowser, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

const tabs: Tab[] = [];

async function signedIn(): Promise<{ server: ModelServer; tab: Tab }> {
  const server = createModelServer();
  const tab = createBrowser(server).openTab();
  tabs.push(tab);
  await until('signed out', () => tab.app().tag === 'signed-out');
  expect(await tab.client.signIn('Mika')).toEqual({ ok: true });
  await tab.untilLive();
  tab.look(LOBBY);
  await until('the conversation is read', () => !tab.conversation(LOBBY).loading);
  return { server, tab };
}

async function passSteadily(tab: Tab, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    tab.clock.pass(500);
    await turns(2);
  }
}

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

test('O2 S4 an answer that takes long to be received is received over one connection', async () => {
  const { server, tab } = await signedIn();
  const lin = mint();
  for (let i = 1; i <= 5; i++) server.write(lin, `${i}`);
  await until('held', () => tab.read(LOBBY).length === 5);
  server.reachable = false;
  server.live()!.drop();
  for (let i = 6; i <= 400; i++) server.write(lin, `${i}`);
  server.reachable = true;
  await tab.untilLive();
  await until('the newest', () => {
    tab.client.toNewest(LOBBY); // the window stays with what was read last
    return tab.read(LOBBY).at(-1) === '400';
  });

  const { length } = server.sockets;
  let isAsked = false;
  const late: (() => void)[] = [];
  server.intercept = (event, _payload, _ack, handle) => {
    isAsked ||= event === 'range';
    return late.push(handle) > 0; // in order, as over one connection
  };
  const first = tab.conversation(LOBBY).messages[0]!.key;
  tab.client.loadOlder(LOBBY, WINDOW_STEP_LINES);
  await until('asked', () => isAsked);
  await passSteadily(tab, 15_000);
  for (const answer of late) answer();
  await until('older', () => tab.conversation(LOBBY).messages[0]!.key !== first);
  expect(server.sockets).toHaveLength(length);
});

test('S4 a dead socket is detected also while an answer is pending', async () => {
  const { server, tab } = await signedIn();
  const { length } = server.sockets;
  server.intercept = () => true; // no more answers
  void tab.client.ask('listPublic');
  await passSteadily(tab, RECEIVING_SILENCE_MS + 500);
  await until('another connection', () => server.sockets.length > length);
});

test('O2 O3 the answer of a captive portal is ignored: the outbox is kept, and sent without the person once the network works', async () => {
  const { server, tab } = await signedIn();
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const real = server.fetch;
  server.fetch = async () => new Response('<html>Welcome to the hotel</html>', { status: 401 });
  server.reachable = false; // Socket.IO reports such a page as a connect_error without data
  server.live()!.drop();
  await tab.client.send(LOBBY, 'from the hotel');
  await passSteadily(tab, 60_000);
  expect(tab.signedIn().connection.tag).toBe('offline');
  expect(tab.read(LOBBY)).toEqual(['from the hotel (queued)']);

  server.fetch = real;
  server.reachable = true;
  await tab.untilPassing('sent', () => tab.read(LOBBY)[0] === 'from the hotel');
  warned.mockRestore();
});

test("a queued text shows the server's time, whatever the device's clock says", async () => {
  const { server, tab } = await signedIn();
  expect(tab.clock.now()).toBeGreaterThan(900_000);
  server.intercept = (event) => event === 'append';
  await tab.client.send(LOBBY, 'on its way');
  await until('shown', () => tab.read(LOBBY).length === 1);
  expect(tab.conversation(LOBBY).messages[0]!.at).toBeLessThan(100_000);
});

test('S4 once all is answered, a dead socket is detected as fast as before', async () => {
  const { server, tab } = await signedIn();
  await tab.client.ask('listPublic');
  const { length } = server.sockets;
  server.intercept = () => true;
  await passSteadily(tab, SILENCE_MS + CONNECTION_HEARTBEAT_TIMEOUT_MS);
  await until('another connection', () => server.sockets.length > length);
});
