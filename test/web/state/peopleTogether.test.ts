/** Stories of several people, with whole clients against the real server: what each of them sees in the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { digestOf } from '../../../server/ingest/checkItem.ts';
import { canonicalEmoji } from '../../../shared/emoji.ts';
import { LOBBY } from '../../../shared/mint.ts';
import type { Message } from '../../../web/state/model.ts';
import { appendThrough } from '../../budgets/fillServer.ts';
import { historyOf } from '../../budgets/history.ts';
import { type ApiClient, bodyOf, connectClient, newId, signUp, text, wholeLog } from '../../support/api.ts';
import { startApp } from '../../support/app.ts';
import { startProxy } from '../../support/proxy.ts';
import { seeded } from '../../support/random.ts';
import { waitFor } from '../../support/waitFor.ts';
import { bodies, createBrowser, inPage, isLive, look, type Page, signedUpIn } from './realBrowser.ts';

const EMOJI = ['👍', '❤️', '🚣'];
const texts = (messages: readonly Message[]) =>
  messages.map(({ content }) => (content.tag === 'text' ? content.body : content.tag));

async function shownIn(page: Page, room: string) {
  await page.open(room);
  const conversation = page.conversation(room);
  conversation.subscribe(() => {});
  await waitFor('the room', () => !conversation.get().loading);
  return conversation.get;
}

async function roomWith(owner: ApiClient, name: string, ...others: ApiClient[]): Promise<string> {
  const room = newId();
  const made = await owner.makeRoom({ id: room, kind: 'public', name });
  if (!made.ok) throw new Error(`${name} was not made: ${made.error.code}`);
  for (const other of others) await other.request('room:join', { room, clientOffset: newId() });
  return room;
}

test.each([1, 2])(
  'O2 S3 S5 five people react to one message and take that back while their networks are cut: all screens agree with the log, seed %i',
  async (seed) => {
    await using server = await startApp();
    const random = seeded(seed);
    const people = await Promise.all(
      ['Ada', 'Mika', 'Lin', 'Osei', 'Bo'].map(async (name) => {
        const network = await startProxy(Number(new URL(server.url).port));
        const browser = createBrowser(network);
        return { network, browser, ...(await signedUpIn(browser, name)) };
      }),
    );
    await using _ = {
      [Symbol.asyncDispose]: async () =>
        void (await Promise.all(people.map(({ network }) => network.close()))),
    };
    using bob = await connectClient(server.url, await signUp(server.url, 'Bob'));
    await bob.append(text('Who takes the boat?'));
    const screens = await Promise.all(people.map(({ page }) => look(page)));
    const messageOn = (i: number) => screens[i]!().messages.find(({ author }) => author.name === 'Bob');
    for (const i of people.keys()) await waitFor('the message', () => messageOn(i));
    const meant = new Map<string, boolean>();
    for (let step = 0; step < 60; step++) {
      const i = random.int(0, 4);
      const { page, network, user } = people[i]!;
      const what = random.next();
      if (what < 0.15) network.cut();
      else if (what < 0.25) network.refuse();
      else if (what < 0.35) network.swallowAnswers();
      else if (what < 0.5) network.pass();
      else {
        const [emoji, on] = [random.pick(EMOJI), random.next() < 0.6];
        expect(await page.react(LOBBY, messageOn(i)!, emoji, on)).toEqual({ ok: true });
        meant.set(`${user.id} ${canonicalEmoji(emoji)}`, on);
      }
      await sleep(random.int(0, 60));
    }
    for (const { network } of people) network.pass();
    for (const { page } of people)
      await waitFor('all is sent', async () => (await inPage(page)).waiting === 0, 40_000);
    const log = await wholeLog(server.url, bob.session);
    const last = new Map<string, boolean>();
    for (const entry of log as ((typeof log)[0] & { emoji?: string; on?: boolean })[])
      if (entry.kind === 'reaction') last.set(`${entry.author} ${entry.emoji}`, entry.on === true);
    for (const [key, on] of meant) expect([key, last.get(key) ?? false]).toEqual([key, on]);
    const countsFor = (user: string) =>
      EMOJI.map(canonicalEmoji).flatMap((emoji) => {
        const count = people.filter(({ user: { id } }) => last.get(`${id} ${emoji}`)).length;
        return count === 0 ? [] : `${emoji} ${count} ${last.get(`${user} ${emoji}`) === true}`;
      });
    for (const [i, { user }] of people.entries())
      await waitFor(
        `${user.name} sees what the log says`,
        () => {
          const shown = (messageOn(i)?.reactions ?? []).map((one) => `${one.emoji} ${one.count} ${one.mine}`);
          return shown.sort().join() === countsFor(user.id).sort().join();
        },
        40_000,
      );
  },
);

test('O4 a moderator deletes and bans while the author is offline with a queue: the author learns why, keeps the texts, and nothing reaches the room', async () => {
  await using server = await startApp();
  using ada = await connectClient(server.url, await signUp(server.url, 'Ada'));
  const room = await roomWith(ada, 'Ward 5');
  const browser = createBrowser(server);
  const { page: first, user } = await signedUpIn(browser, 'Mika');
  expect(await first.ask('joinRoom', room)).toEqual({ ok: true });
  const before = await shownIn(first, room);
  await first.send(room, 'said before');
  const said = await waitFor('it is sent', () =>
    before().messages.find(({ status, mine }) => mine && status.tag === 'sent'),
  );
  first.close();

  browser.isOnline = false;
  const offline = browser.openPage();
  await inPage(offline);
  const shown = await shownIn(offline, room);
  for (const body of ['first', 'second']) expect(await offline.send(room, body)).toEqual({ ok: true });
  expect(await offline.edit(room, said.clientOffset, 'said otherwise', said.serverOffset)).toEqual({
    ok: true,
  });
  await waitFor('they wait', async () => (await inPage(offline)).waiting === 3);
  const target = { author: user.id, clientOffset: said.clientOffset };
  await ada.append({ room, clientOffset: newId(), kind: 'takedown', target });
  const out = await ada.request('room:remove', { room, user: user.id, ban: true, clientOffset: newId() });
  expect(out).toMatchObject({ ok: true });
  const atTheBan = (await wholeLog(server.url, ada.session, room)).length;
  offline.close();

  browser.isOnline = true;
  const page = browser.openPage();
  await inPage(page);
  const now = await shownIn(page, room);
  const summary = async () => (await inPage(page)).rooms.find(({ id }) => id === room);
  await waitFor('it says why', async () => (await summary())?.out === 'out-banned');
  await waitFor('they are kept as not sent', async () => (await summary())?.notSent === 3);
  // the conversation is read after the list
  const kept = await waitFor('the conversation shows them', () => {
    const found = now().messages.filter(({ status }) => status.tag === 'not-sent');
    return found.length >= 2 && found;
  });
  expect(texts(kept).filter((body) => body !== 'deleted')).toEqual(
    expect.arrayContaining(['first', 'second']),
  );
  for (const { status } of kept) expect(status).toMatchObject({ reason: { code: 'out-banned' } });
  for (const { clientOffset } of kept) await page.retry(clientOffset);
  await waitFor('refused once more', async () => (await summary())?.notSent === 3);
  expect(await page.ask('joinRoom', room)).toMatchObject({ ok: false, reason: { code: 'out-banned' } });
  const log = await wholeLog(server.url, ada.session, room);
  expect(log).toHaveLength(atTheBan);
  expect(log.map(bodyOf)).not.toContain('first');
  expect(texts(shown().messages)).toContain('first'); // on the page that was offline, too
});

test('S3 names, roles and mentions after 5,000 missed entries: those of now, also offline; the mention is counted and jumped to', async () => {
  await using server = await startApp();
  using ada = await connectClient(server.url, await signUp(server.url, 'Ada'));
  using lin = await connectClient(server.url, await signUp(server.url, 'Lin'));
  using osei = await connectClient(server.url, await signUp(server.url, 'Osei'));
  const room = await roomWith(ada, 'Harbour', lin, osei);
  const browser = createBrowser(server);
  const { page: first, user } = await signedUpIn(browser, 'Mika');
  await first.ask('joinRoom', room);
  await lin.append(text('held', room));
  const held = await shownIn(first, room);
  await waitFor('held', () => bodies(held()).includes('held'));
  const upTo = held().messages.at(-1)!.serverOffset!;
  first.seen(room, upTo);
  await waitFor(
    'it is read',
    async () => (await inPage(first)).rooms.find(({ id }) => id === room)?.unread === 0,
  );
  await waitFor('the server has it', () => browser.answered.includes('read'));
  first.close();

  const people = [lin.session.user.id, osei.session.user.id];
  await appendThrough(server.store, historyOf(room, people, 2_000));
  const mention = { ...text('@Mika look here', room), mentions: [{ user: user.id, name: 'Mika' }] };
  expect(await lin.append(mention)).toMatchObject({ ok: true });
  await appendThrough(server.store, historyOf(room, people, 3_000));
  const rename = await fetch(`${server.url}/api/name`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${lin.session.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Lin Yu' }),
  });
  expect(rename.status).toBeLessThan(300);
  const promoted = { room, user: osei.session.user.id, role: 'moderator' as const, clientOffset: newId() };
  expect(await ada.request('room:role', promoted)).toMatchObject({ ok: true });
  expect(await ada.request('room:leave', { room, clientOffset: newId() })).toMatchObject({ ok: true });
  await lin.append(text('the newest', room));

  const page = browser.openPage();
  await isLive(page);
  const summary = async (of: Page) => (await inPage(of)).rooms.find(({ id }) => id === room);
  const counted = await waitFor('the mention is counted', async () => {
    const found = await summary(page);
    return found?.mentions.length === 1 ? found : undefined;
  });
  expect(counted.unread).toBe(100);
  const [offset] = counted.mentions;
  const now = await shownIn(page, room);
  expect(await waitFor('the jump', () => page.jumpTo(room, offset!))).toBe(true);
  await waitFor('it is shown', () => bodies(now()).includes('@Mika look here'));
  const roles = await page.ask('roles', room);
  expect(roles).toMatchObject({ ok: true, roles: { [osei.session.user.id]: 'owner' }, own: 'member' });
  page.toNewest(room);
  await waitFor('the newest', () => bodies(now()).at(-1) === 'the newest');
  page.close();

  browser.isOnline = false;
  const offline = browser.openPage();
  await inPage(offline);
  const alone = await shownIn(offline, room);
  offline.toNewest(room);
  await waitFor('the newest', () => bodies(alone()).at(-1) === 'the newest');
  expect(alone().messages.at(-1)!.author.name).toBe('Lin Yu');
  const said = await waitFor('who did what', () => {
    const lines = alone().memberships.flatMap(({ people: of }) => (of ? JSON.stringify(of) : []));
    return lines.length > 0 ? lines.join(' ') : undefined;
  });
  expect(said).toContain('Osei');
  expect((await summary(offline))?.mentions).toEqual([offset]);
  expect(await offline.jumpTo(room, offset!)).toBe(true);
  await waitFor('it is shown', () => bodies(alone()).includes('@Mika look here'));
  expect(alone().messages.find(({ serverOffset }) => serverOffset === offset)?.author.name).toBe('Lin Yu');
});

test('S3 a thousand missed reactions are no unread message; a reply to a message in a hole shows its quote offline', async () => {
  await using server = await startApp();
  using lin = await connectClient(server.url, await signUp(server.url, 'Lin'));
  const room = await roomWith(lin, 'Pier');
  const browser = createBrowser(server);
  const { page: first } = await signedUpIn(browser, 'Mika');
  await first.ask('joinRoom', room);
  await shownIn(first, room);
  first.close();
  const asked = text('Who has the key?', room);
  await lin.append(asked);
  await appendThrough(server.store, historyOf(room, [lin.session.user.id], 1_000));
  const replyTo = { author: lin.session.user.id, clientOffset: asked.clientOffset };
  await lin.append({ ...text('Bo has it', room), replyTo });
  await appendThrough(
    server.store,
    Array.from({ length: 1_000 }, (_, n) => {
      const reaction = {
        room,
        author: newId(),
        clientOffset: newId(),
        kind: 'reaction',
        target: asked.clientOffset,
      };
      const entry = {
        ...reaction,
        targetAuthor: lin.session.user.id,
        content: { emoji: '👍', on: n % 2 === 0 },
      };
      return { ...entry, digest: digestOf(entry) };
    }),
  );
  const page = browser.openPage();
  await isLive(page);
  const now = await shownIn(page, room);
  page.toNewest(room);
  const reply = await waitFor('the reply', () =>
    now().messages.find((each) => texts([each])[0] === 'Bo has it'),
  );
  expect(now().messages.at(-1)).toBe(reply);
  page.seen(room, reply.serverOffset!);
  const summary = async (of: Page) => (await inPage(of)).rooms.find(({ id }) => id === room);
  await waitFor('nothing is unread', async () => {
    // as the view does with a gap that is in view; until it is filled, what is in it counts
    for (const gap of now().gaps) page.loadBetween(room, gap, 'upper');
    return (await summary(page))?.unread === 0;
  });
  page.close();
  browser.isOnline = false;
  const offline = browser.openPage();
  await inPage(offline);
  const alone = await shownIn(offline, room);
  expect((await summary(offline))?.unread).toBe(0);
  const quoted = await waitFor('the quote', () => {
    const found = alone().messages.find((each) => texts([each])[0] === 'Bo has it');
    return found?.reply?.content && found.reply;
  });
  expect(quoted).toMatchObject({ author: { name: 'Lin' }, content: { body: 'Who has the key?' } });
  expect(bodies(alone())).not.toContain('Who has the key?');
});

test('a member who leaves and comes back finds the room as before: its settings, its place in the list, and only what came since as unread', async () => {
  await using server = await startApp();
  using lin = await connectClient(server.url, await signUp(server.url, 'Lin'));
  const rooms = [await roomWith(lin, 'Older'), await roomWith(lin, 'Newer')];
  const browser = createBrowser(server);
  const { page } = await signedUpIn(browser, 'Mika');
  for (const room of rooms) await page.ask('joinRoom', room);
  for (const [i, room] of rooms.entries()) await lin.append(text(`in ${i}`, room));
  await page.ask('choose', rooms[0]!, { muted: true });
  const summary = async () => (await inPage(page)).rooms.find(({ id }) => id === rooms[0]);
  await waitFor('it is muted', async () => (await summary())?.wishes.muted);
  await waitFor('the server has it', () => browser.answered.includes('room:choose'));
  const shown = await shownIn(page, rooms[0]!);
  await waitFor('it is shown', () => bodies(shown()).at(-1) === 'in 0');
  page.seen(rooms[0]!, shown().messages.at(-1)!.serverOffset!);
  await waitFor('it is read', async () => (await summary())?.unread === 0);
  expect(await page.ask('leaveRoom', rooms[0]!)).toEqual({ ok: true });
  await waitFor('it is gone', async () => (await summary())?.member !== true);
  await lin.append(text('while they were away', rooms[0]));
  expect(await page.ask('joinRoom', rooms[0]!)).toEqual({ ok: true });
  const back = await waitFor('it is back', async () => {
    const found = await summary();
    return found?.member && found.last?.text === 'while they were away' && found;
  });
  expect(back).toMatchObject({ wishes: { muted: true }, unread: 0 });
  const order = (await inPage(page)).rooms.map(({ name }) => name).filter((name) => name !== 'Lobby');
  expect(order).toEqual(['Older', 'Newer']); // by the newest message
  await lin.append(text('after that', rooms[0]));
  await waitFor('only that is unread', async () => (await summary())?.unread === 1);
});

test('somebody blocked whom others mention: their name is shown in it; the notebook that is begun twice is one', async () => {
  await using server = await startApp();
  using lin = await connectClient(server.url, await signUp(server.url, 'Lin'));
  using osei = await connectClient(server.url, await signUp(server.url, 'Osei'));
  const browser = createBrowser(server);
  const { page, user } = await signedUpIn(browser, 'Mika');
  expect(await page.ask('block', lin.session.user, true)).toEqual({ ok: true });
  const shown = await look(page);
  const mentions = [{ user: lin.session.user.id, name: 'Lin' }];
  await osei.append({ ...text('ask @Lin'), mentions });
  await lin.append({ ...text('@Mika no'), mentions: [{ user: user.id, name: 'Mika' }] });
  await waitFor('both are shown', () => bodies(shown()).join() === 'ask @Lin,blocked');
  expect(shown().messages[0]!.content).toMatchObject({ mentions: [{ ...mentions[0], now: 'Lin' }] });

  const notebooks = await Promise.all([page.ask('writeTo', user), page.ask('writeTo', user)]);
  expect(notebooks[0]).toMatchObject({ ok: true });
  expect(notebooks[1]).toEqual(notebooks[0]);
  const room = (notebooks[0] as { room: string }).room;
  for (const body of ['one', 'two']) await page.send(room, body);
  const listed = async () => (await inPage(page)).rooms.filter(({ with: other }) => other === user.id);
  await waitFor('the list shows the last text', async () => (await listed())[0]?.last?.text === 'two');
  await waitFor('all is sent', async () => (await inPage(page)).waiting === 0);
  expect(await listed()).toMatchObject([{ id: room, last: { text: 'two' } }]);
});
