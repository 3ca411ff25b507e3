import { expect, test } from 'vitest';
import { hashOf, placeOf } from '../../../web/view/router.ts';

test.each(['', '#', '#/', '#/room/', '#/room/a b', '#/room/<b>', '#/other'])(
  '%j is the list of rooms',
  (hash) => {
    expect(placeOf(hash)).toEqual({ tag: 'rooms' });
  },
);

test('a room has an address of its own', () => {
  const place = { tag: 'room', id: 'AAAAAAAAAAAAAAAA-_AAAA' } as const;
  expect(placeOf(hashOf(place))).toEqual(place);
  expect(hashOf({ tag: 'room', id: 'lobby' })).toBe('#/room/lobby');
  expect(placeOf(hashOf({ tag: 'rooms' }))).toEqual({ tag: 'rooms' });
});
