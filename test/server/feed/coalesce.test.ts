import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FRAME_COALESCE_MS, FRAMES_BURST } from '../../../server/base/serverLimits.ts';
import { createCoalescer } from '../../../server/feed/coalesce.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function frames() {
  const sent: number[][] = [];
  const send = createCoalescer<number>(async (items) => void sent.push(items), Date.now);
  return { sent, send };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test('when little is said, nothing waits: not even what comes close together', async () => {
  const { sent, send } = frames();
  const said = Array.from({ length: FRAMES_BURST }, (_, i) => i);
  for (const item of said) send([item]);
  await pass(0);
  expect(sent).toEqual(said.map((item) => [item]));
});

test('under load what comes within 15 ms goes out as one frame', async () => {
  const { sent, send } = frames();
  for (let ms = 0; ms < 1_500; ms++) {
    send([ms]);
    await pass(1);
  }
  await pass(FRAME_COALESCE_MS);
  expect(sent.flat()).toEqual(Array.from({ length: 1_500 }, (_, i) => i));
  expect(sent.length).toBeLessThanOrEqual(FRAMES_BURST + 1_500 / FRAME_COALESCE_MS + 1);
  expect(Math.max(...sent.map((frame) => frame.length))).toBeLessThanOrEqual(FRAME_COALESCE_MS + 1);
});

test('after a while in which less was said, nothing waits again', async () => {
  const { sent, send } = frames();
  for (let i = 0; i < 2 * FRAMES_BURST; i++) send([i]);
  await pass(FRAME_COALESCE_MS * (FRAMES_BURST + 1));
  const before = sent.length;
  send([-1]);
  await pass(0);
  expect(sent.slice(before)).toEqual([[-1]]);
});

test('L2 frames leave one at a time and in order, however long one takes', async () => {
  const started: number[][] = [];
  const finish: (() => void)[] = [];
  const send = createCoalescer<number>((items) => {
    started.push(items);
    return new Promise((resolve) => finish.push(resolve));
  }, Date.now);
  for (const item of [1, 2, 3]) send([item]);
  await pass(1_000);
  expect(started).toEqual([[1]]);
  finish[0]!();
  await pass(0);
  expect(started).toEqual([[1], [2]]);
});
