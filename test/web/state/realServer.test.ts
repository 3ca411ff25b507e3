/** Whole clients in Node against the real server, over real sockets. */

import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { directRoomOf } from '../../../shared/directPair.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { deviceClock } from '../../../web/db/clock.ts';
import { openUserDatabase } from '../../../web/db/userDatabase.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import { WINDOW_STEP_LINES } from '../../../web/records/pageLimits.ts';
import type { SignedIn } from '../../../web/state/model.ts';
import { firstUnread } from '../../../web/view/readingPlace.ts';
import { connectClient, newId, signUp, text } from '../../support/api.ts';
import { startApp } from '../../support/app.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { waitFor } from '../../support/waitFor.ts';
import { spans } from '../log/syncBench.ts';
import { newItemOf } from '../outbox/support.ts';
import { bodies, createBrowser, inPage, look, numbered, open, type Page } from './realBrowser.ts';

test('S2 S3 messages missed before and after one that the worker sent arrive with the next connection; until then all that is held shows', async () => {
  await using server = await startApp();
  const browser = createBrowser(server);
  using bob = await connectClient(server.url, await signUp(server.url, 'Bob'));
  const first = browser.openPage();
  await waitFor('signed out', () => first.app.get().tag === 'signed-out');
  expect(await first.signIn('Mika')).toEqual({ ok: true });
  const me = (await inPage(first)).user.id;
  const held = numbered('held', 30);
  await bob.append(...held.map((body) => text(body)));
  const shownFirst = await look(first);
  await waitFor('they are shown', () => bodies(shownFirst()).at(-1) === 'held 30');
  first.close();

  const db = openUserDatabase(browser.indexedDB, deviceClock, me);
  open.push(db);
  const missed = numbered('missed', 40);
  await bob.append(...missed.map((body) => text(body)));
  await enqueue(db, newItemOf({ room: LOBBY, clientOffset: newId(), kind: 'text', body: 'mine' }));
  expect(await browser.wakeWorker()).toBe('empty');
  const later = numbered('later', 10);
  await bob.append(...later.map((body) => text(body)));

  browser.isOnline = false;
  const offline = browser.openPage();
  await inPage(offline);
  const shown = (await look(offline))();
  expect(bodies(shown)).toEqual([...held, 'mine']);
  const [own] = shown.messages.slice(-1);
  expect(shown.gaps).toEqual([{ tag: 'gap', from: own!.serverOffset! - 40, to: own!.serverOffset! - 1 }]);
  expect(shown).toMatchObject({ atStart: true, atNewest: true });
  offline.close();

  browser.isOnline = true;
  browser.asked.length = 0;
  const online = browser.openPage();
  await inPage(online);
  const now = await look(online);
  await waitFor('all is shown', () => {
    if (bodies(now()).at(-1) !== 'later 10') online.toNewest(LOBBY); // it may have opened at the first unread message
    return bodies(now()).at(-1) === 'later 10' && now().gaps.length === 0;
  });
  const all = [...held, ...missed, 'mine', ...later];
  await waitFor('with what was held', () => {
    if (!now().atStart) online.loadOlder(LOBBY, WINDOW_STEP_LINES);
    return bodies(now()).join() === all.join();
  });
  expect(browser.asked).not.toContain('range');
  expect(await spans(db)).toMatchObject([{ from: 1, to: own!.serverOffset! + 10 }]);
});

