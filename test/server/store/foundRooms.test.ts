import { expect, test, vi } from 'vitest';
import { foundAmong } from '../../../server/store/foundRooms.ts';

const roomsWith = (descriptions: string[]) =>
  descriptions.map((description, n) => ({
    id: `${n}`,
    name: 'a room',
    activeAt: n,
    about: { upTo: 1, description },
  }));

/** How many texts are normalized by a search of these rooms. */
function normalizedBy(rooms: ReturnType<typeof roomsWith>): number {
  const normalize = vi.spyOn(String.prototype, 'normalize');
  try {
    foundAmong(rooms, 'nowhere', 20, 200);
    return normalize.mock.calls.length;
  } finally {
    normalize.mockRestore();
  }
}

test('a text is normalized once for many searches, and what is kept of that is bounded', () => {
  const rooms = roomsWith(Array.from({ length: 200 }, (_, n) => `${n} ${'\ufdfa'.repeat(290)}`));
  expect(normalizedBy(rooms)).toBeGreaterThan(0);
  expect(normalizedBy(rooms)).toBe(0);
  expect(foundAmong(rooms, '199 ', 20, 200).rooms.map(({ id }) => id)).toEqual(['199']);
  for (let n = 0; n < 3; n++)
    normalizedBy(roomsWith(Array.from({ length: 200 }, (_, i) => `${n}.${i} ${'\ufdfa'.repeat(290)}`)));
  expect(normalizedBy(rooms)).toBeGreaterThan(0);
});
