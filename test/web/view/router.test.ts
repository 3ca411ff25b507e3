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

test('so has an invitation, by its token or its code', () => {
  for (const id of ['Mk9zD3-hQe6cX1bY0aVt7w', 'K7Q-M4P'])
    expect(routeOf(hashOf({ tag: 'join', id }))).toEqual({ tag: 'join', id });
});
