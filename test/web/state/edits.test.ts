import { afterEach, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import type { Item } from '../../../shared/protocol/index.ts';
import { createComposerModels } from '../../../web/view/composerModel.ts';
import { seedsOf } from '../../support/runs.ts';
import { turns, until } from '../db/until.ts';
import { type Browser, createBrowser, readAll, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

let server: ModelServer;
let browser: Browser;
const tabs: Tab[] = [];

function openTab(): Tab {
  const tab = browser.openTab();
  tabs.push(tab);
  tab.look(LOBBY);
  return tab;
}

async function signedIn(): Promise<Tab> {
  server = createModelServer();
  browser = createBrowser(server);
  const tab = openTab();
  await until('signed out', () => tab.app().tag === 'signed-out');
  expect(await tab.client.signIn('Mika')).toEqual({ ok: true });
  await tab.untilLive();
  tab.look(LOBBY);
  await until('the conversation is read', () => !tab.conversation(LOBBY).loading);
  return tab;
}

const shows = (tab: Tab, messages: string[]) =>
  tab.untilPassing(
    `it shows ${messages.join(', ')}`,
    () => JSON.stringify(tab.read(LOBBY)) === JSON.stringify(messages),
  );
const log = () => server.rooms.get(LOBBY)!.log;
const wrote = () => log().map((entry) => ('body' in entry ? `${entry.kind} ${entry.body}` : entry.kind));
const keyOf = (tab: Tab, n: number) => tab.conversation(LOBBY).messages[n]!.clientOffset;
const rows = (tab: Tab) => readAll(browser.indexedDB, `holdfast:${tab.signedIn().user.id}`, 'rows');
const nothingWaits = (tab: Tab) => until('nothing waits', async () => (await rows(tab)).length === 0);

function offline() {
  server.reachable = false;
  server.live()?.drop();
}

/** The server handles the request, and its answer and echo are lost with the connection. */
function loseNextAnswer(given: () => void = () => {}) {
  server.intercept = (event, _, __, handle) => {
    if (event !== 'append') return false;
    offline();
    handle();
    given();
    server.intercept = () => false;
    return true;
  };
}

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

test('O4 an edit of a message that is being sent queues behind it, and both arrive in order', async () => {
  const tab = await signedIn();
  server.intercept = (event) => event === 'append';
  await tab.client.send(LOBBY, 'first');
  await shows(tab, ['first (sending)']);
  expect(await tab.client.edit(LOBBY, keyOf(tab, 0), 'second')).toEqual({ ok: true });
  expect(await tab.client.edit(LOBBY, keyOf(tab, 0), 'third')).toEqual({ ok: true });
  expect(tab.read(LOBBY)).toEqual(['third (queued)']);
  offline();
  server.intercept = () => false;
  server.reachable = true;
  await shows(tab, ['third']);
  await nothingWaits(tab);
  expect(wrote()).toEqual(['text first', 'edit third']);
});

test('O2 O4 an edit behind a text that was not sent is sent without the person once that text arrives after all', async () => {
  const tab = await signedIn();
  let refuse = () => {};
  server.intercept = (event, _, answer) => {
    if (event !== 'append') return false;
    const error = { code: 'forbidden', message: 'no' };
    refuse = () => answer({ ok: true, epoch: server.epoch, results: [{ clientOffset: key, error }] });
    return true;
  };
  await tab.client.send(LOBBY, 'first');
  await shows(tab, ['first (sending)']);
  const key = keyOf(tab, 0);
  expect(await tab.client.edit(LOBBY, key, 'second')).toEqual({ ok: true });
  refuse();
  await until('parked', async () => JSON.stringify(await rows(tab)).includes('"parked"'));
  server.intercept = () => false;
  // an earlier, slow attempt arrives
  server.append(server.cookie!.id, { room: LOBBY, clientOffset: key, kind: 'text', body: 'first' });
  await until('both are there', () => wrote().length === 2);
  expect(wrote()).toEqual(['text first', 'edit second']);
  await nothingWaits(tab);
});

test('O4 a deletion of a message that is being sent queues behind it', async () => {
  const tab = await signedIn();
  server.intercept = (event) => event === 'append';
  await tab.client.send(LOBBY, 'unwanted');
  await shows(tab, ['unwanted (sending)']);
  expect(await tab.client.remove(LOBBY, keyOf(tab, 0))).toEqual({ ok: true });
  expect(await tab.client.edit(LOBBY, keyOf(tab, 0), 'late')).toMatchObject({ ok: false });
  expect(tab.read(LOBBY)).toEqual(['deleted (queued)']);
  offline();
  server.intercept = () => false;
  server.reachable = true;
  await shows(tab, ['deleted']);
  await nothingWaits(tab);
  expect(wrote()).toEqual(['text', 'delete']);
  const stored = ['log', 'detached'].map((store) =>
    readAll(browser.indexedDB, `holdfast:${tab.signedIn().user.id}`, store),
  );
  expect(JSON.stringify(await Promise.all(stored))).not.toContain('unwanted');
});

test('O4 a text that is written, edited twice, deleted and edited without a network is never sent', async () => {
  const tab = await signedIn();
  offline();
  await tab.client.send(LOBBY, 'a');
  const key = keyOf(tab, 0);
  await tab.client.edit(LOBBY, key, 'b');
  await tab.client.edit(LOBBY, key, 'c');
  expect(tab.read(LOBBY)).toEqual(['c (queued)']);
  await tab.client.remove(LOBBY, key);
  expect(await tab.client.edit(LOBBY, key, 'd')).toEqual({ ok: false, reason: { code: 'not-found' } });
  await tab.client.send(LOBBY, 'another');
  server.reachable = true;
  await shows(tab, ['another']);
  expect(wrote()).toEqual(['text another']);
});

test('O3 an edit whose text is not stored is shown until it is settled', async () => {
  const tab = await signedIn();
  await tab.client.send(LOBBY, 'old');
  await shows(tab, ['old']);
  await nothingWaits(tab);
  const key = keyOf(tab, 0);
  offline();
  await tab.client.edit(LOBBY, key, 'new');
  for (let i = 0; i < 300; i++) server.write(mint(), `${i}`);
  server.epoch = 'epoch-2'; // the stored log is dropped, and only the newest entries come
  const stalled: (() => void)[] = [];
  server.intercept = (event, _, __, handle) => event === 'append' && stalled.push(handle) > 0;
  server.reachable = true;
  await tab.untilPassing('shown at the end', () => tab.read(LOBBY).at(-1) === 'new (sending)');
  expect(tab.read(LOBBY).at(-2)).toBe('299');
  server.intercept = () => false;
  for (const handle of stalled) handle();
  await nothingWaits(tab);
  await tab.untilPassing('gone from the end', () => tab.read(LOBBY).at(-1) === '299');
  expect(wrote().at(-1)).toBe('edit new');
});

test('O4 an edit that the person began before a thousand messages arrived is sent all the same', async () => {
  const tab = await signedIn();
  await tab.client.send(LOBBY, 'old');
  await shows(tab, ['old']);
  await nothingWaits(tab);
  const box = createComposerModels(tab.client).ofMessage(LOBBY, tab.conversation(LOBBY).messages[0]!);
  box.type('new');
  for (let i = 0; i < 1_000; i++) server.write(mint(), `${i}`);
  await tab.untilPassing('they are here', () => {
    tab.client.toNewest(LOBBY); // the window stays with what was read last
    return tab.read(LOBBY).at(-1) === '999';
  });
  expect(tab.read(LOBBY)).not.toContain('old');
  expect(await box.submit()).toBe(true);
  await nothingWaits(tab);
  expect(wrote().at(-1)).toBe('edit new');
});

test('O3 L3 a message with a lost acknowledgement that was deleted elsewhere and is repeated: one entry, no text, nothing parked', async () => {
  const tab = await signedIn();
  loseNextAnswer(() => server.amend('delete', 1));
  await tab.client.send(LOBBY, 'a secret');
  await tab.untilPassing('checking', () => tab.read(LOBBY)[0] === 'a secret (checking)');
  expect(await tab.client.edit(LOBBY, keyOf(tab, 0), 'another secret')).toEqual({ ok: true });
  server.reachable = true;
  await shows(tab, ['deleted']);
  await nothingWaits(tab);
  expect(log().filter(({ kind }) => kind === 'text')).toHaveLength(1);
  expect(tab.signedIn().rooms[0]).toMatchObject({ notSent: 0, waiting: 0 });
});

test('O3 an edit whose acknowledgement is lost is in the log once', async () => {
  const tab = await signedIn();
  await tab.client.send(LOBBY, 'a');
  await shows(tab, ['a']);
  await nothingWaits(tab);
  loseNextAnswer();
  await tab.client.edit(LOBBY, keyOf(tab, 0), 'b');
  await tab.untilPassing('checking', () => tab.read(LOBBY)[0] === 'b (checking)');
  server.reachable = true;
  await shows(tab, ['b']);
  await nothingWaits(tab);
  expect(wrote()).toEqual(['text a', 'edit b']);
});

test('O4 a parked edit of a log that was put back is still shown, and only the person discards it', async () => {
  const tab = await signedIn();
  await tab.client.send(LOBBY, 'a');
  await shows(tab, ['a']);
  await nothingWaits(tab);
  offline();
  await tab.client.edit(LOBBY, keyOf(tab, 0), 'better');
  server.epoch = 'epoch-2';
  server.rooms.get(LOBBY)!.log = [];
  server.write(mint(), 'before');
  server.reachable = true;
  await shows(tab, ['before', 'better (not-sent)']);
  const orphan = tab.conversation(LOBBY).messages[1]!;
  expect(orphan).toMatchObject({ pending: 'edit', mine: true, status: { reason: { code: 'not-found' } } });
  tab.kill();
  const again = openTab();
  await again.untilLive();
  again.look(LOBBY);
  await shows(again, ['before', 'better (not-sent)']);
  expect(await again.client.discard(orphan.clientOffset)).toEqual({ ok: true });
  await shows(again, ['before']);
});

test('O3 five internal errors park an edit as not sent; after Try again it arrives', async () => {
  const tab = await signedIn();
  await tab.client.send(LOBBY, 'a');
  await shows(tab, ['a']);
  await nothingWaits(tab);
  server.intercept = (event, _, ack) => {
    if (event !== 'append') return false;
    ack({ ok: false, error: { code: 'internal', message: 'a mistake' } });
    return true;
  };
  await tab.client.edit(LOBBY, keyOf(tab, 0), 'b');
  await shows(tab, ['b (not-sent)']);
  server.intercept = () => false;
  expect(await tab.client.retry(keyOf(tab, 0))).toEqual({ ok: true });
  await shows(tab, ['b']);
  expect(wrote()).toEqual(['text a', 'edit b']);
});

test('O4 Try again of a refused message with an edit behind it sends both', async () => {
  const tab = await signedIn();
  const stalled: (() => void)[] = [];
  server.refuse.set('bad', { code: 'forbidden', message: 'Not that.' });
  server.intercept = (event, _, __, handle) => event === 'append' && stalled.push(handle) > 0;
  await tab.client.send(LOBBY, 'bad');
  await shows(tab, ['bad (sending)']);
  await tab.client.edit(LOBBY, keyOf(tab, 0), 'good');
  server.intercept = () => false;
  for (const handle of stalled) handle();
  await shows(tab, ['good (not-sent)']);
  server.refuse.clear();
  expect(await tab.client.retry(keyOf(tab, 0))).toEqual({ ok: true });
  await shows(tab, ['good']);
  await nothingWaits(tab);
  expect(wrote()).toEqual(['text bad', 'edit good']);
});

test('S5 O4 two tabs edit one message without a network: the edit that was queued last wins', async () => {
  const tab = await signedIn();
  await tab.client.send(LOBBY, 'a');
  await shows(tab, ['a']);
  await nothingWaits(tab);
  const other = openTab();
  await other.untilLive();
  other.look(LOBBY);
  await shows(other, ['a']);
  server.reachable = false;
  for (const socket of server.sockets) socket.drop();
  await tab.client.edit(LOBBY, keyOf(tab, 0), 'from one');
  await other.client.edit(LOBBY, keyOf(other, 0), 'from the other');
  await shows(tab, ['from the other (queued)']);
  server.reachable = true;
  await shows(tab, ['from the other']);
  await shows(other, ['from the other']);
  await nothingWaits(tab);
});

/** The log, folded without the app's code: bodies in order, `deleted` for deleted ones. */
function folded(): string[] {
  const said = new Map<number, string>();
  for (const entry of log()) {
    const { serverOffset, kind, body, target } = entry as {
      serverOffset: number;
      kind: string;
      body?: string;
      target?: number;
    };
    if (kind === 'text') said.set(serverOffset, body ?? 'deleted');
    else if (kind === 'delete') said.set(target!, 'deleted');
    else if (body !== undefined && said.get(target!) !== 'deleted') said.set(target!, body);
  }
  return [...said.values()];
}

function seeded(seed: number) {
  let state = seed * 2_654_435_761;
  return (below: number) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

test.each(seedsOf('edits with lost answers'))(
  'O2 O3 O4 edits and deletions in any order, with lost answers, refusals and killed tabs: the last one is shown (seed %i)',
  async (seed) => {
    const next = seeded(seed);
    let tab = await signedIn();
    /** The last body that the person gave each message; all differ. */
    const meant = new Set<string>();
    const means = (before: string, after?: string) => {
      expect(meant.delete(before)).toBe(true);
      if (after !== undefined) meant.add(after);
    };
    let unkind = true;
    server.intercept = (event, payload, ack, handle) => {
      if (event !== 'append' || !unkind) return false;
      const { items } = payload as { items: Item[] };
      const what = next(8);
      if (what === 1) ack({ ok: false, error: { code: 'unavailable', message: '', retryAfter: 100 } });
      if (what === 0 || what === 2) server.live()?.drop();
      if (what === 0) handle();
      if (what >= 5) ack({ ok: true, epoch: server.epoch, results: items.map(answerBadly) });
      return what <= 2 || what >= 5;
    };
    /** No server gives these answers for a key that it has, except `internal`. */
    function answerBadly(item: Item) {
      const { clientOffset } = item;
      const isThere = log().some((entry) => entry.clientOffset === clientOffset);
      const code = isThere ? 'internal' : ['internal', 'conflict', 'forbidden'][next(3)]!;
      if (code === 'internal' && next(2) === 0) server.append(server.cookie!.id, item);
      return { clientOffset, error: { code, message: 'a mistake' } };
    }
    async function step(n: number): Promise<void> {
      const { messages } = tab.conversation(LOBBY);
      const message = messages[next(Math.max(1, messages.length))];
      const said = message?.content.tag === 'text' ? message.content.body : undefined;
      const words = `words ${n}`;
      switch (next(7)) {
        case 0:
          expect(await tab.client.send(LOBBY, words)).toEqual({ ok: true });
          meant.add(words);
          return;
        case 1:
        case 2:
          if (!message?.can.edit || said === undefined) return;
          if ((await tab.client.edit(LOBBY, message.clientOffset, words)).ok) means(said, words);
          return;
        case 3:
          if (!message?.can.remove || said === undefined) return;
          if ((await tab.client.remove(LOBBY, message.clientOffset)).ok) means(said);
          return;
        case 4: {
          if (message?.status.tag !== 'not-sent' || said === undefined) return;
          if (next(3) === 0) await tab.client.retry(message.clientOffset);
          else if (message.pending === 'none' && next(2) === 0) {
            if ((await tab.client.discard(message.clientOffset)).ok) means(said);
          } else if ((await tab.client.amend(message.clientOffset, words)).ok) means(said, words);
          return;
        }
        case 5:
          server.reachable = next(4) > 0;
          if (!server.reachable) server.live()?.drop();
          if (next(4) > 0) return;
          tab.kill();
          tab = openTab();
          await until('signed in', () => tab.app().tag === 'signed-in');
          tab.look(LOBBY);
          await until('read', () => !tab.conversation(LOBBY).loading);
          return;
        default:
          for (let i = 0; i < 12; i++) {
            await turns(8);
            tab.clock.pass(100);
          }
      }
    }

    for (let n = 0; n < 60; n++) {
      await step(n);
      await turns(next(10));
      tab.clock.pass(next(3) * 50);
      const keys = tab.conversation(LOBBY).messages.map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
    }
    unkind = false;
    server.reachable = true;
    tab.says('online');
    let waits = true;
    let looking = false;
    const look = async () => {
      looking = true;
      for (const { status, clientOffset } of tab.conversation(LOBBY).messages)
        if (status.tag === 'not-sent') await tab.client.retry(clientOffset);
      waits = (await rows(tab)).length > 0;
      looking = false;
    };
    await tab.untilPassing('all is sent', () => {
      if (!looking) void look();
      return !waits;
    });
    server.live()?.hear('heads', { [LOBBY]: log().length });
    await shows(tab, folded());
    expect(new Set(folded().filter((body) => body !== 'deleted'))).toEqual(meant);
  },
);

test.each([
  ['here', (tab: Tab) => tab.untilLive()],
  ['after a restart without a network', restarted],
])(
  'O4 an edit that is being typed while another device deletes its text becomes a draft of the room: %s',
  async (_, meanwhile) => {
    const tab = await signedIn();
    await tab.client.send(LOBBY, 'we meet at nine');
    await shows(tab, ['we meet at nine']);
    tab.client.saveDraft(LOBBY, 'begun before');
    const models = createComposerModels(tab.client);
    const message = tab.conversation(LOBBY).messages[0]!;
    models.edited(LOBBY).set(message);
    models.ofMessage(LOBBY, message).type('we meet at ten');
    server.amend('delete', 1);
    await shows(tab, ['deleted']);
    await models.moveToDraft(LOBBY, message);
    expect(models.edited(LOBBY).get()).toBeUndefined();
    const kept = 'begun before\nwe meet at ten';
    expect(models.ofRoom(LOBBY, '').get()).toMatchObject({ text: kept, reason: { code: 'deleted' } });
    await until('it is on disk', async () => JSON.stringify(await drafts(tab)) === DRAFT);
    const now = (await meanwhile(tab)) ?? tab;
    expect(await now.client.draft(LOBBY)).toBe(kept);
    expect(JSON.stringify(await drafts(now))).toBe(DRAFT);
  },
);

/** Nothing of the deleted text is left, and no pending amendment. */
const DRAFT = JSON.stringify([{ room: LOBBY, text: 'begun before\nwe meet at ten' }]);
const drafts = (tab: Tab) => readAll(browser.indexedDB, `holdfast:${tab.signedIn().user.id}`, 'drafts');

async function restarted(tab: Tab): Promise<Tab> {
  offline();
  tab.kill();
  const again = openTab();
  await again.untilPassing('signed in', () => again.app().tag === 'signed-in');
  return again;
}
