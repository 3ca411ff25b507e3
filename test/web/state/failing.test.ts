/** Single rooms that cannot be read, on the server or on the device. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { until } from '../db/until.ts';
import { type Browser, createBrowser, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

let server: ModelServer;
let browser: Browser;
let tab: Tab;
const kitchen = mint();
const lin = mint();

beforeEach(async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  server = createModelServer();
  server.rooms.set(kitchen, { id: kitchen, name: 'Kitchen', log: [] });
  for (const body of ['1', '2', '3']) server.write(lin, body, kitchen);
  browser = createBrowser(server);
  tab = browser.openTab();
  await until('signed out', () => tab.app().tag === 'signed-out');
  await tab.client.signIn('Mika');
  await tab.untilLive();
  tab.look(kitchen);
  tab.look(LOBBY);
  await until('held', () => tab.read(kitchen).length === 3);
});
afterEach(() => {
  tab.kill();
  vi.restoreAllMocks();
});

const room = (id = kitchen) => tab.signedIn().rooms.find((each) => each.id === id);

async function comesBackFailing(): Promise<void> {
  server.live()!.drop();
  server.failing.add(kitchen);
  server.write(lin, 'to the lobby');
  await tab.untilPassing(
    'welcomed',
    () => tab.signedIn().connection.tag === 'live' && room()?.failing !== undefined,
  );
}

test('S2 a room that failed keeps its stored messages and is marked; the other rooms are caught up and go live', async () => {
  await comesBackFailing();
  expect(room()).toMatchObject({ member: true, failing: { code: 'unavailable' } });
  expect(tab.read(kitchen)).toEqual(['1', '2', '3']);
  expect(room(LOBBY)).not.toHaveProperty('failing');
  await until('caught up', () => tab.read(LOBBY).join() === 'to the lobby');
  server.write(lin, 'live');
  await until('live', () => tab.read(LOBBY).at(-1) === 'live');
  expect(tab.signedIn().connection).toEqual({ tag: 'live' });

  server.mute = true;
  server.write(lin, '4', kitchen);
  server.mute = false;
  server.heal(kitchen);
  await until('it is back', () => tab.read(kitchen).join() === '1,2,3,4');
  expect(room()).not.toHaveProperty('failing');
});

test('S2 a failed room is marked only until its connection ends', async () => {
  await comesBackFailing();
  server.live()!.drop();
  await until('no connection', () => tab.signedIn().connection.tag !== 'live');
  expect(room()).not.toHaveProperty('failing');
});

test('O2 messages of a room that failed wait; messages of other rooms are sent', async () => {
  await comesBackFailing();
  await tab.client.send(kitchen, 'waits');
  await tab.client.send(LOBBY, 'goes');
  await tab.untilPassing('sent', () => tab.read(LOBBY).at(-1) === 'goes');
  await tab.untilPassing(
    'tried again',
    () => server.appends.filter((items) => items[0]?.body === 'waits').length > 2,
  );
  await tab.client.send(LOBBY, 'goes, too');
  await tab.untilPassing('sent', () => tab.read(LOBBY).at(-1) === 'goes, too');
  expect(tab.read(kitchen).at(-1)).toBe('waits (queued)');
  server.heal(kitchen);
  await tab.untilPassing('sent at last', () => tab.read(kitchen).at(-1) === 'waits');
});

test('S2 a room that fails during a connection is marked until the server describes it again', async () => {
  const error = { code: 'internal', message: '' };
  server.live()!.hear('room', { failed: { id: kitchen, error } });
  await until('said', () => room()?.failing?.code === 'internal');
  server.heal(kitchen);
  await until('well', () => room()?.failing === undefined);
});
