/** The protocol between real sockets and a real server on a real database. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOM_LIST_PAGE } from '../../../shared/limits.ts';
import { LOBBY } from '../../../shared/mint.ts';
import type { Entries, Room } from '../../../shared/protocol/index.ts';
import { bodyOf, connectClient, creation, newId, post, signUp, text } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { waitFor } from '../../support/waitFor.ts';

let server: RunningApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

let names = 0;
const person = () => signUp(server.url, `person ${names++}`);
const join = async () => connectClient(server.url, await person());

async function roomOf(client: Awaited<ReturnType<typeof join>>, kind: 'public' | 'private' = 'public') {
  const id = newId();
  const answer = await client.makeRoom({ id, kind, name: 'a room' });
  if (!answer.ok) throw new Error(answer.error.message);
  return id;
}

const heardRooms = (client: Awaited<ReturnType<typeof join>>) =>
  client.frames.flatMap(({ event, payload }) =>
    event === 'room' ? [payload as { room?: Room; removed?: string }] : [],
  );

describe('append', () => {
  test('a message reaches every member, its author too, in one order', async () => {
    using ada = await join();
    using bo = await join();
    const answer = await ada.append(text('one'), text('two'));
    expect(answer).toMatchObject({ ok: true, results: [{ serverOffset: expect.any(Number) }, {}] });
    await bo.hears('two');
    await ada.hears('two');
    const bodies = bo.heard(LOBBY).flatMap((entry) => bodyOf(entry) ?? []);
    expect(bodies.slice(-2)).toEqual(['one', 'two']);
  });

  test('L3 a repeat has the result of the first append, over the same transport or another', async () => {
    using ada = await join();
    const item = text('once');
    const first = await ada.append(item);
    const again = await ada.append(item, item);
    const byHttp = await post(
      server.url,
      '/api/append',
      { as: ada.session.user.id, items: [item] },
      bearer(ada),
    );
    expect(first.ok && again.ok && again.results).toEqual(first.ok && [first.results[0], first.results[0]]);
    expect((await byHttp.json()).results).toEqual(first.ok && first.results);
    await ada.hears('once');
    const marker = text('after it');
    await ada.append(marker);
    await ada.hears('after it');
    expect(ada.heard(LOBBY).filter((entry) => entry.clientOffset === item.clientOffset)).toHaveLength(1);
  });

  test('L3 the key comes first: a repeat is answered after its author left, and after its content was deleted', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    const item = text('remember me', room);
    const first = await ada.append(item);
    await ada.append({ kind: 'delete', room, clientOffset: newId(), target: item.clientOffset });
    expect(await ada.append(item)).toEqual(first);
    expect(await ada.request('room:leave', { room, clientOffset: newId() })).toMatchObject({ ok: true });
    expect(await ada.append(item)).toEqual(first);
    const changed = await ada.append({ ...item, kind: 'text', body: 'something else' });
    expect(changed).toMatchObject({ results: [{ error: { code: 'conflict' } }] });
    const another = await ada.append(text('no longer here', room));
    expect(another).toMatchObject({ results: [{ error: { code: 'forbidden' } }] });
  });

  test('L5 a bad item fails alone; the others keep their order', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    using bo = await join();
    const secret = await roomOf(bo, 'private');
    const key = newId();
    const answer = await ada.request('append', {
      as: ada.session.user.id,
      items: [
        text('first', room),
        text('x'.repeat(4001), room, key),
        text('  \n ', room),
        text('\u2800', room),
        { kind: 'edit', room, clientOffset: newId(), target: newId(), body: '\u3164\u0301' },
        text('for others', secret),
        text('nowhere', newId()),
        { kind: 'text', room, clientOffset: '__proto__', body: 'bad key' },
        { kind: 'join', room, clientOffset: newId() },
        { kind: 'edit', room, clientOffset: newId(), target: newId(), body: 'of nothing' },
        'no item at all',
        text('last', room),
      ],
    });
    expect(answer.ok && answer.results.map((r) => ('error' in r ? r.error.code : r.serverOffset))).toEqual([
      2,
      'too-large',
      'invalid',
      'invalid',
      'invalid',
      'not-found',
      'not-found',
      'invalid',
      'invalid',
      'not-found',
      'invalid',
      3,
    ]);
    expect(answer.ok && answer.results[1]).toMatchObject({ clientOffset: key });
  });

  test('bodies are normalized before they are compared or counted', async () => {
    using ada = await join();
    const item = text('  a\r\nb\ud800 ');
    const first = await ada.append(item);
    expect(await ada.append(text('a\nb\ufffd', LOBBY, item.clientOffset))).toEqual(first);
    expect(bodyOf(await ada.hears('  a\nb\ufffd'))).toBe('  a\nb\ufffd');
    const emoji = await ada.append(text(`${'👩‍🚒'.repeat(1333)}!`), text('👩‍🚒'.repeat(1334)));
    expect(emoji).toMatchObject({
      results: [{ serverOffset: expect.any(Number) }, { error: { code: 'too-large' } }],
    });
  });

  test('a text, its edit and its deletion in one request', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    const [one, two] = [text('one', room), text('two', room)];
    const answer = await ada.append(
      one,
      { kind: 'edit', room, clientOffset: newId(), target: one.clientOffset, body: 'one!' },
      two,
      { kind: 'delete', room, clientOffset: newId(), target: two.clientOffset },
    );
    expect(answer.ok && answer.results.map((r) => 'serverOffset' in r && r.serverOffset)).toEqual([
      2, 3, 4, 5,
    ]);
    const log = await ada.request('range', { room, from: 1, to: 3 });
    expect(log).toMatchObject({
      ok: true,
      head: 5,
      entries: [{ kind: 'create' }, { body: 'one' }, { kind: 'edit', target: 2 }],
    });
    const deleted = await ada.request('range', { room, from: 4, to: 4 });
    expect(deleted).toMatchObject({
      entries: [{ deleted: true }],
      amendments: [{ kind: 'delete', target: 4 }],
    });
    expect(JSON.stringify(deleted)).not.toContain('two');
  });

  test('nobody can edit or delete a message of another user', async () => {
    using ada = await join();
    using bo = await join();
    const item = text('mine');
    await ada.append(item);
    const answer = await bo.append({
      kind: 'delete',
      room: LOBBY,
      clientOffset: newId(),
      target: item.clientOffset,
    });
    expect(answer).toMatchObject({ results: [{ error: { code: 'not-found' } }] });
  });

  test.each([
    ['no items', [], 'invalid'],
    ['101 items', Array.from({ length: 101 }, () => text('x')), 'too-large'],
    ['more than 64 KiB', Array.from({ length: 20 }, () => text('x'.repeat(3900))), 'too-large'],
  ])('%s are refused as a whole', async (_, items, code) => {
    using ada = await join();
    expect(await ada.append(...items)).toMatchObject({ ok: false, error: { code } });
  });

  test('O5 items of another user are refused as a whole', async () => {
    using ada = await join();
    using bo = await join();
    const answer = await ada.request('append', { as: bo.session.user.id, items: [text('not mine')] });
    expect(answer).toMatchObject({ ok: false, error: { code: 'unauthorized' } });
  });

  test('beyond the burst the rest is rate-limited, repeats are not, and nothing is lost', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    const items = Array.from({ length: 600 }, (_, i) => text(`flood ${i}`, room));
    const answers = [];
    for (let i = 0; i < 600; i += 100) answers.push(await ada.append(...items.slice(i, i + 100)));
    const stopped = answers.find((a) => a.ok && a.stopped);
    expect(stopped).toMatchObject({ stopped: { code: 'rate-limited', retryAfter: expect.any(Number) } });
    const repeated = await ada.append(...items.slice(0, 100));
    expect(repeated.ok && repeated.results).toHaveLength(100);
  });
});

describe('rooms', () => {
  test('a room that is created or joined is sent to every device of the user with its catch-up, and removed after a leave', async () => {
    using ada = await join();
    using phone = await connectClient(server.url, ada.session);
    const room = await roomOf(ada);
    for (const device of [ada, phone]) {
      await waitFor('the room', () => heardRooms(device).some((frame) => frame.room?.id === room));
      await waitFor('its catch-up', () => device.heard(room).length === 1);
    }
    using bo = await join();
    await ada.append(text('hello', room));
    const joined = await bo.request('room:join', { room, clientOffset: newId() });
    expect(joined).toMatchObject({ ok: true, room: { id: room, name: 'a room', members: 2, readUpTo: 3 } });
    await bo.hears('hello', room);
    await ada.append(text('live', room));
    await bo.hears('live', room);
    expect(bo.heard(room).map((entry) => entry.serverOffset)).toEqual([1, 2, 3, 4]);

    await bo.request('room:leave', { room, clientOffset: newId() });
    await waitFor('removed', () => heardRooms(bo).some((frame) => frame.removed === room));
    await ada.append(text('without bo', room));
    await phone.hears('without bo', room);
    expect(bo.heard(room).some((entry) => bodyOf(entry) === 'without bo')).toBe(false);
    expect(await bo.request('range', { room, from: 1, to: 9 })).toMatchObject({
      error: { code: 'forbidden' },
    });
  });

  test('a room that is made again is the same room; with other content, or by another user, it is a conflict', async () => {
    using ada = await join();
    using bo = await join();
    const room = { id: newId(), kind: 'public' as const, name: '  Harbour  ' };
    expect(await ada.makeRoom(room)).toEqual({ ok: true, serverOffset: 1 });
    expect(await ada.makeRoom(room)).toEqual({ ok: true, serverOffset: 1 });
    const described = { room: { name: 'Harbour', kind: 'public', members: 1, head: 1 } };
    expect(await ada.request('room:get', { room: room.id })).toMatchObject(described);
    const conflict = { error: { code: 'conflict' } };
    expect(await ada.makeRoom({ ...room, name: 'Other' })).toMatchObject(conflict);
    expect(await ada.makeRoom({ ...room, clientOffset: newId() })).toMatchObject(conflict);
    expect(await bo.makeRoom(room)).toMatchObject(conflict);
    expect(await ada.request('room:roles', { room: room.id })).toMatchObject({ ok: true, own: 'owner' });
    expect(await bo.append(text('mine', room.id))).toMatchObject({
      results: [{ error: { code: 'forbidden' } }],
    });
  });

  test('one append makes a room and writes in it; where the room is refused, nothing is written', async () => {
    using ada = await join();
    using bo = await join();
    const room = { id: newId(), kind: 'private' as const, name: 'Galley' };
    const [before, first, second] = [text('in the lobby'), text('one', room.id), text('two', room.id)];
    const made = await ada.append(before, creation(room), first, second);
    expect(made).toMatchObject({
      results: [{}, { serverOffset: 1 }, { serverOffset: 2 }, { serverOffset: 3 }],
    });
    await ada.hears('two', room.id);
    expect(ada.heard(room.id).map(({ kind }) => kind)).toEqual(['create', 'text', 'text']);
    expect(await bo.append(creation(room), text('three', room.id))).toMatchObject({
      results: [{ error: { code: 'conflict' } }, { error: { code: 'not-found' } }],
    });
    const unnamed = { ...room, id: newId(), name: ' ' };
    expect(await ada.append(creation(unnamed), text('four', unnamed.id))).toMatchObject({
      results: [{ error: { code: 'invalid' } }, { error: { code: 'not-found' } }],
    });
    expect(await server.store.rooms.byId(unnamed.id)).toBeUndefined();
    expect(await server.store.log.heads([room.id])).toEqual(new Map([[room.id, 3]]));
  });

  test('who has left a private room learns nothing of it by repeating a request', async () => {
    using ada = await join();
    const [id, clientOffset] = [newId(), newId()];
    const create = { id, kind: 'private' as const, name: 'Secret' };
    await ada.makeRoom(create);
    await ada.request('room:leave', { room: id, clientOffset });
    const notFound = { ok: false, error: { code: 'not-found' } };
    expect(await ada.makeRoom(create)).toEqual({ ok: true, serverOffset: 1 });
    expect(await ada.append(text('after all', id))).toMatchObject({
      results: [notFound].map(({ error }) => ({ error })),
    });
    expect(await ada.request('room:join', { room: id, clientOffset: newId() })).toMatchObject(notFound);
    expect(await ada.request('read', { room: id, upTo: 9 })).toMatchObject(notFound);
    expect(await ada.request('range', { room: id, from: 1, to: 9 })).toMatchObject(notFound);
    const byHttp = await fetch(`${server.url}/api/rooms/${id}/entries?from=1&to=9`, { headers: bearer(ada) });
    expect(await byHttp.json()).toMatchObject(notFound);
    expect(await ada.request('room:leave', { room: id, clientOffset })).toEqual({
      ok: true,
      epoch: ada.welcome.epoch,
    });
  });

  test('a repeat by a user who has left a public room makes nobody a member', async () => {
    using ada = await join();
    const create = { id: newId(), kind: 'public' as const, name: 'Open' };
    await ada.makeRoom(create);
    await ada.request('room:leave', { room: create.id, clientOffset: newId() });
    expect(await ada.makeRoom(create)).toEqual({ ok: true, serverOffset: 1 });
    expect(await ada.request('range', { room: create.id, from: 1, to: 9 })).toMatchObject({
      error: { code: 'forbidden' },
    });
  });

  test('a link to a room: a public one is described to anybody, a private one to its members alone', async () => {
    using ada = await join();
    using bo = await join();
    const [open, secret] = [await roomOf(ada), await roomOf(ada, 'private')];
    const described = {
      ok: true,
      room: { id: open, name: 'a room', kind: 'public', members: 1, readUpTo: 0 },
    };
    expect(await bo.request('room:get', { room: open })).toMatchObject(described);
    expect(await ada.request('room:get', { room: secret })).toMatchObject({ ok: true, room: { id: secret } });
    for (const room of [secret, newId()])
      expect(await bo.request('room:get', { room })).toEqual({
        ok: false,
        error: { code: 'not-found', message: 'There is no such room.' },
      });
    expect(await bo.request('range', { room: open, from: 1, to: 1 })).toMatchObject({
      error: { code: 'forbidden' },
    });
  });

  test('public rooms are listed, private rooms cannot be found', async () => {
    using ada = await join();
    using bo = await join();
    const [open, secret] = [await roomOf(ada), await roomOf(ada, 'private')];
    const ids: string[] = [];
    let page: Awaited<ReturnType<typeof bo.request<'room:list'>>>;
    let after: string | undefined;
    do {
      page = await bo.request('room:list', after === undefined ? {} : { after });
      if (!page.ok) throw new Error(page.error.message);
      ids.push(...page.rooms.map((room) => room.id));
      after = page.next;
    } while (after !== undefined);
    expect(ids).toContain(open);
    expect(ids).toContain(LOBBY);
    expect(ids).not.toContain(secret);
    for (const room of [secret, newId()]) {
      expect(await bo.request('room:join', { room, clientOffset: newId() })).toMatchObject({
        error: { code: 'not-found' },
      });
      expect(await bo.request('range', { room, from: 1, to: 1 })).toMatchObject({
        error: { code: 'not-found' },
      });
    }
  });

  test('the list of rooms begins with the latest activity', { timeout: 120_000 }, async () => {
    await using another = await startApp();
    using ada = await connectClient(another.url, await signUp(another.url, 'Ada'));
    const ids = Array.from({ length: ROOM_LIST_PAGE + 2 }, newId);
    const hour = 60 * 60 * 1000;
    const begin = Date.now() - 200 * hour;
    await Promise.all(
      ids.map((id, n) => {
        const room = { id, kind: 'public' as const, name: `${n}`, createdBy: newId() };
        return another.store.rooms.create({ ...room, createdAt: begin + n * hour });
      }),
    );
    const [oldest] = ids as [string];
    await ada.request('room:join', { room: oldest, clientOffset: newId() });
    await ada.append(text('read', oldest));
    await ada.request('read', { room: oldest, upTo: 2 });
    const first = await ada.request('room:list', {});
    if (!first.ok) throw new Error(first.error.message);
    const second = await ada.request('room:list', { after: first.next });
    if (!second.ok) throw new Error(second.error.message);
    const listed = [...first.rooms, ...second.rooms].map(({ id }) => id);
    expect(first.rooms).toHaveLength(ROOM_LIST_PAGE);
    expect(second.next).toBeUndefined();
    expect(listed.slice(0, 2).toSorted()).toEqual([oldest, LOBBY].toSorted());
    expect(listed.slice(2)).toEqual(ids.slice(1).toReversed());
    const read = first.rooms.filter(({ readUpTo }) => readUpTo > 0);
    expect(read.map(({ id, readUpTo }) => [id, readUpTo])).toEqual(
      listed.slice(0, 2).map((id) => [id, id === oldest ? 2 : expect.any(Number)]),
    );
  });

  test('joining twice writes one entry, and the key of a text cannot be used for a join', async () => {
    using ada = await join();
    using bo = await join();
    const room = await roomOf(ada);
    const clientOffset = newId();
    await bo.request('room:join', { room, clientOffset });
    await bo.request('room:join', { room, clientOffset });
    await bo.request('room:join', { room, clientOffset: newId() });
    expect(await bo.request('range', { room, from: 1, to: 9 })).toMatchObject({ head: 2 });
    const item = text('a text', room);
    await bo.append(item);
    const mixed = await bo.request('room:join', { room, clientOffset: item.clientOffset });
    expect(mixed).toMatchObject({ error: { code: 'conflict' } });
  });

  test("the read marker only grows, and is sent to the user's other devices", async () => {
    using ada = await join();
    using phone = await connectClient(server.url, ada.session);
    const room = await roomOf(ada);
    await ada.append(text('a', room), text('b', room));
    await ada.request('read', { room, upTo: 3 });
    await ada.request('read', { room, upTo: 2 });
    await ada.request('read', { room, upTo: 99 });
    const joined = await ada.request('room:join', { room, clientOffset: newId() });
    expect(joined).toMatchObject({ room: { readUpTo: 3 } });
    const read = await waitFor(
      'read',
      () => phone.frames.filter(({ event }) => event === 'read').length === 3 && phone.frames,
    );
    expect(read.filter(({ event }) => event === 'read').map(({ payload }) => payload)).toEqual(
      [3, 3, 3].map((upTo) => ({ room, user: ada.session.user.id, upTo })),
    );
  });
});

describe('coming back', () => {
  test('S2 a catch-up begins at the cursor and repeats nothing', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    await ada.append(...[1, 2, 3, 4, 5].map((n) => text(`${n}`, room)));
    const at = await atOf(ada, room, 3);
    using back = await connectClient(server.url, ada.session, { cursors: { [room]: [3, at] }, open: room });
    await waitFor('catch-up', () => back.heard(room).length === 3);
    expect(back.heard(room).map((entry) => entry.serverOffset)).toEqual([4, 5, 6]);
    expect(back.welcome.rooms.find((r) => r.id === room)).toMatchObject({
      head: 6,
      from: 4,
      name: 'a room',
      members: 1,
    });
    expect(back.frames.map(({ event }) => event).slice(0, 2)).toEqual(['welcome', 'entries']);
    expect((back.frames[1]!.payload as { room: string }).room).toBe(room);
    const entries = back.frames[1]!.payload as Entries;
    expect(entries.users).toEqual({ [ada.session.user.id]: { name: ada.session.user.name, rev: 0 } });
  });

  test('S3 after more than 200 missed entries the newest 50 are sent', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    for (const page of [0, 1, 2])
      await ada.append(...Array.from({ length: 100 }, (_, i) => text(`${page} ${i}`, room)));
    const at = await atOf(ada, room, 1);
    using back = await connectClient(server.url, ada.session, { cursors: { [room]: [1, at] } });
    expect(back.welcome.rooms.find((r) => r.id === room)).toMatchObject({ head: 301, from: 252 });
    await waitFor('catch-up', () => back.frames.some(({ event }) => event === 'entries'));
    const first = back.frames.find(
      ({ event, payload }) => event === 'entries' && (payload as Entries).room === room,
    );
    expect((first!.payload as Entries).entries.map((entry) => entry.serverOffset)).toEqual(
      Array.from({ length: 50 }, (_, i) => 252 + i),
    );
  });

  test('a catch-up is limited to 512 KiB: further rooms have only their heads', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    const long = () => text('語'.repeat(4000), room); // 12 kB each
    for (let i = 0; i < 60; i += 5) await ada.append(...Array.from({ length: 5 }, long));
    using back = await connectClient(server.url, ada.session, { open: room });
    const mine = back.welcome.rooms.find((r) => r.id === room)!;
    expect(mine.head).toBe(61);
    expect(mine.from).toBeGreaterThan(15);
    await waitFor('catch-up', () => back.heard(room).length === 62 - mine.from);
    expect(back.welcome.rooms.find((r) => r.id === LOBBY)).toSatisfy((r: Room) => r.from === r.head + 1);
  });

  test('a cursor that does not match the log, or another epoch, resets the room', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    const at = await atOf(ada, room, 1);
    const epoch = ada.welcome.epoch;
    for (const [cursor, theirs] of [
      [[99, at], epoch],
      [[1, at + 1], epoch],
      [[1, at], newId()],
    ] as [[number, number], string][]) {
      using back = await connectClient(server.url, ada.session, {
        cursors: { [room]: cursor },
        epoch: theirs,
      });
      expect(back.welcome.rooms.find((r) => r.id === room)).toMatchObject({ reset: true, from: 1, head: 1 });
      await waitFor('catch-up', () => back.heard(room).length === 1);
    }
  });

  test('S1 S2 the cursor of a room that the user had left is used when they join again: a catch-up from there, or a reset', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    using bo = await join();
    await bo.request('room:join', { room, clientOffset: newId() });
    await ada.append(text('seen', room));
    const at = await atOf(bo, room, 3);
    await bo.request('room:leave', { room, clientOffset: newId() });
    await ada.append(text('missed', room));
    for (const [cursor, begins] of [
      [[3, at], { from: 4 }],
      [[3, at + 1], { from: 1, reset: true }],
    ] as const) {
      using back = await connectClient(server.url, bo.session, { cursors: { [room]: [...cursor] } });
      expect(back.welcome.rooms.some(({ id }) => id === room)).toBe(false);
      await back.request('room:join', { room, clientOffset: newId() });
      const described = await waitFor(
        'the room',
        () => heardRooms(back).find((frame) => frame.room?.id === room)?.room,
      );
      expect(described).toMatchObject(begins);
      await waitFor('its catch-up', () => back.heard(room).at(-1)?.serverOffset === described.head);
      expect(back.heard(room)[0]?.serverOffset).toBe(begins.from);
      await back.request('room:leave', { room, clientOffset: newId() });
    }
  });

  test('S2 while others write without pause, new sockets miss nothing between catch-up and live frames', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    using bo = await join();
    await bo.request('room:join', { room, clientOffset: newId() });
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing && n < 400; n++) await ada.append(text(`${n}`, room));
    })();
    for (let i = 0; i < 12; i++) {
      using guest = await connectClient(server.url, bo.session, { open: room });
      const from = guest.welcome.rooms.find((r) => r.id === room)!.from;
      await waitFor('live ones', () => guest.heard(room).length > 60);
      const offsets = guest.heard(room).map((entry) => entry.serverOffset);
      expect(offsets).toEqual(Array.from({ length: offsets.length }, (_, j) => from + j));
    }
    writing = false;
    await writer;
  });

  test('a range is cut to the head and to 200 entries', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    for (const _ of [1, 2, 3]) await ada.append(...Array.from({ length: 100 }, () => text('x', room)));
    expect(await ada.request('range', { room, from: 5, to: 999 })).toSatisfy(
      (a) => a.entries.length === 200 && a.head === 301,
    );
    expect(await ada.request('range', { room, from: 300, to: 999 })).toSatisfy((a) => a.entries.length === 2);
    expect(await ada.request('range', { room, from: 302, to: 302 })).toMatchObject({
      ok: true,
      entries: [],
      head: 301,
    });
    expect(await ada.request('range', { room, from: 3, to: 2 })).toMatchObject({
      error: { code: 'invalid' },
    });
    expect(await ada.request('range', { room, from: 0, to: 2 })).toMatchObject({
      error: { code: 'invalid' },
    });
    const byHttp = await fetch(`${server.url}/api/rooms/${room}/entries?from=300&to=999`, {
      headers: bearer(ada),
    });
    expect(await byHttp.json()).toEqual(await ada.request('range', { room, from: 300, to: 999 }));
  });

  test('a range has fewer entries if their edits are long, and the next range has the rest', async () => {
    using ada = await join();
    const room = await roomOf(ada);
    const texts = Array.from({ length: 60 }, () => text('short', room));
    await ada.append(...texts);
    for (let i = 0; i < texts.length; i += 5) {
      const edits = texts.slice(i, i + 5).map(({ clientOffset: target }) => ({
        kind: 'edit' as const,
        room,
        clientOffset: newId(),
        target,
        body: '語'.repeat(4000), // 12 kB each, 720 kB in all
      }));
      await ada.append(...edits);
    }
    const first = await ada.request('range', { room, from: 1, to: 61 });
    if (!first.ok) throw new Error(first.error.message);
    expect(first.entries).toHaveLength(30);
    const second = await ada.request('range', { room, from: 31, to: 61 });
    expect(second.ok && [...first.entries, ...second.entries].map((e) => e.serverOffset)).toEqual(
      Array.from({ length: 61 }, (_, i) => i + 1),
    );
    expect(second.ok && first.amendments.length + second.amendments.length).toBe(60);
  });

  test("a beat is answered at once with the server's time", async () => {
    using ada = await join();
    const beat = await ada.request('beat');
    expect(beat).toMatchObject({ ok: true, now: expect.any(Number), epoch: ada.welcome.epoch });
  });
});

const bearer = (client: { session: { token: string } }) => ({
  authorization: `Bearer ${client.session.token}`,
});

async function atOf(client: Awaited<ReturnType<typeof join>>, room: string, offset: number): Promise<number> {
  const answer = await client.request('range', { room, from: offset, to: offset });
  return answer.ok ? answer.entries[0]!.at : -1;
}
