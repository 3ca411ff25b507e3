import { expect, test } from 'vitest';
import { createCatchUpReader } from '../../../server/feed/catchUpReader.ts';
import type { Feed } from '../../../server/feed/feed.ts';
import { createRingBudget, createRoomFeed, type RoomFeed } from '../../../server/feed/roomFeed.ts';
import type { Membership, Store } from '../../../server/store/port.ts';
import type { Entry } from '../../../shared/entry.ts';

const HEAD = 1_000;
const CLIENTS = 10;
const ROOMS = Array.from({ length: 10 }, (_, n) => `room-${n}`);
const LACKED = 5;
const UNREAD = 60;

const message = (serverOffset: number): Entry => ({
  serverOffset,
  author: 'somebody',
  clientOffset: `${serverOffset}`,
  at: serverOffset,
  kind: 'text',
  body: 'a message of some length',
});

/** Everybody comes back to all rooms, each to another one first. Returns how many entries the log was asked for. */
async function everybodyComesBack(maxBytes: number): Promise<number> {
  let entriesRead = 0;
  const log = {
    async range(_: string, from: number, to: number) {
      entriesRead += to - from + 1;
      const entries = Array.from({ length: to - from + 1 }, (_, i) => message(from + i));
      return { entries, amendments: [], head: HEAD };
    },
    timesAt: async (points: { serverOffset: number }[]) => points.map(({ serverOffset }) => serverOffset),
    unread: async () => UNREAD,
    mentions: async () => [],
  };
  const budget = createRingBudget(maxBytes);
  const hosted = new Map<string, RoomFeed>();
  const host = (room: string) => {
    const feed =
      hosted.get(room) ??
      createRoomFeed({
        room,
        log: log as unknown as Store['log'],
        headOf: async () => HEAD,
        deliver: () => {},
        budget,
        pause: () => Promise.resolve(),
      });
    hosted.set(room, feed);
    return feed;
  };
  const reader = createCatchUpReader({
    store: { epoch: 'one', log } as unknown as Store,
    feed: { host } as Pick<Feed, 'host'>,
    names: { of: async () => ({}), ofUsers: async () => ({}) },
    logger: { error: expect.unreachable },
  });
  const memberships = ROOMS.map(
    (id) =>
      ({
        room: { id, kind: 'public', name: id, head: HEAD, members: 10 },
        readUpTo: HEAD - UNREAD,
      }) as unknown as Membership,
  );
  for (let client = 0; client < CLIENTS; client++) {
    const cursor: [number, number] = [HEAD - LACKED, HEAD - LACKED];
    const found = await reader.read(
      {
        identity: { user: { id: `client-${client}` } } as never,
        isPolling: () => false,
        onlyOpenRoom: false,
      },
      [...memberships.slice(client), ...memberships.slice(0, client)],
      { cursors: Object.fromEntries(ROOMS.map((room) => [room, cursor])) },
    );
    for (const one of found) expect(one).toMatchObject({ tag: 'ready', room: { unread: UNREAD } });
  }
  return entriesRead;
}

test('where memory holds all rooms, each is read once for all who come back', async () => {
  expect(await everybodyComesBack(10_000_000)).toBeLessThanOrEqual(ROOMS.length * 64);
});

test('where it holds two of ten rooms, little more is read than each client lacks', async () => {
  const twoRooms = 2 * 64 * 400;
  expect(await everybodyComesBack(twoRooms)).toBeLessThanOrEqual(CLIENTS * ROOMS.length * LACKED + 3 * 64);
});
