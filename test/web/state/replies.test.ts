import { afterEach, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import type { Message, ReplyTarget } from '../../../web/state/model.ts';
import { createComposerModels } from '../../../web/view/composerModel.ts';
import { until } from '../db/until.ts';
import { createBrowser, type Tab } from './browser.ts';
import { createModelServer, type ModelServer } from './modelServer.ts';

let server: ModelServer;
const tabs: Tab[] = [];

async function signedIn(): Promise<Tab> {
  server = createModelServer();
  const tab = createBrowser(server).openTab();
  tabs.push(tab);
  tab.look(LOBBY);
  await until('signed out', () => tab.app().tag === 'signed-out');
  expect(await tab.client.signIn('Mika')).toEqual({ ok: true });
  await tab.untilLive();
  tab.look(LOBBY);
  await until('the conversation is read', () => !tab.conversation(LOBBY).loading);
  return tab;
}

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill();
});

const at = (tab: Tab, n: number) => tab.conversation(LOBBY).messages.at(n)!;
const target = ({ author, clientOffset, serverOffset }: Message): ReplyTarget => ({
  author,
  clientOffset,
  serverOffset,
});
const log = () => server.rooms.get(LOBBY)!.log;
const quoteOf = (tab: Tab, n: number) => at(tab, n).reply?.content;

test('O2 a reply to an own message that still waits is queued behind it, quotes it as it will be, and is sent with its key', async () => {
  const tab = await signedIn();
  server.features = ['replies'];
  server.reachable = false;
  server.live()?.drop();
  await tab.client.send(LOBBY, 'first');
  await tab.client.send(LOBBY, 'a reply', target(at(tab, 0)));
  expect(quoteOf(tab, 1)).toMatchObject({ tag: 'text', body: 'first' });
  await tab.client.edit(LOBBY, at(tab, 0).clientOffset, 'first, changed');
  expect(quoteOf(tab, 1)).toMatchObject({ body: 'first, changed' });
  server.reachable = true;
  await tab.untilLive();
  await until('all are sent', () => log().length === 2);
  const { author, clientOffset } = log()[0]!;
  expect(log()[1]).toMatchObject({ body: 'a reply', replyTo: { author, clientOffset } });
  await until('it is shown as sent', () => at(tab, 1).status.tag === 'sent');
  expect(quoteOf(tab, 1)).toMatchObject({ body: 'first, changed' });
});

test('O2 a reply waits for a server that accepts replies, and is not parked; then it is sent', async () => {
  const tab = await signedIn();
  const lin = `${'L'.repeat(21)}A`;
  server.write(lin, 'a question');
  await until('it is shown', () => tab.conversation(LOBBY).messages.length === 1);
  await tab.client.send(LOBBY, 'the answer', target(at(tab, 0)));
  await tab.client.send(LOBBY, 'behind it');
  server.live()?.drop();
  await tab.untilLive();
  expect(tab.conversation(LOBBY).messages.map(({ status }) => status.tag)).toEqual([
    'sent',
    'queued',
    'queued',
  ]);
  expect(quoteOf(tab, 1)).toMatchObject({ body: 'a question' });
  server.features = ['replies'];
  server.live()?.drop();
  await tab.untilLive();
  await until('both are sent', () => log().length === 3);
  expect(log()[1]).toMatchObject({ body: 'the answer', replyTo: { author: lin } });
});

test('a reply quotes nothing of a message that is deleted, from the tap on Delete on', async () => {
  const tab = await signedIn();
  server.features = ['replies'];
  await tab.client.send(LOBBY, 'regretted');
  await until('it is sent', () => at(tab, 0).status.tag === 'sent');
  await tab.client.send(LOBBY, 'a reply', target(at(tab, 0)));
  await tab.client.remove(LOBBY, at(tab, 0).clientOffset);
  expect(quoteOf(tab, 1)).toEqual({ tag: 'deleted' });
});

test('O4 the composer answers the chosen message once: a text that could not be stored keeps it, one that was sent does not', async () => {
  const tab = await signedIn();
  const models = createComposerModels(tab.client);
  server.write(`${'L'.repeat(21)}A`, 'a question');
  await until('it is shown', () => tab.conversation(LOBBY).messages.length === 1);
  const to = target(at(tab, 0));
  models.replying(LOBBY).set(to);
  const composer = models.ofRoom(LOBBY, '');
  composer.type(' ');
  expect(await composer.submit()).toBe(false);
  expect(models.replying(LOBBY).get()).toBe(to);
  composer.type('the answer');
  expect(await composer.submit()).toBe(true);
  expect(models.replying(LOBBY).get()).toBeUndefined();
  expect(at(tab, -1).reply).toMatchObject({ key: at(tab, 0).key, content: { body: 'a question' } });
});
