/** A user with a long queue comes online: messages that others wrote meanwhile are above it, in the order of the log. */
import { afterEach, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { WINDOW_MAX_LINES, WINDOW_STEP_LINES } from '../../../web/records/pageLimits.ts';
import { until } from '../db/until.ts';
import { createBrowser, type Tab } from './browser.ts';
import { createModelServer, mint } from './modelServer.ts';

const QUEUED = 200;

let tab: Tab;
afterEach(() => tab.kill());

test('S3 O3 others write while two hundred messages wait: theirs are unread, found by scrolling up, and in their place once all is sent', async () => {
  const server = createModelServer();
  const lin = mint();
  server.names.set(lin, 'Lin');
  tab = createBrowser(server).openTab();
  tab.look(LOBBY);
  await until('signed out', () => tab.app().tag === 'signed-out');
  await tab.client.signIn('Mika');
  await tab.untilLive();
  tab.look(LOBBY);
  await until('read', () => !tab.conversation(LOBBY).loading);
  server.reachable = false;
  server.live()?.drop();
  const own = Array.from({ length: QUEUED }, (_, i) => `own ${i}`);
  for (const body of own) expect(await tab.client.send(LOBBY, body)).toEqual({ ok: true });
  const others = ['one', 'two', 'three'];
  for (const body of others) server.write(lin, body);

  server.intercept = (event) => event === 'append'; // nothing is acknowledged for now
  server.reachable = true;
  await tab.untilLive();
  const unread = () => tab.signedIn().rooms.find(({ id }) => id === LOBBY)?.unread;
  await tab.untilPassing('told', () => unread() === others.length);
  const bodies = () => tab.read(LOBBY).map((body) => body.replace(/ \((queued|sending|checking)\)$/, ''));
  expect(bodies()).toEqual(own.slice(-bodies().length)); // only the queue is at the end
  expect(tab.conversation(LOBBY)).toMatchObject({ atNewest: true, atStart: false });
  const seen = bodies();
  while (!tab.conversation(LOBBY).atStart) {
    const before = tab.conversation(LOBBY).messages;
    tab.client.loadOlder(LOBBY, WINDOW_STEP_LINES);
    await tab.untilPassing('older', () => tab.conversation(LOBBY).messages !== before);
    const now = bodies();
    expect(now.length).toBeLessThanOrEqual(WINDOW_MAX_LINES);
    if (now.includes(seen[0]!)) seen.unshift(...now.slice(0, now.indexOf(seen[0]!)));
  }
  expect(seen).toEqual([...others, ...own]);

  server.intercept = () => false;
  server.live()?.drop(); // the answers are lost
  await tab.untilPassing('all sent', () => tab.signedIn().rooms[0]?.waiting === 0);
  expect(server.rooms.get(LOBBY)!.log.map((entry) => 'body' in entry && entry.body)).toEqual([
    ...others,
    ...own,
  ]);
  tab.client.toNewest(LOBBY);
  await tab.untilPassing('the newest', () => bodies().at(-1) === own.at(-1));
  expect(bodies()).toEqual(own.slice(-bodies().length));
});