test('S1 after the database is replaced by an older copy, what is new counts as unread, also where the worker is the first to notice', async () => {
  await using folder = await temporaryFolder();
  const [data, copy] = [join(folder.path, 'data'), join(folder.path, 'copy')];
  await mkdir(data);
  let server = await startApp({ data });
  const browser = createBrowser(server);
  const bob = await signUp(server.url, 'Bob');
  const bobWrites = async (bodies: string[]) => {
    using client = await connectClient(server.url, bob);
    await client.append(...bodies.map((body) => text(body)));
  };
  const restartAfter = async (change: () => Promise<void>) => {
    await server.stop();
    await change();
    server = await startApp({ data });
    browser.reaches(server);
  };
  /** A page on which everything up to this message is read, here and on the server. */
  const readUpTo = async (page: Page, body: string) => {
    const shown = await look(page);
    const last = await waitFor(`${body} is shown`, () => {
      page.toNewest(LOBBY); // it opens at the first unread message
      const message = shown().messages.at(-1);
      return bodies(shown()).at(-1) === body && message;
    });
    browser.answered.length = 0;
    page.seen(LOBBY, last.serverOffset!);
    await waitFor('it is read', () => unread(page) === 0);
    // A marker that the server does not have yet would not be in the copy.
    await waitFor('the server has it', () => browser.answered.includes('read'));
    page.close();
  };
  const unread = (page: Page) => {
    const app = page.app.get();
    return app.tag === 'signed-in' ? app.rooms.find(({ id }) => id === LOBBY)?.unread : undefined;
  };

  const first = browser.openPage();
  await waitFor('signed out', () => first.app.get().tag === 'signed-out');
  expect(await first.signIn('Mika')).toEqual({ ok: true });
  const me = (await inPage(first)).user.id;
  await bobWrites(numbered('kept', 20));
  await readUpTo(first, 'kept 20');
  await restartAfter(() => cp(data, copy, { recursive: true }));
  await bobWrites(numbered('lost', 60));
  const second = browser.openPage();
  await inPage(second);
  await readUpTo(second, 'lost 60');

  await restartAfter(async () => {
    await rm(data, { recursive: true });
    await cp(copy, data, { recursive: true });
  });
  await bobWrites(numbered('new', 10));
  const db = openUserDatabase(browser.indexedDB, deviceClock, me);
  open.push(db);
  await enqueue(db, newItemOf({ room: LOBBY, clientOffset: newId(), kind: 'text', body: 'mine' }));
  const worker = browser.wakeWorker();
  const page = browser.openPage();
  await inPage(page);
  const shown = await look(page);
  await waitFor('the new log', () => bodies(shown()).at(-1) === 'mine' && bodies(shown()).includes('new 10'));
  await worker;
  await waitFor('ten are unread', () => unread(page) === 10);
  expect(firstUnread(shown(), shown().readUpTo)?.content).toMatchObject({ body: 'new 1' });
  await server.stop();
});

test('O1 O2 L5 two devices that begin a direct conversation with each other offline have one, with everything once, in the order of each', async () => {
  await using server = await startApp();
  const people = await Promise.all(
    ['Mika', 'Lin'].map(async (name) => {
      const browser = createBrowser(server);
      const page = browser.openPage();
      await waitFor('signed out', () => page.app.get().tag === 'signed-out');
      await page.signIn(name);
      const { user } = await inPage(page);
      await waitFor('live', async () => (await inPage(page)).connection.tag === 'live');
      page.close();
      browser.isOnline = false;
      return { browser, user, page: browser.openPage() };
    }),
  );
  const [mika, lin] = people as [(typeof people)[0], (typeof people)[0]];
  const room = directRoomOf(mika.user.id, lin.user.id);
  for (const [{ page, user }, other] of [
    [mika, lin],
    [lin, mika],
  ] as const) {
    await inPage(page);
    const opened = await waitFor('the engine', async () => {
      const outcome = await page.ask('writeTo', other.user);
      return outcome.ok && outcome;
    });
    expect(opened).toEqual({ ok: true, room });
    for (const n of [1, 2, 3]) expect(await page.send(room, `${user.name} ${n}`)).toEqual({ ok: true });
    const listed = await waitFor('the list', async () =>
      (await inPage(page)).rooms.find(({ id, waiting }) => id === room && waiting === 3),
    );
    expect(listed).toMatchObject({
      kind: 'direct',
      name: other.user.name,
      with: other.user.id,
      member: true,
    });
  }
  for (const { browser, page } of people) {
    page.close();
    browser.isOnline = true;
  }
  const pages = people.map(({ browser }) => browser.openPage());
  await Promise.all(pages.map(inPage));
  const shown = pages.map((page) => {
    page.open(room);
    const conversation = page.conversation(room);
    conversation.subscribe(() => {});
    return () => conversation.get().messages.filter(({ status }) => status.tag === 'sent');
  });
  for (const get of shown) await waitFor('all six', () => get().length >= 6);
  const [atMika, atLin] = shown.map((get) =>
    get().map(({ content }) => (content.tag === 'text' ? content.body : content.tag)),
  );
  expect(atLin).toEqual(atMika);
  for (const name of ['Mika', 'Lin'])
    expect(atMika!.filter((body) => body.startsWith(name))).toEqual([1, 2, 3].map((n) => `${name} ${n}`));
  expect(atMika).toHaveLength(6);
  const unread = async (page: Page) =>
    (await inPage(page)).rooms.flatMap(({ id, unread }) => (id === room ? unread : []));
  for (const page of pages) await waitFor('three are unread', async () => (await unread(page))[0] === 3);
});

