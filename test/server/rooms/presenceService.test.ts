/** Who is here: between real sockets and a real server; and several processes with one clock, whose messages may be lost. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  PRESENCE_EVERY_MS,
  PRESENCE_SILENT_MS,
  SEEN_EVERY_MS,
  SEEN_WRITES_EVERY_MS,
} from '../../../server/base/serverLimits.ts';
import {
  createPresenceService,
  type PresenceMessage,
  type PresenceService,
} from '../../../server/rooms/presenceService.ts';
import { type PresenceStore, Unavailable } from '../../../server/store/port.ts';
import { HERE_EVERY_MS, HERE_LEFT_MS, HERE_SHOWN_MS, PRESENCE_MAX_MEMBERS } from '../../../shared/limits.ts';
import type { Answer, Frame } from '../../../shared/protocol/index.ts';
import { nameKey } from '../../../shared/text.ts';
import { MemoryData } from '../../contract/memory/data.ts';
import { presenceIn } from '../../contract/memory/presence.ts';
import { type ApiClient, connectClient, newId, signUp } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { waitFor } from '../../support/waitFor.ts';

let server: RunningApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

let names = 0;
const person = () => signUp(server.url, `person ${names++}`);
const told = ({ frames }: ApiClient) =>
  frames.flatMap(({ event, payload }) => (event === 'presence' ? [payload as Frame<'presence'>] : []));

test('over sockets: a member is told who comes and goes, sees when, and a stranger is refused', async () => {
  using ada = await connectClient(server.url, await person());
  const session = await person();
  using stranger = await connectClient(server.url, await person());
  const room = newId();
  await ada.makeRoom({ id: room, kind: 'public', name: 'a room' });
  const bo = await connectClient(server.url, session);
  await bo.request('room:join', { room, clientOffset: newId() });
  const { id, name } = session.user;
  expect(await ada.request('presence', { room })).toMatchObject({
    ok: true,
    people: { [ada.session.user.id]: {}, [id]: {} }, // nobody has said so
    users: { [id]: { name } },
  });
  bo.socket.emit('here', { here: true });
  await waitFor('bo is here', () => told(ada).length > 0);
  expect(told(ada)).toEqual([{ room, people: { [id]: { here: true } } }]);
  bo[Symbol.dispose]();
  await waitFor('bo went', () => told(ada).length > 1);
  const seenAt = expect.any(Number);
  expect(told(ada).slice(1)).toEqual([{ room, people: { [id]: { seenAt } } }]);
  expect(await ada.request('presence', { room })).toMatchObject({ people: { [id]: { seenAt } } });
  expect(await stranger.request('presence', { room })).toMatchObject({ error: { code: 'forbidden' } });
});

test('over sockets: whoever hides it is not seen, sees nobody, and finds the setting on another device', async () => {
  const session = await person();
  using ada = await connectClient(server.url, session);
  using again = await connectClient(server.url, session);
  expect(await ada.request('presence:show', {})).toMatchObject({ ok: true, shown: true });
  expect(await ada.request('presence:show', { show: false })).toMatchObject({ ok: true, shown: false });
  await waitFor('the other device asks again', () => told(again).length > 0);
  expect(told(again)).toEqual([{ again: true }]);
  expect(await again.request('presence:show', {})).toMatchObject({ shown: false });
  expect(await again.request('presence', { room: 'lobby' })).toMatchObject({ ok: true, hidden: true });
});

/** Processes on one store, in which everybody of `users` is in each of `rooms`. */
function processes(count: number, users: readonly string[], members: readonly string[] = users) {
  let time = 1_000_000;
  const data = new MemoryData();
  const calls = { of: 0, seen: 0 };
  const stored = presenceIn(data, async (work) => work());
  const store: PresenceStore = {
    ...stored,
    async of(asked) {
      calls.of++;
      if (isAway) throw new Unavailable('away');
      const found = await stored.of(asked);
      await reads;
      return found;
    },
    async seen(seen) {
      calls.seen++;
      if (isAway) throw new Unavailable('away');
      return stored.seen(seen);
    },
  };
  let isAway = false;
  let reads = Promise.resolve();
  let loses = false;
  const frames: { to: string; frame: Frame<'presence'> }[] = [];
  const alive: { id: string; service: PresenceService }[] = [];
  const send = (from: string) => (message: PresenceMessage) => {
    if (loses) return;
    for (const { id, service } of alive) if (id !== from) service.heard(message);
  };
  for (let n = 0; n < count; n++) {
    const service = createPresenceService({
      store,
      rooms: {
        members: async (_, after, limit) => members.filter((id) => id > after).slice(0, limit),
        roles: async (_, asked) => ({
          roleSeq: 0,
          holders: [],
          eldest: [],
          members: asked.filter((id) => members.includes(id)),
          banned: [],
        }),
      },
      users: {
        search: async (key, limit) =>
          users
            .filter((id) => nameKey(id).startsWith(key))
            .slice(0, limit)
            .map((id) => ({ id, name: id, rev: 0 })),
      },
      names: { ofUsers: async (ids) => Object.fromEntries(ids.map((id) => [id, { name: id, rev: 0 }])) },
      access: { refusalOf: async () => undefined },
      direct: { isOpen: async () => true },
      tell(to, _, frame) {
        frames.push({ to, frame });
        return true;
      },
      tellUser: () => {},
      send: send(`${n}`),
      process: `${n}`,
      logger: { warn: () => {} },
      ticks: () => time,
      now: () => time,
    });
    alive.push({ id: `${n}`, service });
  }
  const all = [...alive].map(({ service }) => service);
  const userOf = (id: string) => ({ id, name: id, rev: 0 });
  return {
    all,
    frames,
    calls,
    stored,
    now: () => time,
    storeIs(away: boolean) {
      isAway = away;
    },
    /** What the store reads arrives only after this. */
    readsEnd(after: Promise<void>) {
      reads = after;
    },
    network(lost: boolean) {
      loses = lost;
    },
    kill: (n: number) => void alive.splice(0, alive.length, ...alive.filter(({ id }) => id !== `${n}`)),
    /** Those in `signs` say every HERE_EVERY_MS that they are here, by [process, connection, user]. */
    async pass(ms: number, ...signs: (readonly [number, string, string])[]) {
      for (const end = time + ms; time < end; ) {
        if (time % HERE_EVERY_MS === 0)
          for (const [n, connection, user] of signs) all[n]!.sign(connection, user, true);
        time += PRESENCE_EVERY_MS;
        for (const { service } of alive) await service.tick();
      }
    },
    async ask(n: number, connection: string, user: string, after?: string) {
      const request = { room: 'room', ...(after !== undefined && { after }) };
      const answer = await all[n]!.people(userOf(user), request);
      all[n]!.watch(connection, user, request, { ok: true, epoch: '', ...answer } as Answer<'presence'>);
      return answer;
    },
    show: (n: number, user: string, show: boolean) => all[n]!.show(userOf(user), { show }),
  };
}

