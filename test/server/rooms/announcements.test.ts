/** The cache of which rooms are for announcements. */
import { expect, test } from 'vitest';
import { createAnnouncements } from '../../../server/rooms/announcements.ts';
import type { Entry } from '../../../shared/entry.ts';

const change = (announcements: boolean) => ({ kind: 'about', announcements }) as unknown as Entry;

function withRow() {
  const state = { isOpen: true, row: false, reads: 0, during: () => {} };
  const announcements = createAnnouncements({
    rooms: {
      async about() {
        state.reads++;
        const { row } = state;
        state.during();
        return { upTo: 1, announcements: row };
      },
    },
    isTailOpen: () => state.isOpen,
    now: () => 0,
  });
  return { state, announcements };
}

test('a room is read once; a change that is delivered holds without a read, though the row may follow later', async () => {
  const { state, announcements } = withRow();
  expect([await announcements.isFor('deck'), await announcements.isFor('deck')]).toEqual([false, false]);
  expect(state.reads).toBe(1);
  announcements.changed('deck', change(true));
  expect(await announcements.isFor('deck')).toBe(true);
  expect(state.reads).toBe(1);
});

test('what is read while a change is delivered is not kept; nothing is used while the tail is closed, or after a gap', async () => {
  const { state, announcements } = withRow();
  state.during = () => {
    state.during = () => {};
    announcements.changed('deck', change(true));
  };
  await announcements.isFor('deck');
  expect(await announcements.isFor('deck')).toBe(true);
  state.isOpen = false;
  expect(await announcements.isFor('deck')).toBe(false);
  state.isOpen = true;
  announcements.clear();
  expect(await announcements.isFor('deck')).toBe(false);
});
