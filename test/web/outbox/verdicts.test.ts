import { describe, expect, test } from 'vitest';
import { judgeAnswer } from '../../../web/outbox/appendBatch.ts';
import { key, ROOM } from './support.ts';

const [a, b, c] = [key('a'), key('b'), key('c')];
const sentTo = (...keys: string[]) => keys.map((clientOffset) => ({ room: ROOM, clientOffset }));
const error = (code: string, retryAfter?: number) => ({
  code,
  message: code,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});
const refusal = (code: string, retryAfter?: number) =>
  ({ ok: false, error: error(code, retryAfter) }) as const;
const ok = { ok: true, epoch: 'e' } as const;

describe('a whole request refused', () => {
  test.each([
    ['unavailable', 'put-off', { tag: 'pause', ms: undefined }],
    ['internal', 'uncertain', { tag: 'pause', ms: undefined }],
    ['some-later-code', 'uncertain', { tag: 'pause', ms: undefined }],
    ['unauthorized', 'put-off', { tag: 'stop', why: 'auth' }],
    ['upgrade-required', 'put-off', { tag: 'stop', why: 'upgrade' }],
    ['too-large', 'refused', { tag: 'on' }],
    ['conflict', 'refused', { tag: 'on' }],
  ])('of one item: %s', (code, type, next) => {
    const judged = judgeAnswer(sentTo(a), refusal(code));
    expect(judged.verdicts).toMatchObject([{ clientOffset: a, type }]);
    expect(judged.next).toEqual(next);
  });

  test('of several items, one of them at fault: sent one at a time, and none is refused yet', () => {
    for (const code of ['invalid', 'internal']) {
      const { verdicts, next } = judgeAnswer(sentTo(a, b), refusal(code));
      expect(verdicts.map(({ type }) => type)).toEqual(['put-off', 'put-off']);
      expect(next).toEqual({ tag: 'single' });
    }
  });

  test('pauses for as long as the server ordered', () => {
    expect(judgeAnswer(sentTo(a, b), refusal('rate-limited', 700)).next).toEqual({ tag: 'pause', ms: 700 });
  });
});

describe('results', () => {
  test('L5 a refused item holds up nothing', () => {
    const { verdicts, next } = judgeAnswer(sentTo(a, b, c), {
      ...ok,
      results: [
        { clientOffset: a, serverOffset: 7, at: 70 },
        { clientOffset: b, error: error('forbidden') },
        { clientOffset: c, serverOffset: 8, at: 80 },
      ],
    });
    expect(verdicts.map(({ type }) => type)).toEqual(['acknowledged', 'refused', 'acknowledged']);
    expect(next).toEqual({ tag: 'on' });
  });

  test('the items after the one at which the server stopped are put off', () => {
    const answer = {
      ...ok,
      results: [{ clientOffset: a, serverOffset: 7, at: 70 }],
      stopped: error('unavailable', 900),
    };
    const { verdicts, next } = judgeAnswer(sentTo(a, b, c), answer);
    expect(verdicts.map(({ type }) => type)).toEqual(['acknowledged', 'put-off', 'put-off']);
    expect(next).toEqual({ tag: 'pause', ms: 900 });
  });

  test('an unknown error at which the server stopped counts against that item only', () => {
    const { verdicts } = judgeAnswer(sentTo(a, b), { ...ok, results: [], stopped: error('internal') });
    expect(verdicts.map(({ type }) => type)).toEqual(['uncertain', 'put-off']);
  });

  test('L4 results of other items acknowledge nothing', () => {
    const { verdicts } = judgeAnswer(sentTo(a), {
      ...ok,
      results: [{ clientOffset: b, serverOffset: 7, at: 70 }],
    });
    expect(verdicts).toMatchObject([{ clientOffset: a, type: 'uncertain' }]);
  });
});
