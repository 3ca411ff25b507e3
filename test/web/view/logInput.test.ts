import { describe, expect, test } from 'vitest';
import {
  lastInView,
  NO_PRESS,
  type Press,
  type PressEvent,
  press,
  stepTo,
} from '../../../web/view/menu/useLogInput.ts';

describe('a long press', () => {
  const down: PressEvent = { type: 'down', key: 'a', at: { x: 50, y: 50 } };
  const move = (x: number, y: number): PressEvent => ({ type: 'move', at: { x, y } });
  const time: PressEvent = { type: 'time' };
  const end: PressEvent = { type: 'end' };
  test.each<[string, PressEvent[], Press['tag']]>([
    ['is a finger that rests long enough', [down, time], 'long'],
    ['may tremble', [down, move(56, 44), move(50, 60), time], 'long'],
    ['is none before that', [down], 'resting'],
    ['is none when the finger moves away', [down, move(50, 61), time], 'none'],
    ['also if it comes back', [down, move(70, 50), move(50, 50), time], 'none'],
    ['is none after it was lifted or scrolled', [down, end, time], 'none'],
    ['stays one while the finger moves over the menu', [down, time, move(200, 200)], 'long'],
    ['is over when the finger is lifted', [down, time, end], 'none'],
    ['starts again with the next finger', [down, time, end, down, time], 'long'],
    ['is none by the timer alone', [time], 'none'],
  ])('%s', (_, events, tag) => {
    expect(events.reduce(press, NO_PRESS).tag).toBe(tag);
  });
});

test.each<[string, number | undefined, number | undefined]>([
  ['ArrowUp', undefined, 7], // the last one in view
  ['ArrowDown', undefined, 7],
  ['ArrowUp', 5, 4],
  ['ArrowDown', 5, 6],
  ['ArrowUp', 0, 0],
  ['ArrowDown', 19, 19],
  ['PageUp', 15, 5],
  ['PageUp', 3, 0],
  ['PageDown', 15, 19],
  ['PageDown', undefined, undefined], // the log scrolls
  ['Home', 15, 0],
  ['End', 3, 19],
  ['a', 3, undefined],
])('%s on message %s leads to %s', (key, from, to) => {
  expect(stepTo(key, from, 7, 20)).toBe(to);
  expect(stepTo(key, from, -1, 0)).toBeUndefined();
});

test('the last message in view is found without measuring each of them, wherever the reader is', () => {
  let measured = 0;
  const at = (bottom: number) => ({
    getBoundingClientRect: () => {
      measured++;
      return { bottom };
    },
  });
  const messages = Array.from({ length: 150 }, (_, i) => at(50 * (i + 1)) as unknown as HTMLElement);
  const lastAt = (bottom: number) => lastInView(at(bottom) as unknown as HTMLElement, messages);
  expect([lastAt(20), lastAt(50), lastAt(99), lastAt(7_499), lastAt(9_000)]).toEqual([-1, 0, 1, 149, 149]);
  expect(measured).toBeLessThan(50);
  expect(lastInView(at(100) as unknown as HTMLElement, [])).toBe(-1);
});
