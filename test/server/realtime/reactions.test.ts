/** Reactions between clients: what frames, ranges and catch-ups say of them, and who is asked for. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Entries, Item } from '../../../shared/protocol/index.ts';
import { type ApiClient, connectClient, newId, signUp, text } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { waitFor } from '../../support/waitFor.ts';

let server: RunningApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

let names = 0;
const person = () => connectClientOf(`reacts ${names++}`);
async function connectClientOf(name: string): Promise<ApiClient> {
  return connectClient(server.url, await signUp(server.url, name));
}

function react(to: ApiClient, clientOffset: string, emoji: string, on = true): Item {
  const target = { author: to.session.user.id, clientOffset };
  return { room: 'lobby', clientOffset: newId(), kind: 'reaction', target, emoji, on };
}

async function offsetOf(client: ApiClient, item: Item): Promise<number> {
  const answer = await client.append(item);
  const [result] = answer.ok ? answer.results : [];
  if (!result || !('serverOffset' in result)) throw new Error(JSON.stringify(answer));
  return result.serverOffset;
}

const framesOf = ({ frames }: ApiClient): Entries[] =>
  frames.flatMap(({ event, payload }) => (event === 'entries' ? (payload as Entries) : []));

test('a reaction reaches everybody with the counts of its message, in one form whether U+FE0F was sent or not', async () => {
  using ada = await person();
  using bo = await person();
  const message = text('hello');
  const target = await offsetOf(ada, message);
  const before = framesOf(ada).length;
  await bo.append(react(ada, message.clientOffset, '👍\u{FE0F}'), react(ada, message.clientOffset, '❤'));
  await ada.append(react(ada, message.clientOffset, '👍'));
  await waitFor(
    'both reactions of Bo and the one of Ada',
    () => ada.heard('lobby').at(-1)?.serverOffset === target + 3,
  );
  const frames = framesOf(ada).slice(before);
  const [a, b] = [ada.session.user, bo.session.user];
  const last = frames.at(-1)!;
  expect(last.entries.at(-1)).toMatchObject({ kind: 'reaction', emoji: '👍', on: true, target });
  const counts = [
    { emoji: '👍', count: 2, by: [b.id, a.id] },
    { emoji: '❤️', count: 1, by: [b.id] },
  ];
  expect(last.reactions).toEqual([{ target, asOf: target + 3, counts }]);
  expect(Object.assign({}, ...frames.map(({ users }) => users))).toMatchObject({ [b.id]: { name: b.name } });

  const range = await ada.request('range', { room: 'lobby', from: target, to: target });
  expect(range).toMatchObject({ reactions: [{ target, asOf: target + 3, counts, mine: ['👍'] }] });
  expect(await bo.request('reactors', { room: 'lobby', target })).toMatchObject({
    reactions: [
      { emoji: '👍', by: [b.id, a.id] },
      { emoji: '❤️', by: [b.id] },
    ],
    users: { [a.id]: { name: a.name }, [b.id]: { name: b.name } },
  });

  using back = await connectClient(server.url, bo.session, { cursors: { lobby: [0, 0] } });
  await waitFor('the catch-up', () => back.heard('lobby').at(-1)?.serverOffset === target + 3);
  const [caughtUp] = framesOf(back).flatMap(({ reactions = [] }) => reactions);
  expect(caughtUp).toEqual({ target, asOf: target + 3, counts, mine: ['👍', '❤️'] });
});

test('reactions are no unread messages, and a deleted message has none in a range', async () => {
  using ada = await person();
  using bo = await person();
  const message = text('to be deleted');
  const target = await offsetOf(ada, message);
  await bo.request('read', { room: 'lobby', upTo: target });
  await ada.append(...['👍', '🎉', '😮'].map((emoji) => react(ada, message.clientOffset, emoji)));
  using back = await connectClient(server.url, bo.session);
  const [lobby] = back.welcome.rooms;
  expect(lobby).toMatchObject({ readUpTo: target, head: target + 3 });
  expect(lobby!.unread ?? 0).toBe(0);
  await ada.append({ room: 'lobby', clientOffset: newId(), kind: 'delete', target: message.clientOffset });
  const range = await ada.request('range', { room: 'lobby', from: target, to: target });
  expect(range).not.toHaveProperty('reactions');
});
