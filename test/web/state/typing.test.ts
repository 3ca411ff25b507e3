/** Who is typing: from the composer of one person to the list of rooms of another, through a model of the server. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { createComposerModels } from '../../../web/view/composerModel.ts';
import { until } from '../db/until.ts';
import { createBrowser, type Tab } from './browser.ts';
import { createModelServer, type ModelServer, mint } from './modelServer.ts';

let server: ModelServer;
let tab: Tab;
let signs: unknown[];
const lin = mint();

beforeEach(async () => {
  server = createModelServer();
  server.names.set(lin, 'Lin');
  signs = [];
  server.intercept = (event, payload) => event === 'typing' && signs.push(payload) > 0;
  tab = createBrowser(server).openTab();
  await until('signed out', () => tab.app().tag === 'signed-out');
  await tab.client.signIn('Mika');
  await until('signed in', () => tab.app().tag === 'signed-in');
  tab.look(LOBBY);
  await tab.untilLive();
  await until('the room is listed', () => tab.signedIn().rooms.length === 1);
});
afterEach(() => tab.kill());

const typing = () => tab.signedIn().rooms.find(({ id }) => id === LOBBY)?.typing;

test('a sign is shown with the name, and is gone with the message and with the connection', async () => {
  server.write(lin, 'hello');
  const sign = () => server.live()!.hear('typing', { room: LOBBY, user: lin, typing: true });
  await until('shown', () => tab.read(LOBBY).length === 1);
  await tab.untilPassing('typing', () => {
    sign(); // ignored right after the message
    return typing()?.join() === 'Lin';
  });
  server.write(lin, 'and more');
  await until('two', () => tab.read(LOBBY).length === 2);
  expect(typing()).toBeUndefined();
  await tab.untilPassing('typing again', () => {
    sign();
    return typing()?.join() === 'Lin';
  });
  server.reachable = false;
  server.live()!.drop();
  await until('gone', () => typing() === undefined);
});

test('what is typed for a new message is told; what is typed for an edit, and a draft that is loaded, is not', async () => {
  const models = createComposerModels(tab.client);
  const composer = models.ofRoom(LOBBY, 'a draft');
  await composer.loaded;
  expect(signs).toEqual([]);
  composer.type('a draft!');
  await until('told', () => signs.length === 1);
  expect(signs).toEqual([{ room: LOBBY, typing: true }]);
  await composer.submit();
  await until('sent', () => tab.read(LOBBY).includes('a draft!'));
  const [mine] = tab.conversation(LOBBY).messages;
  models.ofMessage(LOBBY, mine!).type('changed');
  composer.type(''); // the sign of the message has ended with it
  await tab.client.send(LOBBY, 'later');
  await until('sent', () => tab.read(LOBBY).includes('later'));
  expect(signs.filter((sign) => (sign as { typing: boolean }).typing)).toHaveLength(1);
});
