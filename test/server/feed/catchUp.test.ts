import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger } from '../../../server/base/logger.ts';
import { createCatchUp } from '../../../server/feed/catchUp.ts';
import { pieces } from '../../../server/feed/catchUpPlan.ts';
import type { Feed } from '../../../server/feed/feed.ts';
import { createNames } from '../../../server/feed/names.ts';
import type { Recipient } from '../../../server/feed/recipient.ts';
import type { Store } from '../../../server/store/port.ts';
import { jsonBytes } from '../../../server/store/storedEntries.ts';
import type { Entry } from '../../../shared/entry.ts';
import { CATCH_UP_FRAME_BYTES, CATCH_UP_POLLED_BYTES } from '../../../shared/limits.ts';
import type { Entries, Room, Welcome } from '../../../shared/protocol/index.ts';
import { createSerial } from '../../../shared/serial.ts';

test('S2 pieces hold all items in order, and only a single item may exceed the limit', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 })), (sizes) => {
      const all = pieces(sizes, (size) => size - 1, 50);
      expect(all.flat()).toEqual(sizes);
      for (const [i, piece] of all.entries()) {
        const sum = piece.reduce((a, b) => a + b, 0);
        if (piece.length > 1) expect(sum).toBeLessThanOrEqual(50);
        const next = all[i + 1];
        if (next) expect(sum + next[0]!).toBeGreaterThan(50);
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});

test.each([
  ['entries that the client lacks', 200, 200],
  ['entries that were committed during the read', 0, 200],
])('S2 S4 a catch-up is sent in contiguous frames of at most 32 KiB: %s', async (_, head, live) => {
  const { frames, queries } = await caughtUp({ transport: 'websocket', head, live });
  expect(frames.length).toBeGreaterThan(10);
  expect(offsetsIn(frames)).toEqual(LOG.map(({ serverOffset }) => serverOffset));
  for (const { entries, users } of frames) {
    expect(jsonBytes(entries)).toBeLessThanOrEqual(CATCH_UP_FRAME_BYTES);
    for (const { author } of entries) expect(users[author]).toEqual({ name: `name of ${author}`, rev: 0 });
  }
  expect(queries).toHaveLength(1);
});

test('S3 S4 over long polling, where a catch-up is one response, it has the newest 64 KiB', async () => {
  const { frames } = await caughtUp({ transport: 'polling', head: LOG.length, live: LOG.length });
  const offsets = offsetsIn(frames);
  expect(offsets).toEqual(LOG.slice(-offsets.length).map(({ serverOffset }) => serverOffset));
  const bytes = frames.reduce((sum, { entries }) => sum + jsonBytes(entries), 0);
  expect(bytes).toBeGreaterThan(0.9 * CATCH_UP_POLLED_BYTES);
  expect(bytes).toBeLessThanOrEqual(CATCH_UP_POLLED_BYTES);
});

test('who joined or left between the read of the room and its head counts among the members: the client counts only later entries', async () => {
  const log = ['text', 'join', 'leave', 'join'].map(
    (kind, i) => ({ ...LOG[i]!, kind, ...(kind === 'text' ? {} : { body: undefined }) }) as unknown as Entry,
  );
  const { rooms } = await caughtUp({ transport: 'websocket', head: 1, ahead: 4, live: 4, log });
  expect(rooms).toMatchObject([{ head: 4, members: 2 }]);
});

const silent = createLogger('silent');
const LOG = Array.from({ length: 200 }, (_, i): Entry => {
  const author = `author-${i % 3}`;
  return { serverOffset: i + 1, author, clientOffset: `${i}`, at: i, kind: 'text', body: 'ä'.repeat(1_000) };
});

function offsetsIn(frames: readonly Entries[]): number[] {
  return frames.flatMap(({ entries }) => entries.map(({ serverOffset }) => serverOffset));
}

/**
 * The frames for a client without a cursor. The log's head is `head` where the room is read, `ahead` where the tail stands then, and
 * `live` when the welcome is sent.
 */
async function caughtUp({
  transport,
  head,
  live,
  ahead = head,
  log = LOG,
}: {
  transport: string;
  head: number;
  live: number;
  ahead?: number;
  log?: readonly Entry[];
}) {
  const queries: string[][] = [];
  const names = createNames({
    async names(ids) {
      queries.push([...ids]);
      return new Map(ids.map((id) => [id, { name: `name of ${id}`, rev: 0 }]));
    },
    changedSince: async () => [],
    latestRev: async () => 0,
  });
  await names.of(LOG);
  let next = ahead + 1;
  const feed = {
    host: () => ({
      opening: async () => 'open',
      next: () => next,
      recent: (from: number, to: number) => log.slice(from - 1, to),
      isMemoryTight: () => false,
    }),
    clientJoined: () => {},
  } as unknown as Feed;
  const room = { id: 'r', kind: 'public', name: 'R', head, members: 1 };
  const store = {
    epoch: 'one',
    log: { messageAt: async () => undefined },
    users: { latestRev: async () => 0 },
    rooms: { ofUser: async () => [{ room, readUpTo: 0 }] },
  } as unknown as Store;
  const frames: Entries[] = [];
  let rooms: readonly Room[] = [];
  const recipient: Recipient = {
    identity: {
      device: 'd',
      user: { id: 'u', name: 'U', rev: 0 },
      hasPassword: false,
      hasRecoveryCode: false,
    },
    handshake: undefined,
    onlyOpenRoom: false,
    readsDirect: true,
    pendingCursors: new Map(),
    retryTimers: new Map(),
    sentHeads: new Map(),
    inOrder: createSerial(),
    isConnected: () => true,
    isPolling: () => transport === 'polling',
    isIn: () => false,
    emit(name, payload) {
      if (name === 'welcome') {
        next = live + 1;
        ({ rooms } = payload as Welcome);
      }
      if (name === 'entries') frames.push(payload as Entries);
    },
    join() {},
  };
  await createCatchUp({ store, feed, names, features: () => [], logger: silent, now: () => 1 }).welcome(
    recipient,
    async () => true,
  );
  return { frames, queries, rooms };
}
