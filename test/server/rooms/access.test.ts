import { expect, test } from 'vitest';
import { createAccess } from '../../../server/rooms/access.ts';
import type { RoomRecord } from '../../../server/store/port.ts';

/** Rows of members that change when the test says so, whatever was heard. */
function scene() {
  const rows = new Set<string>();
  const state = { isTailOpen: true, questions: 0 };
  const access = createAccess({
    rooms: {
      isMember: async (room, user) => {
        state.questions++;
        return rows.has(`${room} ${user}`);
      },
      exits: async () => new Map(),
      byId: async (id) => (id === 'public' ? ({ kind: 'public' } as RoomRecord) : undefined),
    },
    isTailOpen: () => state.isTailOpen,
  });
  return { access, rows, state };
}

test('a membership is cached until a leave is delivered; "not a member" is not cached', async () => {
  const { access, rows, state } = scene();
  expect(await access.isMember('r', 'ada')).toBe(false);
  rows.add('r ada');
  expect(await access.isMember('r', 'ada')).toBe(true);
  expect(await access.isMember('r', 'ada')).toBe(true);
  expect(state.questions).toBe(2);
  rows.delete('r ada');
  access.left('r', 'ada');
  expect(await access.isMember('r', 'ada')).toBe(false);
});

test('a delivered join counts at once, although its row follows later', async () => {
  const { access, state } = scene();
  access.joined('r', 'ada');
  expect(await access.isMember('r', 'ada')).toBe(true);
  expect(state.questions).toBe(0);
});

test('a row that is stale after a leave is not cached', async () => {
  const { access, rows } = scene();
  rows.add('r ada');
  access.left('r', 'ada');
  expect(await access.isMember('r', 'ada')).toBe(true);
  rows.delete('r ada');
  expect(await access.isMember('r', 'ada')).toBe(false);
});

test('a leave that is delivered during the query is not undone by its result', async () => {
  const { access, rows } = scene();
  rows.add('r ada');
  const asked = access.isMember('r', 'ada');
  access.left('r', 'ada');
  await asked;
  rows.delete('r ada');
  expect(await access.isMember('r', 'ada')).toBe(false);
});

test('after a gap the cache is cleared, and a query in flight is not cached', async () => {
  const { access, rows } = scene();
  rows.add('r ada').add('r bo');
  await access.isMember('r', 'ada');
  const asked = access.isMember('r', 'bo');
  access.clear();
  await asked;
  rows.clear();
  expect(await access.isMember('r', 'ada')).toBe(false);
  expect(await access.isMember('r', 'bo')).toBe(false);
});

test('while the tail is down, the cache is not used', async () => {
  const { access, rows, state } = scene();
  access.joined('r', 'ada');
  state.isTailOpen = false;
  expect(await access.isMember('r', 'ada')).toBe(false);
  rows.add('r ada');
  expect(await access.isMember('r', 'ada')).toBe(true);
  state.isTailOpen = true;
  const before = state.questions;
  expect(await access.isMember('r', 'ada')).toBe(true);
  expect(state.questions).toBe(before);
});

test('a user who is not a member learns of public rooms only', async () => {
  const { access } = scene();
  expect((await access.refusalOf('public', 'ada'))?.code).toBe('forbidden');
  expect((await access.refusalOf('private', 'ada'))?.code).toBe('not-found');
});
