import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDayHandler } from '../../../server/feed/dayHandler.ts';
import { firstSince } from '../../../server/rooms/timeInLog.ts';
import { append, join, text } from '../../contract/support.ts';
import { type ApiClient, connectClient, newId, signUp } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { seeded } from '../../support/random.ts';

let server: RunningApp;
beforeAll(async () => {
  server = await startApp();
});
afterAll(() => server.stop());

const logOf = (times: readonly number[]) => {
  const asked: number[] = [];
  return {
    asked,
    timesAt: async (points: readonly { serverOffset: number }[]) => {
      asked.push(points.length);
      return points.map(({ serverOffset }) => times[serverOffset - 1]);
    },
  };
};

test('the first entry since a time is found in any log, whatever has the same time', async () => {
  const random = seeded(1);
  for (let run = 0; run < 300; run++) {
    let at = 0;
    const times = Array.from({ length: random.int(0, 200) }, () => {
      at += random.int(0, 2);
      return at;
    });
    const time = random.int(0, at + 2);
    const index = times.findIndex((one) => one >= time);
    const found = await firstSince(logOf(times), 'room', times.length, time);
    expect(found).toBe(index < 0 ? times.length + 1 : index + 1);
  }
});

test('among a million entries it takes four reads of at most 32 times', async () => {
  const times = Array.from({ length: 1_000_000 }, (_, i) => i);
  for (const time of [0, 1, 499_999, 765_432, 999_999, 1_000_001]) {
    const log = logOf(times);
    expect(await firstSince(log, 'room', times.length, time)).toBe(Math.min(time, 1_000_000) + 1);
    expect(log.asked.length).toBeLessThanOrEqual(4);
    expect(Math.max(...log.asked)).toBeLessThanOrEqual(32);
  }
});

test('a log that cannot be read is unavailable, and no answer', async () => {
  const log = {
    heads: async () => new Map(),
    timesAt: async () => [],
    messageFrom: async () => 1,
  };
  const day = createDayHandler({ log, access: { refusalOf: async () => undefined } });
  const user = { id: newId(), name: 'Ada', rev: 0 };
  await expect(day(user, { room: newId(), from: 1, to: 2 })).rejects.toThrow('cannot be read');
});

test('the first message of a time: not a join, not a deleted one, nothing of another time; to members alone', async () => {
  const [ada, eve] = (await Promise.all(
    ['Ada', 'Eve'].map(async (name) => connectClient(server.url, await signUp(server.url, name))),
  )) as [ApiClient, ApiClient];
  const room = newId();
  await ada.makeRoom({ id: room, kind: 'private', name: 'Ward' });
  const me = ada.session.user.id;
  const start = Date.now() + 1_000_000;
  await append(server.store, [text(room, me, 'early')], start); // 2
  await append(server.store, [join(room, newId()), text(room, me, 'noon')], start + 1_000); // 3, 4
  await append(server.store, [text(room, me, 'late')], start + 2_000); // 5
  await append(server.store, [join(room, newId())], start + 3_000); // 6
  const first = async (from: number, to: number, client = ada) => {
    const answer = await client.request('day', { room, from: start + from, to: start + to });
    return answer.ok ? answer.serverOffset : answer.error.code;
  };
  expect(await first(0, 1)).toBe(2);
  expect(await first(1, 5_000)).toBe(4);
  expect(await first(1_001, 2_000)).toBeUndefined();
  expect(await first(2_000, 2_001)).toBe(5);
  expect(await first(2_001, 5_000)).toBeUndefined();
  expect(await first(-900_000, -800_000)).toBeUndefined();
  expect(await first(5, 5)).toBe('invalid');
  expect(await first(0, 1, eve)).toBe('not-found');
  for (const client of [ada, eve]) client.close();
});