const SOON = 2 * PRESENCE_EVERY_MS;
const here = { here: true };

test('one of two tabs is closed: still here, and nobody is told anything', async () => {
  const { all, pass, ask, frames } = processes(1, ['ada', 'bo']);
  await pass(SOON, [0, 'tab 1', 'bo'], [0, 'tab 2', 'bo']);
  await ask(0, 'of ada', 'ada');
  all[0]!.ended('tab 1');
  await pass(2 * HERE_SHOWN_MS, [0, 'tab 2', 'bo']);
  expect(frames).toEqual([]);
  expect((await ask(0, 'of ada', 'ada')).people).toMatchObject({ bo: here });
  all[0]!.ended('tab 2');
  await pass(HERE_LEFT_MS + SOON);
  expect(frames).toHaveLength(1);
  expect((await ask(0, 'of ada', 'ada')).people.bo).toEqual({ seenAt: expect.any(Number) });
});

test('a tab that is hidden, and a phone that sleeps without a word, are not here; a page that reloads stays', async () => {
  const { all, pass, ask, frames } = processes(1, ['ada', 'bo', 'lin']);
  await pass(SOON, [0, 'of bo', 'bo'], [0, 'of lin', 'lin']);
  await ask(0, 'of ada', 'ada');
  all[0]!.sign('of bo', 'bo', false);
  await pass(HERE_LEFT_MS + SOON);
  expect(frames.map(({ frame }) => frame)).toEqual([
    { room: 'room', people: { bo: { seenAt: expect.any(Number) } } },
  ]);
  await pass(HERE_SHOWN_MS);
  const { people } = await ask(0, 'of ada', 'ada');
  expect(people.lin).toEqual({ seenAt: expect.any(Number) });
  all[0]!.sign('of bo', 'bo', true);
  await pass(SOON);
  frames.length = 0;
  all[0]!.ended('of bo');
  await pass(SOON);
  all[0]!.sign('of bo again', 'bo', true);
  await pass(2 * HERE_LEFT_MS);
  expect(frames).toEqual([]);
});

