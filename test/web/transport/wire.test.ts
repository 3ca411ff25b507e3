import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readFrame } from '../../../web/transport/socket.ts';
import { mint } from '../state/modelServer.ts';
import { userOf, welcomeOf } from '../welcome.ts';

beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => void vi.restoreAllMocks());

const [one, two, me, lin] = [mint(), mint(), mint(), mint()];
const room = (id: string) => ({
  id,
  kind: 'public' as const,
  name: 'r',
  head: 1,
  from: 1,
  readUpTo: 0,
  members: 2,
});
const welcome = (more: object) => ({ ...welcomeOf(userOf(me, 'Mika'), [room(one)]), ...more });

test('S2 an unreadable room of a welcome counts as failed; the others are used', () => {
  const payload = welcome({ rooms: [{ ...room(two), head: -1 }, room(one), 7, { id: '?' }] });
  expect(readFrame('welcome', payload)).toMatchObject({
    payload: { rooms: [{ id: one }], failed: [{ id: two, error: { code: 'unreadable' } }] },
  });
});

test('S2 an unreadable name, failed room or head does not affect the others', () => {
  const users = {
    [me]: { name: 'Mika', rev: 1, pronouns: 'they' },
    [lin]: { name: 7 },
    nobody: { name: 'x' },
  };
  const failed = [{ id: one }, { id: two, error: { code: 'unavailable', message: '' } }];
  expect(readFrame('welcome', welcome({ users, failed }))).toMatchObject({
    payload: { users: { [me]: { name: 'Mika', rev: 1, pronouns: 'they' } }, failed: [{ id: two }] },
  });
  expect(readFrame('heads', { [one]: 3, [two]: 'many', '?': 1 })).toEqual({
    event: 'heads',
    payload: { [one]: 3 },
  });
});

test('S2 a `room` frame with an unreadable room says that it failed; without an id the frame is dropped', () => {
  expect(readFrame('room', { room: { ...room(one), kind: 'of a later version' } })).toMatchObject({
    payload: { failed: { id: one, error: { code: 'unreadable' } } },
  });
  expect(readFrame('room', { room: { kind: 'public' } })).toBeUndefined();
  expect(readFrame('room', { room: room(one) })).toMatchObject({ payload: { room: { id: one } } });
  expect(readFrame('room', { removed: one })).toMatchObject({ payload: { removed: one } });
  expect(readFrame('welcome', welcome({ epoch: 7 }))).toBeUndefined();
  expect(readFrame('welcome', null)).toBeUndefined();
});

test('frames of a server of version 0.1, with fewer fields, are accepted', () => {
  const {
    features: _,
    failed: __,
    users: ___,
    usersUpTo: ____,
    ...old
  } = welcome({ user: { id: me, name: 'Mika' } });
  expect(readFrame('welcome', old)).toMatchObject({
    payload: { user: { rev: 0 }, features: [], failed: [], users: {}, usersUpTo: 0 },
  });
  const entries = { room: one, entries: [], users: { [lin]: 'Lin' } };
  expect(readFrame('entries', entries)).toMatchObject({
    payload: { users: { [lin]: { name: 'Lin', rev: 0 } } },
  });
});
