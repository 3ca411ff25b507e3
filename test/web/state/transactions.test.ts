/**
 * What the device pays for a message and for a key: transactions of IndexedDB, and requests in them. Strict ones wait for the
 * disk. The limits are what it is now. Before, by this count: sending 19, 3 and 194, receiving 8, 0 and 73, ten keys 8, 4 and 8.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { type CountedTransaction, countTransactions } from '../db/countTransactions.ts';
import { turns, until } from '../db/until.ts';
import { createBrowser, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

const HELD = 60;
const KEY_MS = 150;

let server: ModelServer;
let lin: string;
let tab: Tab;
let counted: () => CountedTransaction[];

beforeEach(async () => {
  server = createModelServer();
  lin = mint();
  server.names.set(lin, 'Lin');
  tab = createBrowser(server).openTab();
  await until('signed out', () => tab.app().tag === 'signed-out');
  await tab.client.signIn('Mika');
  await tab.untilLive();
  for (let n = 1; n <= HELD; n++) server.write(lin, `text ${n}`);
  tab.look(LOBBY);
  await until('read', () => tab.read(LOBBY).at(-1) === `text ${HELD}`);
  tab.client.seen(LOBBY, HELD);
  await until('seen', () => server.readUpTo.get(LOBBY) === HELD && room().unread === 0);
  await settled();
  counted = countTransactions();
});
afterEach(() => {
  vi.restoreAllMocks();
  tab.kill();
});

const room = () => tab.signedIn().rooms.find(({ id }) => id === LOBBY)!;

/** Long enough for all that follows from what was done, timers included. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await turns(15);
    tab.clock.pass(50);
  }
}

/** Since the last count. */
function expectAtMost(most: { transactions: number; strict: number; requests: number }): void {
  const all = counted();
  const writes = all.filter(({ mode }) => mode === 'readwrite');
  const list = all.map(({ mode, stores, requests }) => `${mode} ${stores}: ${requests}`).join('\n');
  expect(all.length, list).toBeLessThanOrEqual(most.transactions);
  expect(writes.filter(({ durability }) => durability === 'strict').length, list).toBeLessThanOrEqual(
    most.strict,
  );
  expect(
    all.reduce((sum, { requests }) => sum + requests, 0),
    list,
  ).toBeLessThanOrEqual(most.requests);
}

/** Once in the log, the message is seen, too: that is part of what it costs. */
async function see(upTo: number): Promise<void> {
  tab.client.seen(LOBBY, upTo);
  await until('the marker is sent', () => server.readUpTo.get(LOBBY) === upTo);
  server.live()?.hear('read', { room: LOBBY, user: server.cookie!.id, upTo }); // the server tells all devices of the user
  await settled();
}

test('O1 O3 a message that is sent, and seen, costs six transactions, two of them strict', async () => {
  tab.client.saveDraft(LOBBY, 'written here');
  await settled();
  counted();
  const sending = tab.client.send(LOBBY, 'written here');
  expect(await sending).toEqual({ ok: true });
  tab.client.saveDraft(LOBBY, ''); // as the composer does
  await until('sent', () => tab.read(LOBBY).at(-1) === 'written here');
  await settled();
  await see(HELD + 1);
  expect(room()).toMatchObject({ last: { text: 'written here' }, waiting: 0, unread: 0 });
  expectAtMost({ transactions: 6, strict: 2, requests: 67 }); // two of them for the reactions of the lines on the screen
});

test('O3 a message that is being sent shows as that, without a read', async () => {
  server.intercept = (event) => event === 'append'; // it is not answered
  await tab.client.send(LOBBY, 'written here');
  await until('sending', () => tab.read(LOBBY).at(-1) === 'written here (sending)');
  await settled();
  expect(tab.read(LOBBY).at(-1)).toBe('written here (sending)');
  expect(counted().filter(({ mode }) => mode === 'readonly')).toHaveLength(1); // as it was queued
});

test('a message that is received, and seen, costs three transactions, none of them strict', async () => {
  server.write(lin, 'heard');
  await until('heard', () => tab.read(LOBBY).at(-1) === 'heard' && room().unread === 1);
  await settled();
  await see(HELD + 1);
  expect(room()).toMatchObject({ last: { text: 'heard' }, unread: 0 });
  expectAtMost({ transactions: 3, strict: 0, requests: 31 }); // one of them for the reactions of the lines on the screen
});

test('O4 ten keys cost two transactions: the first at once, the others together', async () => {
  const text = 'written by';
  for (let length = 1; length <= text.length; length++) {
    tab.client.saveDraft(LOBBY, text.slice(0, length));
    await turns(15);
    tab.clock.pass(KEY_MS);
    await turns(15);
    if (length === 1) expect(room().draft).toBe('w');
  }
  await settled();
  expect(room().draft).toBe(text);
  expectAtMost({ transactions: 2, strict: 2, requests: 2 });
});

test.each(['hidden', 'pagehide', 'freeze'] as const)(
  'O4 what was typed is written at once before the page can be closed: %s',
  async (event) => {
    for (const text of ['w', 'wr', 'wri']) {
      tab.client.saveDraft(LOBBY, text);
      await turns(15);
    }
    expect(room().draft).toBe('w');
    tab.says(event);
    if (event === 'freeze') tab.says('resume'); // until then the database is not used
    await until('written', () => room().draft === 'wri');
  },
);
