import { describe, expect, test } from 'vitest';
import {
  distanceOf,
  firstInView,
  isAtEnd,
  nearEnd,
  nearStart,
  placeAfterScroll,
  type ReadingPlace,
} from '../../../web/view/readingPlace.ts';
import { newestOf, othersAfter } from '../../../web/view/useReadingPlace.ts';

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
    expect([nearStart(sizes(0)), nearStart(sizes(749)), nearStart(sizes(750))]).toEqual([true, true, false]);
    expect([nearEnd(sizes(4500)), nearEnd(sizes(3751)), nearEnd(sizes(3750))]).toEqual([true, true, false]);
    expect([isAtEnd(sizes(4452)), isAtEnd(sizes(4451))]).toEqual([true, false]);
  });

  test('the distance is `far` from afar, or if the window is not at the newest', () => {
    const among: ReadingPlace = { tag: 'among', anchor };
    expect(distanceOf({ tag: 'newest' }, sizes(4500), true)).toBe('here');
    expect(distanceOf(among, sizes(4400), true)).toBe('near');
    expect(distanceOf(among, sizes(4000), true)).toBe('far');
    expect(distanceOf(among, sizes(4500), false)).toBe('far');
  });

  test('unseen counts messages of others after the last seen entry, even if that entry has left the window', () => {
    const messages = [7, 8, 9, undefined].map((serverOffset) => ({ serverOffset, mine: serverOffset === 9 }));
    expect([6, 7, 8].map((lastSeen) => othersAfter(messages, lastSeen))).toEqual([2, 1, 0]);
    expect([newestOf(messages), newestOf([])]).toEqual([9, 0]);
  });
});
