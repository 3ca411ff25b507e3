import { describe, expect, test } from 'vitest';
import {
  WINDOW_MAX_LINES,
  WINDOW_SMALL_STEP_LINES,
  WINDOW_STEP_LINES,
} from '../../../web/records/pageLimits.ts';
import { nearEnd, nearStart, stepAt } from '../../../web/view/menu/useLoading.ts';
import { firstInView, isAtEnd } from '../../../web/view/parts/logGeometry.ts';
import { newestOf } from '../../../web/view/parts/newestOf.ts';
import {
  distanceOf,
  firstUnread,
  followBy,
  openingPlace,
  placeAfterScroll,
  type ReadingPlace,
} from '../../../web/view/readingPlace.ts';
import { conversationOf, message } from '../../support/fakeClient.ts';

const sizes = (scrollTop: number) => ({ scrollTop, scrollHeight: 5000, clientHeight: 500 });
const anchor = { key: 'a', offset: -3 };

describe('the reading place', () => {
  test.each<[string, ReadingPlace, number, boolean, ReadingPlace]>([
    ['at the end it is `newest`', { tag: 'among', anchor }, 4500, true, { tag: 'newest' }],
    [
      'some pixels before the end it is `newest`, too',
      { tag: 'among', anchor },
      4460,
      true,
      { tag: 'newest' },
    ],
    [
      'at the end of an older window it is not',
      { tag: 'among', anchor },
      4500,
      false,
      { tag: 'among', anchor },
    ],
    ['a scroll up leaves `newest`', { tag: 'newest' }, 3000, true, { tag: 'among', anchor }],
    [
      'our own scroll does not end `leaving-for-newest`',
      { tag: 'leaving-for-newest' },
      3000,
      false,
      { tag: 'leaving-for-newest' },
    ],
    ['having arrived, it is `newest`', { tag: 'leaving-for-newest' }, 4500, true, { tag: 'newest' }],
  ])('%s', (_, before, scrollTop, atNewest, after) => {
    expect(placeAfterScroll(before, sizes(scrollTop), atNewest, anchor)).toEqual(after);
  });

  test('the top line is the first line that is partly in view', () => {
    const bottoms = [100, 200, 300, 400];
    const at = (top: number) => firstInView(bottoms.length, (i) => bottoms[i]!, top);
    expect([at(-10), at(0), at(100), at(150), at(399), at(400)]).toEqual([0, 0, 1, 1, 3, undefined]);
    expect(firstInView(0, () => 0, 0)).toBeUndefined();
  });

  test('more is loaded before an end is reached', () => {
    for (const isFull of [false, true]) {
      const near = (top: number) => [nearStart(sizes(top), isFull), nearEnd(sizes(top), isFull)];
      expect([0, 749, 750].map(near)).toEqual([
        [true, false],
        [true, false],
        [false, false],
      ]);
      expect([4500, 3751, 3750].map(near)).toEqual([
        [false, true],
        [false, true],
        [false, false],
      ]);
    }
    expect([isAtEnd(sizes(4452)), isAtEnd(sizes(4451))]).toEqual([true, false]);
  });

  test('the window moves by few lines while its end is more than a view away, and by more when it is near', () => {
    const steps = [749, 501, 500, 0, -200].map((outOfViewPx) => stepAt(outOfViewPx, sizes(0)));
    const [few, more] = [WINDOW_SMALL_STEP_LINES, WINDOW_STEP_LINES];
    expect(steps).toEqual([few, few, more, more, more]);
  });

  test('in a high view, with short lines, a full window is not near its other end after a step', () => {
    const [scrollHeight, stepPx] = [WINDOW_MAX_LINES * 40, WINDOW_STEP_LINES * 40];
    for (let clientHeight = 300; clientHeight <= scrollHeight - 3 * stepPx; clientHeight += 100)
      for (let scrollTop = 0; scrollTop <= scrollHeight - clientHeight; scrollTop += 10) {
        const after = { scrollHeight, clientHeight, scrollTop: scrollTop + stepPx };
        if (nearStart({ scrollHeight, clientHeight, scrollTop }, true))
          expect(nearEnd(after, true)).toBe(false);
      }
  });

  test('the distance is `far` from afar, or if the window is not at the newest', () => {
    const among: ReadingPlace = { tag: 'among', anchor };
    expect(distanceOf({ tag: 'newest' }, sizes(4500), true)).toBe('here');
    expect(distanceOf(among, sizes(4400), true)).toBe('near');
    expect(distanceOf(among, sizes(4000), true)).toBe('far');
    expect(distanceOf(among, sizes(4500), false)).toBe('far');
  });

  test('the first unread message is another’s, after the read marker, not deleted, and none may be hidden before it', () => {
    const at = (serverOffset: number, of: Partial<Parameters<typeof message>[0]> = {}) =>
      message({ author: 'Mika', at: 0, serverOffset, ...of });
    const messages = [
      at(7),
      at(8, { mine: true }),
      at(9, { content: { tag: 'deleted' } }),
      at(20),
      message({ author: 'Ada', mine: true, at: 0, status: { tag: 'queued' } }),
    ];
    const first = (readUpTo: number, change = {}) =>
      firstUnread(conversationOf(messages, change), readUpTo)?.serverOffset;
    expect([6, 7, 19, 20, Number.POSITIVE_INFINITY].map((readUpTo) => first(readUpTo))).toEqual([
      7,
      20,
      20,
      undefined,
      undefined,
    ]);
    expect(first(6, { completeFrom: 7 })).toBe(7);
    expect(first(5, { completeFrom: 7 })).toBeUndefined();
    const gaps = [{ tag: 'gap', from: 10, to: 19 }];
    expect([6, 7, 19].map((readUpTo) => first(readUpTo, { gaps }))).toEqual([7, undefined, 20]);
    expect([newestOf(messages), newestOf([])]).toEqual([20, 0]);
  });

  test('a log opens where it was left, else at the first unread message, else above the gap that may hold it, else at the end', () => {
    const messages = [7, 8, 20].map((serverOffset) => message({ author: 'Mika', at: 0, serverOffset }));
    const [one, two, three] = messages.map(({ key }) => key);
    const place = (readUpTo: number, change = {}) =>
      openingPlace(conversationOf(messages, change), readUpTo, 100);
    const left = { key: three!, serverOffset: 20, px: -5 };
    const gaps = [{ tag: 'gap', from: 9, to: 19 }];
    const among = (key: string, offset: number) => ({ tag: 'among', anchor: { key, offset } });
    expect(place(7, { opening: { left } })).toEqual(among(three!, -5));
    expect(place(7, { opening: { left: { ...left, key: 'gone' } } })).toEqual(among(two!, 100));
    expect(place(6)).toEqual(among(one!, 100));
    expect(place(8, { gaps })).toEqual(among(two!, 50));
    expect(place(20, { gaps })).toEqual({ tag: 'newest' });
    expect(place(Number.POSITIVE_INFINITY)).toEqual({ tag: 'newest' });
  });

  test('the end is followed only as far as the first unread message stays in view, and never upwards', () => {
    expect(followBy(300, undefined, 100)).toBe(300);
    expect([500, 350, 100, -40].map((unreadPx) => followBy(300, unreadPx, 100))).toEqual([300, 250, 0, 0]);
  });
});
