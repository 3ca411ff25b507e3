/** Leaving and joining rooms, also many of them. */

import { afterEach, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { WINDOW_STEP_LINES } from '../../../web/records/pageLimits.ts';
import { turns, until } from '../db/until.ts';
import { createBrowser, readAll, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

const tabs: Tab[] = [];
afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

async function twoRooms() {
  const server = createModelServer();
  const browser = createBrowser(server);
  const tab = browser.openTab();
  tabs.push(tab);
  const room = mint();
  server.rooms.set(room, { id: room, name: 'Kitchen', log: [] });
  await until('signed out', () => tab.app().tag === 'signed-out');
  await tab.client.signIn('Mika');
  await tab.untilLive();
  tab.look(room);
  await until('both', () => tab.signedIn().rooms.length === 2);
  return { server, browser, tab, room };
}

/** The server removes the user from a room, as after a leave on any device. */
function leave(server: ModelServer, room: string, reason?: string) {
  const { id, name, log } = server.rooms.get(room)!;
  server.rooms.delete(room);
  server.live()?.hear('room', { removed: room, ...(reason && { reason }) });
  return { id, name, log };
}

function join(server: ModelServer, back: ReturnType<typeof leave>) {
  server.rooms.set(back.id, back);
  const head = back.log.length;
  const from = head <= 200 ? 1 : head - 49;
  const about = { id: back.id, kind: 'public', name: back.name, head, from, readUpTo: 0, members: 2 };
  server.live()!.hear('room', { room: about });
  server.live()!.hear('entries', { room: back.id, entries: back.log.slice(from - 1), users: {} });
}

const named = (tab: Tab, room: string) => tab.signedIn().rooms.find(({ id }) => id === room);

test('S3 a room that is left and joined again after 5,000 entries: the newest first, and stored messages are refreshed', async () => {
  const { server, browser, tab, room } = await twoRooms();
  const lin = mint();
  server.write(lin, 'first', room);
  server.write(lin, 'secret', room);
  await until('held', () => tab.read(room).length === 2);
  const back = leave(server, room);
  await until('gone', () => named(tab, room) === undefined);
  server.rooms.set(room, back);
  server.mute = true;
  for (let i = 0; i < 5_000; i++) server.write(lin, `${i}`, room);
  server.amend('delete', 2, undefined, room);
  server.mute = false;
  join(server, server.rooms.get(room)!);
  await until('the newest', () => tab.read(room).at(-1) === '4999');
  expect(named(tab, room)).toMatchObject({ member: true });
  const records = async () =>
    JSON.stringify(await readAll(browser.indexedDB, `holdfast:${tab.signedIn().user.id}`, 'log'));
  expect(await records()).toContain('first');
});

test('S1 a room that is left, put back meanwhile and joined again shows the log of the server, once', async () => {
  const { server, tab, room } = await twoRooms();
  const lin = mint();
  for (const body of ['old 1', 'old 2', 'old 3']) server.write(lin, body, room);
  await until('held', () => tab.read(room).length === 3);
  const back = leave(server, room);
  await until('gone', () => named(tab, room) === undefined);
  const log = back.log.slice(0, 1);
  for (const i of [2, 3, 4, 5])
    log.push({ serverOffset: i, author: lin, clientOffset: mint(), at: i, kind: 'text', body: `new ${i}` });
  join(server, { ...back, log });
  await tab.untilPassing('the new one', () => tab.read(room).length === 5);
  expect(tab.read(room)).toEqual(['old 1', 'new 2', 'new 3', 'new 4', 'new 5']);
});

test('O4 a room that was left stays in the list while own messages wait or a draft exists there', async () => {
  const { server, tab, room } = await twoRooms();
  server.write(mint(), 'hi', room);
  await until('held', () => tab.read(room).length === 1);
  await tab.client.saveDraft(room, 'half a sentence');
  await tab.untilPassing('written', () => named(tab, room)!.draft === 'half a sentence');
  const back = leave(server, room);
  await until('left', () => named(tab, room)?.member === false);
  expect(named(tab, room)).toMatchObject({ draft: 'half a sentence', name: 'Kitchen' });
  expect(tab.read(room)).toEqual(['hi']);

  server.live()!.drop(); // and over the next connection, whose welcome does not list the room
  await until('down', () => tab.signedIn().connection.tag !== 'live');
  await tab.untilLive();
  expect(server.live()!.options.auth.cursors).toHaveProperty(room); // the user may join it again meanwhile (S1)
  expect(named(tab, room)?.member).toBe(false);

  join(server, back);
  await until('joined', () => named(tab, room)?.member === true);
  leave(server, room);
  await until('left', () => named(tab, room)?.member === false);
  await tab.client.saveDraft(room, '');
  await tab.untilPassing('nothing keeps it', () => named(tab, room) === undefined);
});

test('a room that was left on another device meanwhile is not in the list, and is not requested', async () => {
  const { server, tab, room } = await twoRooms();
  const asked: string[] = [];
  server.intercept = (event, payload) => {
    if (event === 'range') asked.push((payload as { room: string }).room);
    return false;
  };
  server.reachable = false;
  server.live()!.drop();
  server.rooms.delete(room);
  server.reachable = true;
  await tab.untilLive();
  await until('gone', () => named(tab, room) === undefined);
  await turns();
  expect(asked).toEqual([]);
  expect(named(tab, LOBBY)).toBeDefined();
});

test('S3 a text that was deleted while its reader, who had scrolled up, was offline: gone from the screen and the database after the reconnect', async () => {
  const { server, browser, tab } = await twoRooms();
  tab.look(LOBBY);
  const lin = mint();
  server.write(lin, 'secret');
  for (let i = 2; i <= 160; i++) server.write(lin, `${i}`);
  await tab.untilPassing('all are held', () => tab.read(LOBBY).at(-1) === '160');
  while (!tab.conversation(LOBBY).atStart || tab.conversation(LOBBY).atNewest) {
    tab.client.loadOlder(LOBBY, WINDOW_STEP_LINES);
    await turns(50);
  }
  expect(tab.read(LOBBY)[0]).toBe('secret');

  server.reachable = false;
  server.live()!.drop();
  server.amend('delete', 1);
  for (let i = 0; i < 300; i++) server.write(lin, `later ${i}`);
  server.reachable = true;
  await tab.untilPassing('it is gone', () => tab.read(LOBBY)[0] === 'deleted');
  const user = tab.signedIn().user.id;
  expect(JSON.stringify(await readAll(browser.indexedDB, `holdfast:${user}`, 'log'))).not.toContain('secret');
});

test('O4 a room from which one was removed stays listed and says why, until one has seen it or joins again', async () => {
  const { server, tab, room } = await twoRooms();
  const back = leave(server, room, 'out-removed');
  await until('out', () => named(tab, room)?.out === 'out-removed');
  expect(named(tab, room)).toMatchObject({ member: false });
  join(server, back);
  await until('back', () => named(tab, room)?.member === true);
  expect(named(tab, room)).not.toHaveProperty('out');
  leave(server, room, 'out-banned');
  await until('out again', () => named(tab, room)?.out === 'out-banned');
  expect(await tab.client.ask('forgetRoom', room)).toEqual({ ok: true });
  await until('gone', () => named(tab, room) === undefined);
});

test('S1 the name and the description of a room follow its newest change: live, after 5,000 missed entries, and offline', async () => {
  const { server, browser, tab, room } = await twoRooms();
  const lin = mint();
  server.changeRoom(room, lin, { name: 'Galley' });
  await until('live', () => named(tab, room)?.name === 'Galley');
  server.changeRoom(room, lin, { description: 'Who cooks' });
  await until('described', () => named(tab, room)?.about?.description === 'Who cooks');
  server.reachable = false;
  server.live()!.drop();
  server.mute = true;
  server.changeRoom(room, lin, { name: 'Mess' });
  server.changeRoom(room, lin, { description: 'Who eats' });
  for (let i = 0; i < 5_000; i++) server.write(lin, `${i}`, room);
  server.mute = false;
  expect(named(tab, room)).toMatchObject({ name: 'Galley', about: { description: 'Who cooks' } });
  server.reachable = true;
  await tab.untilPassing('back', () => named(tab, room)?.name === 'Mess');
  await until('the newest', () => tab.read(room).at(-1) === '4999');
  server.reachable = false;
  tab.kill();
  const offline = browser.openTab();
  tabs.push(offline);
  await until('shown', () => offline.app().tag === 'signed-in');
  expect(named(offline, room)).toMatchObject({ name: 'Mess', about: { upTo: 4, description: 'Who eats' } });
});

test('S1 an older change that is read later, or a description of the room that is older, does not bring the old name back', async () => {
  const { server, tab, room } = await twoRooms();
  const lin = mint();
  server
    .live()!
    .hear('room', { room: roomAs(room, { name: 'Galley', about: { upTo: 9 }, head: 9, from: 10 }) });
  await until('told', () => named(tab, room)?.name === 'Galley');
  server.changeRoom(room, lin, { name: 'Old' }); // the entry at 1
  server
    .live()!
    .hear('room', { room: roomAs(room, { name: 'Older', about: { upTo: 3 }, head: 9, from: 10 }) });
  server
    .live()!
    .hear('room', { room: roomAs(room, { name: 'Mess', about: { upTo: 12 }, head: 12, from: 13 }) });
  await until('the newest', () => named(tab, room)?.name !== 'Galley');
  expect(named(tab, room)?.name).toBe('Mess');
});

function roomAs(id: string, fields: object) {
  return { id, kind: 'public', readUpTo: 0, members: 2, ...fields };
}
