import { afterEach, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import type { SignedIn } from '../../../web/state/model.ts';
import { turns, until } from '../db/until.ts';
import { createBrowser, type Tab } from './browser.ts';
import { createModelServer, mint } from './modelServer.ts';

let tab: Tab | undefined;
afterEach(() => tab?.kill());

test('what did not change is the same object, so that no view of it renders again', async () => {
  const server = createModelServer();
  tab = createBrowser(server).openTab();
  const here = tab;
  await until('signed out', () => here.app().tag === 'signed-out');
  await here.client.signIn('Mika');
  await here.untilLive();
  here.look(LOBBY);
  server.write(mint(), 'before');
  await until('it came', () => here.read(LOBBY).length === 1);
  await turns(50);
  const [before, app] = [here.conversation(LOBBY), here.signedIn()];
  const shown: SignedIn[] = [];
  const stop = here.client.app.subscribe(() => shown.push(here.signedIn()));
  expect(await here.client.send(LOBBY, 'mine')).toEqual({ ok: true });
  await here.untilPassing('sent', () => here.read(LOBBY).includes('mine'));
  await turns(50);
  stop();
  const after = here.conversation(LOBBY);
  expect(after.messages[0]).toBe(before.messages[0]);
  expect(after.gaps).toBe(before.gaps);
  expect(here.signedIn().connection).toBe(app.connection);
  expect(here.signedIn().user).toBe(app.user);
  expect(shown.length).toBeLessThanOrEqual(2); // it waits, with its text as the newest of the room; it is sent
  shown.reduce((earlier, later) => {
    expect(later).not.toEqual(earlier);
    return later;
  }, app);
});
