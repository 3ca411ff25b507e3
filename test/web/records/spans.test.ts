import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cover,
  cursorOf,
  holeAbove,
  holeBelow,
  knownUpTo,
  missingRange,
  type Span,
  spanAt,
  staleIn,
} from '../../../web/records/spans.ts';
import { runsOf } from '../../support/runs.ts';

const span = (from: number, to: number, amendedTo = to): Span => ({ from, to, amendedTo });

describe('cover', () => {
  const cases: [string, Span[], Span, boolean, Span[] | undefined][] = [
    ['the first entries of a room', [], span(1, 3), false, [span(1, 3)]],
    ['what follows the cursor', [span(1, 3)], span(4, 5), false, [span(1, 5)]],
    ['a frame that comes twice', [span(1, 5)], span(4, 5), false, [span(1, 5)]],
    ['a frame that overlaps', [span(1, 5)], span(4, 7), false, [span(1, 7)]],
    ['a live frame that leaves a hole', [span(1, 3)], span(5, 6), false, undefined],
    ['a live frame where nothing is held', [], span(5, 6), false, undefined],
    ['catch-up beyond a hole', [span(1, 3)], span(50, 60), true, [span(1, 3), span(50, 60)]],
    ['a range that fills a hole', [span(1, 3, 3), span(6, 9)], span(4, 5, 9), false, [span(1, 9)]],
    ['a range in the middle of a hole', [span(1, 3), span(9, 9)], span(5, 6, 9), false, undefined],
    [
      'what reaches below the newest',
      [span(1, 3), span(9, 12)],
      span(7, 8, 12),
      false,
      [span(1, 3), span(7, 12)],
    ],
  ];
  test.each(cases)('S1 %s', (_, spans, run, opens, expected) => {
    expect(cover(spans, run, opens)).toEqual(expected);
  });

  test('S3 a joined span has the lower `amendedTo` of its parts', () => {
    expect(cover([span(1, 10, 40)], span(11, 12, 12), false)).toEqual([span(1, 12, 12)]);
    expect(cover([span(1, 10, 10)], span(11, 12, 40), false)).toEqual([span(1, 12, 12)]);
    expect(cover([span(1, 10, 30)], span(11, 12, 40), false)).toEqual([span(1, 12, 30)]);
    expect(cover([span(5, 10, 30)], span(5, 10, 40), false)).toEqual([span(5, 10, 40)]);
    expect(cover([span(5, 10, 30)], span(7, 8, 8), false)).toEqual([span(5, 10, 30)]);
    expect(cover([span(5, 10, 30)], span(3, 12, 35), false)).toEqual([span(3, 12, 35)]);
  });
});

test('S1 after any frames the spans cover exactly the stored entries, and neither touch nor overlap', () => {
  const frame = fc.record({
    from: fc.integer({ min: 1, max: 40 }),
    length: fc.integer({ min: 1, max: 8 }),
    opens: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 40 }), (frames) => {
      let spans: Span[] = [];
      const held = new Set<number>();
      for (const { from, length, opens } of frames) {
        const run = span(from, from + length - 1);
        const after = cover(spans, run, opens);
        if (!after) continue;
        spans = after;
        for (let offset = run.from; offset <= run.to; offset++) held.add(offset);
      }
      for (let offset = 1; offset <= 60; offset++) {
        expect(spanAt(spans, offset) !== undefined).toBe(held.has(offset));
      }
      spans.forEach((each, i) => {
        expect(each.from).toBeGreaterThan(i === 0 ? 0 : spans[i - 1]!.to + 1);
        expect(each.amendedTo).toBeGreaterThanOrEqual(each.to);
      });
      expect(cursorOf(spans)).toBe(Math.max(0, ...held));
    }),
    { seed: 4, numRuns: runsOf('spans that are covered') },
  );
});

test('holes below and above', () => {
  const spans = [span(5, 9), span(20, 30)];
  expect(holeBelow(spans, 20)).toEqual({ from: 10, to: 19 });
  expect(holeBelow(spans, 5)).toEqual({ from: 1, to: 4 });
  expect(holeBelow([span(1, 4)], 1)).toBeUndefined();
  expect(holeAbove(spans, 9)).toEqual({ from: 10, to: 19 });
  expect(holeAbove(spans, 30)).toBeUndefined();
});

test('S3 few missing entries are requested from the cursor on, many from the newest end', () => {
  expect(missingRange(10, 10, 100)).toBeUndefined();
  expect(missingRange(10, 12, 200)).toEqual({ from: 11, to: 210 });
  expect(missingRange(10, 210, 20)).toEqual({ from: 11, to: 30 });
  expect(missingRange(10, 5_000, 200)).toEqual({ from: 4_951, to: 5_050 });
  expect(missingRange(10, 5_000, 20)).toEqual({ from: 4_981, to: 5_020 });
});

test('S3 amendments are known only as far as there is no hole', () => {
  const spans = [
    { from: 1, to: 10, amendedTo: 30 },
    { from: 21, to: 40, amendedTo: 60 },
    { from: 51, to: 60, amendedTo: 60 },
  ];
  expect([10, 20, 30, 40, 49, 50, 60].map((to) => knownUpTo(spans, to))).toEqual([
    10, 40, 40, 40, 49, 60, 60,
  ]);
  const seen = { from: 5, to: 55 };
  expect(staleIn(spans, [], seen)).toEqual([{ from: 5, to: 10 }]);
  expect(staleIn(spans, [{ from: 6, to: 7, amendedTo: 60 }], seen)).toEqual([
    { from: 5, to: 5 },
    { from: 8, to: 10 },
  ]);
  expect(staleIn(spans, [{ from: 1, to: 10, amendedTo: 45 }], seen)).toEqual([{ from: 5, to: 10 }]);
  expect(staleIn(spans, [{ from: 1, to: 10, amendedTo: 50 }], seen)).toEqual([]);
});