test('a direct conversation is kept where a server does not know it yet, and follows the name of the other one', async () => {
  await using server = await startApp();
  const browser = createBrowser(server);
  const lin = await signUp(server.url, 'Lin');
  using other = await connectClient(server.url, lin);
  const page = browser.openPage();
  await waitFor('signed out', () => page.app.get().tag === 'signed-out');
  await page.signIn('Mika');
  await waitFor('live', async () => (await inPage(page)).connection.tag === 'live');
  const found = await page.ask('findPerson', ' lin ');
  expect(found).toMatchObject({ ok: true, person: { id: lin.user.id, name: 'Lin' } });
  const { room = '' } = (await page.ask('writeTo', lin.user)) as { room?: string };
  page.close();
  const welcomed = browser.openPage(); // its welcome does not list the room
  await inPage(welcomed);
  await welcomed.send(LOBBY, 'after the welcome');
  await other.hears('after the welcome'); // an outbox is sent once the welcome is stored
  welcomed.close();
  const again = browser.openPage();
  const listed = async () => (await inPage(again)).rooms.find(({ id }) => id === room);
  expect(await listed()).toMatchObject({ name: 'Lin', member: true });
  await again.send(room, 'hello');
  await waitFor('it is sent', async () => (await listed())?.waiting === 0);
  await fetch(`${server.url}/api/name`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${lin.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Lin Yu' }),
  });
  await waitFor('the new name', async () => (await listed())?.name === 'Lin Yu');
  again.close();
  browser.isOnline = false;
  const offline = browser.openPage();
  expect((await inPage(offline)).rooms.find(({ id }) => id === room)?.name).toBe('Lin Yu');
});

