import { expect, test } from 'vitest';
import { createHeadOf } from '../../../server/feed/heads.ts';
import { Unavailable } from '../../../server/store/port.ts';

test('500 rooms that are asked for in one turn are one question', async () => {
  const questions: (readonly string[])[] = [];
  const headOf = createHeadOf({
    heads: async (rooms) => {
      questions.push(rooms);
      return new Map(rooms.map((room) => [room, Number(room)]));
    },
  });
  const rooms = Array.from({ length: 500 }, (_, i) => String(i));
  const first = Promise.all(rooms.map(headOf));
  expect(await first).toEqual(rooms.map(Number));
  expect(await headOf('7')).toBe(7);
  expect(questions).toEqual([rooms, ['7']]);
});

test('a question that fails fails for those who asked it, and the next is another', async () => {
  let failures = 1;
  const headOf = createHeadOf({
    heads: async (rooms) => {
      if (failures-- > 0) throw new Unavailable('away');
      return new Map(rooms.map((room) => [room, 3]));
    },
  });
  const asked = await Promise.allSettled([headOf('a'), headOf('b')]);
  expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await headOf('a')).toBe(3);
});