test('across processes: here by any of them; two that lose the last tabs at the same moment agree', async () => {
  const { all, pass, ask } = processes(3, ['ada', 'bo']);
  const both = [
    [0, 'one', 'bo'],
    [1, 'other', 'bo'],
  ] as const;
  await pass(10_000, ...both);
  for (const n of [0, 1, 2]) expect((await ask(n, 'of ada', 'ada')).people.bo).toEqual(here);
  all[0]!.ended('one');
  await pass(HERE_LEFT_MS + SOON, both[1]);
  for (const n of [0, 1, 2]) expect((await ask(n, 'of ada', 'ada')).people.bo).toEqual(here);
  all[0]!.sign('one', 'bo', true);
  await pass(SOON, ...both);
  all[0]!.ended('one');
  all[1]!.ended('other');
  await pass(HERE_LEFT_MS + SOON);
  for (const n of [0, 1, 2])
    expect((await ask(n, 'of ada', 'ada')).people.bo).toEqual({ seenAt: expect.any(Number) });
});

test('a process that was killed takes its people with it within 30 s, and they come back elsewhere', async () => {
  const { kill, pass, ask, frames } = processes(2, ['ada', 'bo']);
  await pass(10_000, [0, 'of bo', 'bo']);
  await ask(1, 'of ada', 'ada');
  expect(frames).toEqual([]);
  kill(0);
  await pass(PRESENCE_SILENT_MS + SOON);
  expect(frames.map(({ frame }) => frame)).toEqual([
    { room: 'room', people: { bo: { seenAt: expect.any(Number) } } },
  ]);
  await pass(HERE_EVERY_MS + SOON, [1, 'of bo', 'bo']);
  expect(frames.at(-1)!.frame).toEqual({ room: 'room', people: { bo: here } });
});

test('messages between processes that are lost are made up for', async () => {
  const { network, pass, ask } = processes(2, ['ada', 'bo', 'lin']);
  await pass(SOON, [0, 'of lin', 'lin']);
  network(true);
  await pass(10_000, [0, 'of bo', 'bo']);
  network(false);
  await pass(10_000, [0, 'of bo', 'bo']);
  await pass(HERE_SHOWN_MS, [0, 'of bo', 'bo']);
  const { people } = await ask(1, 'of ada', 'ada');
  expect(people.bo).toEqual(here);
  expect(people.lin).toEqual({ seenAt: expect.any(Number) });
});

test('whoever hides it goes without a time, is told nothing, and is back when they show it again', async () => {
  const { show, pass, ask, frames, stored } = processes(2, ['ada', 'bo']);
  const bo = [0, 'of bo', 'bo'] as const;
  await pass(10_000, bo, [1, 'of ada', 'ada']);
  await ask(1, 'of ada', 'ada');
  await ask(0, 'of bo', 'bo');
  await show(1, 'bo', false); // on another device, which is with another process
  await pass(SOON, bo);
  expect(frames).toEqual([{ to: 'of ada', frame: { room: 'room', people: { bo: {} } } }]);
  expect((await ask(1, 'of ada', 'ada')).people.bo).toEqual({});
  expect(await ask(0, 'of bo', 'bo')).toMatchObject({ hidden: true, people: { ada: {} } });
  await pass(HERE_SHOWN_MS + SEEN_EVERY_MS, bo);
  expect(frames.filter(({ to }) => to === 'of bo')).toEqual([]);
  expect((await stored.of(['bo'])).get('bo')?.seenAt).toBeUndefined();
  await show(0, 'bo', true);
  await pass(SOON, bo);
  expect(frames.at(-1)).toEqual({ to: 'of ada', frame: { room: 'room', people: { bo: here } } });
});

test('whoever hides it while the store still reads whether they do is not shown', async () => {
  const { all, show, pass, ask, frames, readsEnd } = processes(1, ['ada', 'bo']);
  await ask(0, 'of ada', 'ada');
  const read = Promise.withResolvers<void>();
  readsEnd(read.promise);
  all[0]!.sign('of bo', 'bo', true);
  const ticked = all[0]!.tick();
  await show(0, 'bo', false);
  read.resolve();
  await ticked;
  await pass(HERE_EVERY_MS + SOON, [0, 'of bo', 'bo']);
  expect(frames).toEqual([]);
});

