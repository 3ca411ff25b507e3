/** Whole clients on one browser against the model server, over a network whose faults come from a seed. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Entry } from '../../../shared/entry.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { seeded } from '../../support/random.ts';
import { seedsOf } from '../../support/runs.ts';
import { turns, until } from '../db/until.ts';
import { createBrowser, readAll, type Tab } from './browser.ts';
import { createModelServer, mint } from './modelServer.ts';

const tabs: Tab[] = [];
afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
  vi.restoreAllMocks();
});

test.each(seedsOf('clients on an unkind network'))('O1 O2 O3 L3 L5 S1 S2 seed %i', async (seed) => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const random = seeded(seed);
  const server = createModelServer();
  const browser = createBrowser(server);
  const lin = mint();
  const written: string[] = [];
  let unkind = true;

  server.intercept = (event, _, __, handle) => {
    if (!unkind || event === 'beat') return false;
    const fate = random.int(0, 9);
    if (fate === 0) return true; // the request is lost
    if (fate === 1) {
      const there = server.live();
      handle(); // the answer is lost with the connection
      there?.drop();
      return true;
    }
    return false;
  };

  let tab = browser.openTab();
  tabs.push(tab);
  await until('signed out', () => tab.app().tag === 'signed-out');
  await tab.client.signIn('Mika');
  tab.look(LOBBY);
  const second = browser.openTab(seed % 3 === 0 ? { locks: undefined } : {});
  tabs.push(second);
  await until('the second tab is in', () => second.app().tag === 'signed-in');
  second.look(LOBBY);

  for (let i = 0; i < 60; i++) {
    switch (random.int(0, 9)) {
      case 0:
      case 1:
      case 2: {
        const body = `mine ${written.length + 1}`;
        expect(await random.pick([tab, second]).client.send(LOBBY, body)).toEqual({ ok: true });
        written.push(body);
        break;
      }
      case 3:
        server.mute = random.int(0, 2) === 0; // live frames are lost
        server.write(lin, `theirs ${i}`);
        server.mute = false;
        break;
      case 4:
        random.pick(server.sockets.filter((socket) => socket.connected))?.drop();
        break;
      case 5:
        server.reachable = !server.reachable;
        break;
      case 6:
        random.pick([tab, second]).says(random.pick(['visible', 'online', 'network-changed', 'pageshow']));
        break;
      case 7:
        random.pick([tab, second]).clock.pass(random.int(10, 15_000));
        break;
      case 8:
        if (random.int(0, 3) > 0) break;
        tab.kill();
        tab = browser.openTab();
        tabs.push(tab);
        await until('opened again', () => tab.app().tag === 'signed-in');
        tab.look(LOBBY);
        break;
      default:
        await turns(random.int(1, 15));
    }
    const shown = tab.conversation(LOBBY).messages.map(({ key }) => key);
    expect(new Set(shown).size).toBe(shown.length);
  }

  unkind = false;
  server.reachable = true;
  const log = () => server.rooms.get(LOBBY)!.log;
  const bodies = (entries: Entry[]) => entries.map((entry) => ('body' in entry ? entry.body : ''));
  const user = tab.signedIn().user.id;
  const stored = (store: string) => readAll(browser.indexedDB, `holdfast:${user}`, store);

  const open = [tab, second];
  for (const each of open) each.says('online');
  for (const each of open) {
    await each.untilPassing('all is sent and the end of it is shown', () => {
      for (const other of open) if (other !== each) other.clock.pass(1);
      const sent = log().filter((entry) => entry.author === user).length === written.length;
      if (sent) server.live()?.hear('heads', { [LOBBY]: log().length });
      const end = JSON.stringify(each.read(LOBBY).slice(-20));
      return sent && each.signedIn().waiting === 0 && end === JSON.stringify(bodies(log().slice(-20)));
    });
  }
  expect(bodies(log().filter((entry) => entry.author === user))).toEqual(written);
  await until('everything is held', async () => (await stored('detached')).length === 0);
  const spans = (await stored('logSpans')) as { from: number; to: number }[];
  expect(await stored('log')).toHaveLength(spans.reduce((sum, { from, to }) => sum + to - from + 1, 0));
  expect(await stored('rows')).toEqual([]);
});
