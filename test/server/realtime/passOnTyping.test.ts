/** Signs of typing, between real sockets and a real server; and whom they are passed on for, with a fake socket and clock. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TYPING_SIGNS } from '../../../server/base/serverLimits.ts';
import { createPassOnTyping } from '../../../server/realtime/passOnTyping.ts';
import type { LiveSocket } from '../../../server/realtime/socketRecipient.ts';
import { createSmallRooms } from '../../../server/rooms/smallRooms.ts';
import { type RoomRecord, Unavailable } from '../../../server/store/port.ts';
import { TYPING_MAX_MEMBERS } from '../../../shared/limits.ts';
import { LOBBY } from '../../../shared/mint.ts';
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
const signs = ({ frames }: ApiClient) =>
  frames.flatMap(({ event, payload }) => (event === 'typing' ? [payload] : []));

/** All that the client has sent before is handled, and its frames have arrived at the other. */
async function settled(from: ApiClient, to: ApiClient) {
  const body = newId();
  await from.append(text(body));
  await to.hears(body);
}

/** A room of the first client, which the others join. */
async function roomOf(owner: ApiClient, ...others: ApiClient[]) {
  const room = newId();
  await owner.makeRoom({ id: room, kind: 'public', name: 'a room' });
  for (const one of others) await one.request('room:join', { room, clientOffset: newId() });
  const all = [owner, ...others];
  await waitFor('all are in', () => all.every((one) => one.heard(room).length === all.length));
  return room;
}

/** Sends the sign until it arrives: one that comes while another frame is being written is lost. */
async function sign(from: ApiClient, to: ApiClient, room: string, typing: boolean) {
  const before = signs(to).length;
  let turn = 0;
  await waitFor(`the sign ${typing}`, () => {
    if (turn++ % 50 === 0) from.socket.emit('typing', { room, typing });
    return signs(to).length > before;
  });
  return signs(to).at(-1);
}

test('a sign of typing reaches the other members who are connected, and nobody else', async () => {
  using ada = await join();
  using also = await connectClient(server.url, ada.session);
  using bo = await join();
  using stranger = await join();
  const room = await roomOf(ada, bo);
  const user = ada.session.user.id;
  expect(await sign(ada, bo, room, true)).toEqual({ room, user, typing: true });
  expect(await sign(ada, bo, room, false)).toEqual({ room, user, typing: false });
  await settled(ada, stranger);
  expect([ada, also, stranger].flatMap(signs)).toEqual([]);
});

test('a sign is not replayed: whoever connects later does not get it, and nothing of it is in the log', async () => {
  using ada = await join();
  using bo = await join();
  const room = await roomOf(ada, bo);
  await sign(ada, bo, room, true);
  using again = await connectClient(server.url, bo.session);
  await settled(ada, again);
  expect(signs(again)).toEqual([]);
  expect(again.heard(room).map(({ kind }) => kind)).toEqual(['create', 'join']);
});

test('a sign in a room of which one is no member any more, or that is no sign, reaches nobody', async () => {
  using ada = await join();
  using bo = await join();
  const room = await roomOf(bo, ada);
  await ada.request('room:leave', { room, clientOffset: newId() });
  await waitFor('ada is out', () =>
    ada.frames.some(({ event, payload }) => event === 'room' && 'removed' in Object(payload)),
  );
  for (const payload of [{ room, typing: true }, { room: LOBBY }, { room: LOBBY, typing: 'yes' }, null, 7]) {
    ada.socket.emit('typing', payload);
    await settled(ada, bo);
  }
  ada.socket.emit('typing', { room: LOBBY, typing: true, more: 'a'.repeat(1_000) }); // too long to be parsed
  await settled(ada, bo);
  ada.socket.emit('typing');
  await settled(ada, bo);
  expect(signs(bo)).toEqual([]);
  expect(await sign(ada, bo, LOBBY, true)).toMatchObject({ room: LOBBY }); // and the connection works on
});

const ROOM = 'A'.repeat(22);

/** A typist, the clock, and what is passed on. */
function bench({ members = 2 }: { members?: number } = {}) {
  const state = { members, now: 0, reads: 0, isAway: false, passed: [] as unknown[] };
  const smallRooms = createSmallRooms({
    now: () => state.now,
    rooms: {
      async byId() {
        state.reads++;
        if (state.isAway) throw new Unavailable('away');
        return { members: state.members } as RoomRecord;
      },
    },
  });
  const emit = (_: string, payload: unknown) => state.passed.push(payload);
  const socket = {
    data: { identity: { user: { id: 'ada' } }, isIn: (room: string) => room === ROOM },
    volatile: { to: () => ({ except: () => ({ emit }) }) },
  } as unknown as LiveSocket;
  const passOn = createPassOnTyping({ smallRooms, now: () => state.now });
  return { state, smallRooms, say: () => passOn(socket, { room: ROOM, typing: true }) };
}

test('signs are passed on in rooms of at most 50 members, whose number is read once until it changes', async () => {
  const { state, smallRooms, say } = bench({ members: TYPING_MAX_MEMBERS });
  await Promise.all([say(), say()]);
  expect([state.passed.length, state.reads]).toEqual([2, 1]);
  state.members++;
  smallRooms.changed(ROOM);
  await say();
  await say();
  expect([state.passed.length, state.reads]).toEqual([2, 2]);
});

test('while the store does not answer, signs are dropped, and the next one asks again', async () => {
  const { state, say } = bench();
  state.isAway = true;
  await say();
  expect(state.passed).toEqual([]);
  state.isAway = false;
  await say();
  expect(state.passed).toHaveLength(1);
});

test('of many signs at once only the first few are passed on, and later one a second', async () => {
  const { state, say } = bench();
  for (let n = 0; n < 50; n++) await say();
  expect(state.passed).toHaveLength(TYPING_SIGNS.burst);
  state.now = 2_000;
  for (let n = 0; n < 50; n++) await say();
  expect(state.passed).toHaveLength(TYPING_SIGNS.burst + 2 * TYPING_SIGNS.perSecond);
});
