import { expect, test } from 'vitest';
import { createAccess } from '../../../server/rooms/access.ts';
import type { StoredRoom } from '../../../server/store/port.ts';

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
      byId: async (id) => (id === 'public' ? ({ kind: 'public' } as StoredRoom) : undefined),
    },
    isTailOpen: () => state.isTailOpen,
  });
  return { access, rows, state };
}

test('a yes is remembered until a leave is heard; a no is asked again every time', async () => {
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

test('a join that is heard counts at once, though its row follows later', async () => {
  const { access, state } = scene();
  access.joined('r', 'ada');
  expect(await access.isMember('r', 'ada')).toBe(true);
  expect(state.questions).toBe(0);
});

test('a row that lags behind a leave is not remembered as a yes', async () => {
  const { access, rows } = scene();
  rows.add('r ada');
  access.left('r', 'ada');
  expect(await access.isMember('r', 'ada')).toBe(true);
  rows.delete('r ada');
  expect(await access.isMember('r', 'ada')).toBe(false);
});

test('a leave that is heard while the row is asked for is not undone by the answer', async () => {
  const { access, rows } = scene();
  rows.add('r ada');
  const asked = access.isMember('r', 'ada');
  access.left('r', 'ada');
  await asked;
  rows.delete('r ada');
  expect(await access.isMember('r', 'ada')).toBe(false);
});

test('after a gap nothing remembered counts, nor an answer that was under way', async () => {
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

test('while leaves are not heard, the rows are asked', async () => {
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

test('who is no member is told of a public room, and of no other', async () => {
  const { access } = scene();
  expect((await access.refusalOf('public', 'ada'))?.code).toBe('forbidden');
  expect((await access.refusalOf('private', 'ada'))?.code).toBe('not-found');
});
