/** Who has read what: between real sockets and a real server, and what one room costs, with fakes. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  READERS_EVERY_MS,
  READERS_SHOWN_CHANGES,
  STORED_OF_USER,
} from '../../../server/base/serverLimits.ts';
import { createLimiter } from '../../../server/limits/limiter.ts';
import { createReaderService } from '../../../server/rooms/readerService.ts';
import { directRoomOf } from '../../../shared/directPair.ts';
import { STORED_ROOMS } from '../../../shared/limits.ts';
import type { Frame } from '../../../shared/protocol/index.ts';
import { type ApiClient, connectClient, newId, signUp, text } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { waitFor } from '../../support/waitFor.ts';

let server: RunningApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

let names = 0;
const join = async () => connectClient(server.url, await signUp(server.url, `person ${names++}`));
const told = ({ frames }: ApiClient) =>
  frames.flatMap(({ event, payload }) => (event === 'readers' ? [payload as Frame<'readers'>] : []));

test('a member gets the markers and names of all members, and is told what changes; nobody else is', async () => {
  using ada = await join();
  using bo = await join();
  using stranger = await join();
  const [me, you] = [ada.session.user, bo.session.user];
  const room = newId();
  await ada.makeRoom({ id: room, kind: 'private', name: 'a room' });
  expect(await ada.request('readers', { room })).toMatchObject({
    ok: true,
    readers: { [me.id]: 1 },
    users: { [me.id]: { name: me.name } },
  });
  const open = newId();
  await ada.makeRoom({ id: open, kind: 'public', name: 'another room' });
  await bo.request('room:join', { room: open, clientOffset: newId() });
  await ada.append(text('read this', open));
  await bo.hears('read this', open);
  await bo.request('read', { room: open, upTo: 3 });
  await waitFor('ada is told', () => told(ada).length > 0);
  expect(told(ada)).toEqual([{ room: open, readers: { [you.id]: 3 } }]);
  expect(await ada.request('readers', { room: open })).toMatchObject({
    readers: { [me.id]: 1, [you.id]: 3 },
    users: { [me.id]: { name: me.name }, [you.id]: { name: you.name } },
  });
  expect(await bo.request('readers', { room })).toMatchObject({ ok: false, error: { code: 'not-found' } });
  expect(await stranger.request('readers', { room: open })).toMatchObject({ error: { code: 'forbidden' } });
  expect(told(stranger)).toEqual([]);
});

test('who hides what they have read is not in the markers of others, and sees theirs no more, until they show it again', async () => {
  using ada = await join();
  using bo = await join();
  using cy = await join();
  const [me, you, third] = [ada, bo, cy].map(({ session }) => session.user.id) as [string, string, string];
  const room = newId();
  await ada.makeRoom({ id: room, kind: 'public', name: 'a room' });
  for (const one of [bo, cy]) await one.request('room:join', { room, clientOffset: newId() });
  await ada.append(text('read this', room), text('and this', room));
  await bo.hears('and this', room);
  using second = await connectClient(server.url, bo.session);
  const framesAt = (client: ApiClient) => told(client).filter((frame) => frame.room === room);
  const read = (client: ApiClient, upTo: number) => client.request('read', { room, upTo });

  expect(await bo.request('readers:show', {})).toMatchObject({ shown: true });
  expect(await bo.request('readers:show', { show: false })).toMatchObject({ shown: false });
  expect(await second.request('readers:show', {})).toMatchObject({ shown: false });
  await waitFor('the others ask again', () => framesAt(ada).some(({ again }) => again));
  for (const device of [bo, second])
    await waitFor('own devices ask again', () =>
      device.frames.some(({ event, payload }) => event === 'presence' && 'again' in (payload as object)),
    );
  await read(bo, 4);
  await read(cy, 5);
  await waitFor('ada is told of the third', () => framesAt(ada).some(({ readers }) => readers[third] === 5));
  expect(framesAt(ada).some(({ readers }) => you in readers)).toBe(false);
  expect(await ada.request('readers', { room })).toMatchObject({
    readers: { [me]: 1, [you]: 0, [third]: 5 },
    hiding: [you],
  });
  for (const device of [bo, second]) {
    expect(await device.request('readers', { room })).toMatchObject({ readers: {}, hidden: true });
    expect(framesAt(device).some(({ readers }) => third in readers)).toBe(false);
  }
  using later = await connectClient(server.url, bo.session); // a device that connects while it is hidden
  await read(ada, 5);
  await waitFor('the third is told of ada', () => framesAt(cy).some(({ readers }) => readers[me] === 5));
  expect(framesAt(later)).toEqual([]);

  expect(await second.request('readers:show', { show: true })).toMatchObject({ shown: true });
  expect(await ada.request('readers', { room })).toMatchObject({ readers: { [you]: 4 } });
  expect(await ada.request('readers', { room })).not.toHaveProperty('hiding');
  await read(bo, 5);
  await waitFor('ada is told again', () => framesAt(ada).some(({ readers }) => readers[you] === 5));
  await waitFor('bo, too', () => framesAt(bo).some(({ readers }) => readers[you] === 5));
});

test('it can be changed so often, then a while later', async () => {
  using ada = await join();
  for (let n = 0; n < READERS_SHOWN_CHANGES.burst; n++)
    expect(await ada.request('readers:show', { show: n % 2 === 0 })).toMatchObject({ ok: true });
  expect(await ada.request('readers:show', { show: true })).toMatchObject({
    ok: false,
    error: { code: 'rate-limited', retryAfter: expect.any(Number) },
  });
});

test('whom a message has reached is known once a device has said that it is stored, of nobody who hides it', async () => {
  using ada = await join();
  using bo = await join();
  using cy = await join();
  using stranger = await join();
  const [me, you, third] = [ada, bo, cy].map(({ session }) => session.user.id) as [string, string, string];
  const room = newId();
  await ada.makeRoom({ id: room, kind: 'public', name: 'a room' });
  for (const one of [bo, cy]) await one.request('room:join', { room, clientOffset: newId() });
  await ada.append(text('four', room), text('five', room));
  const reached = async (message: number, by = ada) => {
    const answer = await by.request('reached', { room, message });
    return answer.ok ? answer.by?.toSorted() : answer.error.code;
  };
  const stored = (by: ApiClient, from: number, to: number) =>
    by.request('stored', { rooms: { [room]: [from, to] } });
  await bo.hears('five', room); // which is no proof that it is stored
  expect(await reached(4)).toEqual([]);
  expect(await stored(bo, 4, 4)).toMatchObject({ ok: true });
  expect([await reached(3), await reached(4), await reached(5)]).toEqual([[], [you], []]);
  await stored(bo, 5, 9); // the log has five
  expect([await reached(5), await reached(6)]).toEqual([[you], []]);
  for (const client of [cy, ada]) await stored(client, 1, 5);
  expect(await reached(4)).toEqual([me, you, third].toSorted());
  await stored(stranger, 1, 5);
  expect(await reached(4, stranger)).toBe('forbidden');
  expect(await reached(4)).toEqual([me, you, third].toSorted());

  await bo.request('readers:show', { show: false });
  await cy.request('presence:show', { show: false });
  expect(await reached(4)).toEqual([me]);
  expect(await reached(4, bo)).toBeUndefined();
});

test('whoever is blocked sees of the other one what was known before, as of somebody who reads no more', async () => {
  using ada = await join();
  using bo = await join();
  const [me, you] = [ada.session.user.id, bo.session.user.id];
  const room = directRoomOf(me, you);
  await ada.append(text('one', room));
  await bo.append(text('two', room));
  await ada.hears('two', room);
  const tell = (by: ApiClient, upTo: number) => [
    by.request('read', { room, upTo }),
    by.request('stored', { rooms: { [room]: [1, upTo] } }),
  ];
  await Promise.all([...tell(ada, 2), ...tell(bo, 2)]);
  const seen = async (by: ApiClient, message: number) => {
    const [readers, reached] = [
      await by.request('readers', { room }),
      await by.request('reached', { room, message }),
    ];
    return [readers.ok && readers.readers, reached.ok && reached.by?.toSorted()];
  };
  await waitFor('both see it', () =>
    [ada, bo].every((one) => told(one).some((frame) => frame.room === room)),
  );
  const before = await seen(bo, 2);
  expect(before).toEqual([{ [me]: 2, [you]: 2 }, [me, you].toSorted()]);
  expect(await seen(bo, 3)).toEqual([before[0], []]);

  await ada.request('room:choose', { room, blocked: true, ago: 0 });
  expect(await seen(bo, 2)).toEqual(before);
  await bo.append(text('three', room));
  await ada.hears('three', room);
  const frames = told(bo).length;
  await Promise.all([...tell(ada, 3), ...tell(bo, 3)]);
  await waitFor('bo is told of the own mark', () => told(bo).length > frames);
  expect(told(bo).slice(frames)).toEqual([{ room, readers: { [you]: 3 } }]);
  expect(await seen(bo, 2)).toEqual([{ [me]: 2, [you]: 3 }, [me, you].toSorted()]);
  expect(await seen(bo, 3)).toEqual([{ [me]: 2, [you]: 3 }, [you]]);
  expect(await seen(ada, 3)).toEqual([{ [me]: 3, [you]: 2 }, [me]]);

  await ada.request('room:choose', { room, blocked: false, ago: 0 });
  expect(await seen(bo, 3)).toEqual([{ [me]: 3, [you]: 3 }, [me, you].toSorted()]);
});

function bench(isSmall: () => boolean, members = 2) {
  const frames: Frame<'readers'>[] = [];
  const asked = vi.fn();
  const service = createReaderService({
    store: {
      async readers(_, limit) {
        asked();
        return Array.from({ length: Math.min(limit, members) }, (_, i) => ({ user: `user ${i}`, upTo: i }));
      },
      ofUsers: async () => new Map(),
      reach: async () => {},
      reached: async () => new Map(),
    },
    names: { ofUsers: async (ids) => Object.fromEntries(ids.map((id) => [id, { name: id, rev: 0 }])) },
    log: { heads: async () => new Map(), timesAt: async () => [] },
    access: { refusalOf: async () => undefined, isMember: async () => true },
    direct: { shownUntil: async () => Number.POSITIVE_INFINITY },
    smallRooms: { isSmall: async () => isSmall() },
    tell: (frame) => frames.push(frame),
    settings: { of: async () => new Map(), hideReads: async () => {} },
    setHiding: () => {},
    changes: createLimiter({ perSecond: 1, burst: 1, now: () => performance.now() }),
    reports: createLimiter({ ...STORED_OF_USER, now: () => 0 }),
  });
  return { service, frames, asked };
}

test('fifty members who read on within a second are one frame, with the greatest marker of each', async () => {
  vi.useFakeTimers();
  try {
    const { service, frames } = bench(() => true);
    for (const upTo of [5, 7, 6])
      for (let n = 0; n < 50; n++) service.raised({ room: 'a', user: `user ${n}`, upTo });
    service.raised({ room: 'b', user: 'user 1', upTo: 1 });
    expect(frames).toEqual([]);
    await vi.advanceTimersByTimeAsync(READERS_EVERY_MS);
    expect(frames.map(({ room, readers }) => [room, Object.keys(readers).length, readers['user 1']])).toEqual(
      [
        ['a', 50, 7],
        ['b', 1, 1],
      ],
    );
    await vi.advanceTimersByTimeAsync(10 * READERS_EVERY_MS);
    expect(frames).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});

test('in a room with more than 50 members nobody is told anything, and no row is read', async () => {
  vi.useFakeTimers();
  try {
    const { service, frames, asked } = bench(() => false, 51);
    service.raised({ room: 'a', user: 'user 1', upTo: 1 });
    await vi.advanceTimersByTimeAsync(READERS_EVERY_MS);
    expect(frames).toEqual([]);
    const user = { id: 'user 1', name: 'user 1', rev: 0 };
    expect(await service.readers(user, { room: 'a' })).toEqual({ readers: {}, users: {} });
    expect(asked).not.toHaveBeenCalled();
    const behind = bench(() => true, 51); // the number of members is behind
    expect(await behind.service.readers(user, { room: 'a' })).toEqual({ readers: {}, users: {} });
  } finally {
    vi.useRealTimers();
  }
});

test('what is stored is told of as many rooms as a few devices have; further ones wait, and a client tells them again', async () => {
  const { service } = bench(() => true);
  const tell = (id: string) => {
    const rooms = Object.fromEntries(
      Array.from({ length: STORED_ROOMS }, (_, n) => [`${n}`, [1, 1] as [number, number]]),
    );
    return service.stored({ id, name: id, rev: 0 }, { rooms });
  };
  for (let n = 0; n < STORED_OF_USER.burst / STORED_ROOMS; n++) await tell('ada');
  await expect(tell('ada')).rejects.toMatchObject({
    code: 'rate-limited',
    retryAfter: (STORED_ROOMS / STORED_OF_USER.perSecond) * 1_000,
  });
  await tell('bo');
});
