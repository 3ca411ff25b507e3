import { expect, test } from 'vitest';
import { hashOf, routeOf } from '../../../web/view/parts/router.ts';

test.each(['', '#', '#/', '#/room/', '#/room/a b', '#/room/<b>', '#/other'])(
  '%j is the list of rooms',
  (hash) => {
    expect(routeOf(hash)).toEqual({ tag: 'rooms' });
  },
);

test('a room has its own hash', () => {
  const route = { tag: 'room', id: 'AAAAAAAAAAAAAAAA-_AAAA' } as const;
  expect(routeOf(hashOf(route))).toEqual(route);
  expect(hashOf({ tag: 'room', id: 'lobby' })).toBe('#/room/lobby');
  expect(routeOf(hashOf({ tag: 'rooms' }))).toEqual({ tag: 'rooms' });
});

test('so has a message of a room, by its serverOffset; anything else behind a room is no route', () => {
  for (const id of ['lobby', 'AAAAAAAAAAAAAAAAAAAAAA~AAAAAAAAAAAAAAAA-_AAAA']) {
    expect(hashOf({ tag: 'room', id, at: 17 })).toBe(`#/room/${id}/17`);
    expect(routeOf(`#/room/${id}/17`)).toEqual({ tag: 'room', id, at: 17 });
  }
  for (const hash of [
    '#/room/lobby/',
    '#/room/lobby/-1',
    '#/room/lobby/1e3',
    '#/room/lobby/9999999999999999',
  ])
    expect(routeOf(hash)).toEqual({ tag: 'rooms' });
});

test('so has an invitation, by its token or its code', () => {
  for (const id of ['Mk9zD3-hQe6cX1bY0aVt7w', 'K7Q-M4P'])
    expect(routeOf(hashOf({ tag: 'join', id }))).toEqual({ tag: 'join', id });
});
