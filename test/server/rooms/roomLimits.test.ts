import { expect, test } from 'vitest';
import { RefusedError } from '../../../server/base/refusal.ts';
import { createLimiter } from '../../../server/limits/limiter.ts';
import { createRoomLimits, refusalOfRejoin } from '../../../server/rooms/roomLimits.ts';
import {
  CATCH_UP_ROOM_ENTRIES,
  MEMBERSHIPS_MAX,
  REJOINS_PER_DAY,
  REJOINS_PER_MINUTE_AND_ROOM,
  ROOMS_CREATED_PER_DAY,
} from '../../../shared/limits.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOW = 100 * DAY_MS;
const [BURST, ADDRESS_BURST] = [3, 2];

/** Limits over counts that the test sets. The clock of the rates stands still, but for what `later` adds. */
function scene() {
  const state = { memberships: 0, created: 0, asked: [] as unknown[], refusals: [] as string[], clock: 0 };
  const items = createLimiter({ perSecond: 1, burst: BURST, now: () => state.clock });
  const limits = createRoomLimits({
    store: {
      countOf: async () => state.memberships,
      async countCreated(user, since) {
        state.asked.push([user, since]);
        return state.created;
      },
      async leaves(room, after) {
        state.asked.push([room, after]);
        return [];
      },
    },
    items,
    creations: createLimiter({ perSecond: 1 / 60, burst: ADDRESS_BURST, now: () => state.clock }),
    onRefusal: (limit) => void state.refusals.push(limit),
    now: () => NOW,
  });
  return { state, items, limits };
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'allowed',
    (error: unknown) => (error instanceof RefusedError ? error.code : error),
  );

test('a user may create so many rooms within 24 hours; then it is forbidden, since a minute does not mend it', async () => {
  const { state, limits } = scene();
  state.created = ROOMS_CREATED_PER_DAY - 1;
  expect(await codeOf(limits.checkCreation('ada', 'here'))).toBe('allowed');
  state.created = ROOMS_CREATED_PER_DAY;
  expect(await codeOf(limits.checkCreation('ada', 'here'))).toBe('forbidden');
  expect(state.asked).toEqual(Array(2).fill(['ada', NOW - DAY_MS]));
  expect(state.refusals).toEqual(['rooms-created']);
});

test('who is in as many rooms as a handshake can name can neither create nor join another one', async () => {
  const { state, limits } = scene();
  state.memberships = MEMBERSHIPS_MAX - 1;
  expect(await codeOf(limits.checkJoin('ada', 'room', 9))).toBe('allowed');
  state.memberships = MEMBERSHIPS_MAX;
  expect(await codeOf(limits.checkJoin('ada', 'room', 9))).toBe('forbidden');
  expect(await codeOf(limits.checkCreation('ada', 'here'))).toBe('forbidden');
  expect(state.refusals).toEqual(['memberships', 'memberships']);
});

test('the users of one address share a rate of creations; the first room of each within a day is always possible', async () => {
  const { state, limits } = scene();
  state.created = 1;
  for (let n = 0; n < ADDRESS_BURST; n++)
    expect(await codeOf(limits.checkCreation(`user ${n}`, 'ward'))).toBe('allowed');
  await expect(limits.checkCreation('mallory', 'ward')).rejects.toMatchObject({
    code: 'rate-limited',
    retryAfter: MINUTE_MS,
  });
  expect(await codeOf(limits.checkCreation('mallory', 'elsewhere'))).toBe('allowed');
  state.created = 0;
  expect(await codeOf(limits.checkCreation('ada', 'ward'))).toBe('allowed');
});

test('a join reads only as many entries of the room as a catch-up may have', async () => {
  const { state, limits } = scene();
  await limits.checkJoin('ada', 'room', 10_000);
  expect(state.asked).toEqual([['room', 10_000 - CATCH_UP_ROOM_ENTRIES]]);
});

test('what the server writes takes a token of the item rate; a repeat and a failure give it back', async () => {
  const { limits, items } = scene();
  await limits.charged('ada', async () => 'repeat');
  await limits.charged('ada', async () => Promise.reject(new Error('away'))).catch(() => {});
  expect(items.take('ada', BURST)).toBe(0);
  items.giveBack('ada', BURST);
  for (let n = 0; n < BURST; n++) await limits.charged('ada', async () => 'appended');
  let written = false;
  const beyond = limits.charged('ada', async () => {
    written = true;
    return 'appended';
  });
  await expect(beyond).rejects.toMatchObject({ code: 'rate-limited', retryAfter: 1_000 });
  expect(written).toBe(false);
});

test('a token that comes within the next moment is waited for: a person joins a room while the outbox is sent', async () => {
  let clock = 0;
  const items = createLimiter({ perSecond: 50, burst: 1, now: () => clock });
  const limits = createRoomLimits({
    store: { countOf: async () => 0, countCreated: async () => 0, leaves: async () => [] },
    items,
    creations: items,
    onRefusal: () => {},
    now: () => NOW,
  });
  await limits.charged('ada', async () => 'appended');
  const waiting = limits.charged('ada', async () => 'appended');
  clock = 20;
  expect(await waiting).toBe('appended');
});

const left = (user: string, ago: number) => ({ user, at: NOW - ago });

test('a user may come back to a room so often within a day', () => {
  const leaves = (count: number) =>
    Array.from({ length: count }, (_, n) => left('ada', (count - n) * 2 * MINUTE_MS));
  expect(refusalOfRejoin(leaves(REJOINS_PER_DAY), 'ada', NOW)).toBeUndefined();
  expect(refusalOfRejoin(leaves(REJOINS_PER_DAY + 1), 'ada', NOW)?.code).toBe('forbidden');
  expect(refusalOfRejoin(leaves(REJOINS_PER_DAY + 1), 'bo', NOW)).toBeUndefined();
  const yesterday = leaves(50).map(({ user, at }) => ({ user, at: at - DAY_MS }));
  expect(refusalOfRejoin(yesterday, 'ada', NOW)).toBeUndefined();
});

test('where many leave and come back within a minute, those who come back wait, and newcomers do not', () => {
  const many = Array.from({ length: REJOINS_PER_MINUTE_AND_ROOM }, (_, n) => left(`user ${n}`, 50_000 - n));
  expect(refusalOfRejoin(many, 'user 3', NOW)).toMatchObject({ code: 'rate-limited', retryAfter: 10_000 });
  expect(refusalOfRejoin(many, 'newcomer', NOW)).toBeUndefined();
  expect(refusalOfRejoin(many.slice(1), 'user 3', NOW)).toBeUndefined();
  expect(refusalOfRejoin(many, 'user 3', NOW + 10_000)).toBeUndefined();
});