test('when somebody was here last is stored once a minute, and when they went; also after the store was away', async () => {
  const { pass, stored, storeIs, calls, now } = processes(1, ['ada', 'bo']);
  const ada = [0, 'of ada', 'ada'] as const;
  await pass(5 * SEEN_EVERY_MS, ada);
  expect(calls.seen).toBeLessThanOrEqual(5);
  const seenAt = async () => now() - ((await stored.of(['ada'])).get('ada')?.seenAt ?? 0);
  expect(await seenAt()).toBeLessThanOrEqual(SEEN_EVERY_MS + SEEN_WRITES_EVERY_MS);
  storeIs(true);
  await pass(HERE_SHOWN_MS + SEEN_WRITES_EVERY_MS); // she goes
  storeIs(false);
  const went = now();
  await pass(2 * SEEN_WRITES_EVERY_MS);
  expect((await stored.of(['ada'])).get('ada')!.seenAt).toBeGreaterThan(went - HERE_SHOWN_MS);
});

test('cost: who comes is one frame to each who watches the room, and those who come together share it', async () => {
  const users = Array.from({ length: PRESENCE_MAX_MEMBERS }, (_, i) => `user ${i + 10}`);
  const { pass, ask, frames, calls } = processes(1, users);
  const watchers = users.slice(0, 20);
  for (const user of watchers) await ask(0, `of ${user}`, user);
  calls.of = 0;
  await pass(10_000, [0, 'one', users[30]!]);
  expect(frames).toHaveLength(watchers.length);
  expect(calls.of).toBe(1);
  frames.length = 0;
  await pass(10_000, ...users.slice(31).map((user) => [0, `of ${user}`, user] as const));
  expect(frames).toHaveLength(watchers.length);
});

test('cost: in a room above the bound nobody is told anything, and a page has some of its members', async () => {
  const users = Array.from({ length: 2_000 }, (_, i) => `user ${i + 1_000}`);
  const { pass, ask, frames, calls } = processes(1, users);
  const first = await ask(0, 'of ada', users[0]!);
  expect(Object.keys(first.people)).toEqual(users.slice(0, PRESENCE_MAX_MEMBERS));
  const { people, next } = await ask(0, 'of ada', users[0]!, first.next);
  expect(Object.keys(people)).toEqual(users.slice(PRESENCE_MAX_MEMBERS, 2 * PRESENCE_MAX_MEMBERS));
  expect(next).toBe(users[2 * PRESENCE_MAX_MEMBERS - 1]);
  calls.of = 0;
  await pass(10_000, ...users.map((user) => [0, `of ${user}`, user] as const));
  expect(frames).toEqual([]);
  expect(calls.of).toBeLessThanOrEqual(2_000 / 500);
});

test('a room that grows beyond the bound: those who watch it are told to ask again', async () => {
  const users = Array.from({ length: PRESENCE_MAX_MEMBERS }, (_, i) => `user ${i + 10}`);
  const { all, ask, frames, pass } = processes(1, users);
  await ask(0, 'of one', users[0]!);
  all[0]!.moved('room', 'another', true);
  expect(frames).toEqual([{ to: 'of one', frame: { again: true } }]);
  await pass(SOON, [0, 'two', users[1]!]);
  expect(frames).toHaveLength(1);
});

test('of a large room those are found whose names begin so: members alone, a page at most, and nobody watches', async () => {
  const names = Array.from({ length: 300 }, (_, i) => `${i % 2 === 0 ? 'Ann' : 'Bo'} ${i}`);
  const { all, frames } = processes(1, names, names.slice(0, 280));
  const [service] = all as [PresenceService];
  const asked = (begins: string) => service.people(userOfTest('Ann 0'), { room: 'r', begins });
  expect(Object.keys((await asked('ann 27')).users).sort()).toEqual([
    'Ann 270',
    'Ann 272',
    'Ann 274',
    'Ann 276',
    'Ann 278',
  ]);
  expect(Object.keys((await asked('BO 28')).users)).toEqual([]); // no members
  const many = await asked('b');
  expect(Object.keys(many.people)).toHaveLength(PRESENCE_MAX_MEMBERS);
  expect(many.next).toBeUndefined();
  service.watch('1', 'Ann 0', { room: 'r', begins: 'b' }, { ok: true, epoch: 'e', ...many });
  service.sign('2', 'Bo 1', true);
  await service.tick();
  expect(frames).toEqual([]);
});

const userOfTest = (id: string) => ({ id, name: id, rev: 0 });