test('settings of a room reach the other devices of the user; what was chosen offline does not undo a newer choice', async () => {
  const server = await startApp();
  open.push({ close: () => void server.stop() });
  const [phone, laptop] = [createBrowser(server), createBrowser(server)];
  const [first, second] = [phone.openPage(), laptop.openPage()];
  await waitFor('signed out', () => [first, second].every(({ app }) => app.get().tag === 'signed-out'));
  await first.signIn('Mika', undefined);
  expect(await first.setPassword('a good password')).toEqual({ ok: true });
  expect(await second.signIn('Mika', 'a good password')).toEqual({ ok: true });
  const wishes = ({ app }: Page) =>
    (app.get() as SignedIn).rooms?.find(({ id }) => id === LOBBY)?.wishes ?? { muted: undefined };
  const isLive = ({ app }: Page) => (app.get() as SignedIn).connection?.tag === 'live';
  await waitFor('both live', () => [first, second].every((page) => isLive(page) && 'pinned' in wishes(page)));
  await first.ask('choose', LOBBY, { muted: true, pinned: true });
  await waitFor('the other device', () => wishes(second).muted === true);
  await waitFor('both settings', () => (wishes(second) as { pinned: boolean }).pinned);

  phone.isOnline = false;
  phone.clockAt = -3_600_000; // it was an hour ago
  first.close();
  const offline = phone.openPage();
  await waitFor('shown offline', () => wishes(offline).muted === true);
  await waitFor('stored offline', async () => (await offline.ask('choose', LOBBY, { pinned: false })).ok);
  phone.clockAt = 0;
  await second.ask('choose', LOBBY, { pinned: true, muted: false });
  await waitFor('sent', () => laptop.answered.includes('room:choose'));
  offline.close();
  phone.isOnline = true;
  const back = phone.openPage();
  await waitFor('sent', () => phone.answered.filter((name) => name === 'room:choose').length === 2);
  await waitFor('the newest', () => wishes(back).muted === false);
  // until its answer is stored, the choice that lost still holds on this device
  await waitFor('what was chosen offline lost', () => (wishes(back) as { pinned: boolean }).pinned);
  expect([wishes(back), wishes(second)]).toMatchObject([{ pinned: true }, { pinned: true }]);
  await back.ask('choose', LOBBY, { unread: true });
  await waitFor('marked', () => (wishes(second) as { unread: boolean }).unread);
  await second.open(LOBBY);
  await waitFor('opened', () => !(wishes(back) as { unread: boolean }).unread);
});

test('whoever is blocked is not shown: neither their conversation nor, elsewhere, their texts; on all devices, until they are unblocked', async () => {
  await using server = await startApp();
  using lin = await connectClient(server.url, await signUp(server.url, 'Lin'));
  const browser = createBrowser(server);
  const page = browser.openPage();
  await waitFor('signed out', () => page.app.get().tag === 'signed-out');
  await page.signIn('Mika', 'a password');
  const { user } = await inPage(page);
  const room = directRoomOf(user.id, lin.session.user.id);
  await lin.append(text('in the lobby'), text('in private', room));
  const laptop = createBrowser(server).openPage();
  await waitFor('signed out', () => laptop.app.get().tag === 'signed-out');
  await laptop.signIn('Mika', 'a password');
  const shown = [await look(page), await look(laptop)];
  const summary = async (of: Page) => (await inPage(of)).rooms.find(({ id }) => id === room);
  for (const of of [page, laptop])
    await waitFor('it is listed', async () => (await summary(of))?.unread === 1);
  for (const get of shown) await waitFor('it is shown', () => bodies(get()).includes('in the lobby'));

  expect(await page.ask('block', lin.session.user, true)).toEqual({ ok: true });
  await lin.append(text('once more in the lobby'), text('once more', room));
  for (const [i, of] of [page, laptop].entries()) {
    await waitFor('it is folded', () => bodies(shown[i]!()).join() === 'blocked,blocked');
    await waitFor('it is hidden', async () => (await summary(of))?.wishes.hidden);
    expect(await summary(of)).toMatchObject({ unread: 0, last: undefined, wishes: { blocked: true } });
  }
  page.close();
  browser.isOnline = false;
  const offline = browser.openPage();
  await inPage(offline);
  const alone = await look(offline);
  expect(bodies(alone())).toEqual(['blocked', 'blocked']);
  expect(
    await waitFor('the engine', async () => (await offline.ask('block', lin.session.user, false)).ok),
  ).toBe(true);
  await waitFor('it is shown', () => bodies(alone()).join() === 'in the lobby,once more in the lobby');
  offline.close();
  browser.isOnline = true;
  const again = browser.openPage();
  await waitFor(
    'everything is back',
    () => bodies(shown[1]!()).join() === 'in the lobby,once more in the lobby',
  );
  for (const of of [again, laptop])
    await waitFor('what came meanwhile is unread', async () => (await summary(of))?.unread === 2);
});
