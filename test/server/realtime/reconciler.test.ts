import { expect, onTestFinished, test, vi } from 'vitest';
import { createLogger } from '../../../server/base/logger.ts';
import { createFeed } from '../../../server/feed/feed.ts';
import type { LocalSockets } from '../../../server/realtime/localSockets.ts';
import { sendNewHeads, startReconciler } from '../../../server/realtime/reconciler.ts';
import type { LiveServer } from '../../../server/realtime/socketRecipient.ts';
import type { LogStore, Store } from '../../../server/store/port.ts';
import { HEADS_EVERY_MS, RECHECK_EVERY_MS } from '../../../shared/limits.ts';
import { turnsOf } from '../../support/turns.ts';
import { waitFor } from '../../support/waitFor.ts';

const silent = createLogger('silent');
const SOCKETS = 5_000;
const ROOMS = 50;

/** Sockets of as many users, each in 50 rooms. Whatever is done with one is counted; each takes 1 ms by the clock. */
function crowd() {
  const turns = turnsOf();
  const clock = { now: 0 };
  const done = {
    heads: 0,
    disconnected: [] as string[],
    reconciled: 0,
    lookedAt: 0,
    released: [] as string[],
  };
  const step = (amount = 1) => {
    clock.now += amount;
    turns.count();
  };
  const ids = Array.from({ length: SOCKETS }, (_, n) => `u${n}`);
  const roomsOf = (n: number) => Array.from({ length: ROOMS }, (_, i) => `r${n}.${i}`);
  const sockets = new Map(
    ids.map((id, n) => [
      id,
      {
        data: {
          identity: { user: { id }, device: `device of ${id}` },
          sentHeads: new Map(roomsOf(n).map((room) => [room, 1])),
          emit() {
            done.heads++;
            step();
          },
        },
        disconnect: () => done.disconnected.push(id),
      },
    ]),
  );
  const has = (name: string) => {
    done.lookedAt++;
    step(0.1);
    return !name.includes('empty');
  };
  const adapter = { rooms: { has } };
  const io = { of: () => ({ adapter, sockets }) } as unknown as LiveServer;
  const localSockets: Pick<LocalSockets, 'reconcile' | 'forgetOldChanges'> = {
    forgetOldChanges: () => {},
    reconcile() {
      done.reconciled++;
      step();
    },
  };
  return { turns, clock, done, step, ids, roomsOf, sockets, io, localSockets };
}

test('with 5,000 sockets of 50 rooms each, no round is one turn of the event loop', async () => {
  const { turns, clock, done, step, ids, roomsOf, io, localSockets } = crowd();
  const asked = { devices: [] as number[], users: [] as number[], heads: [] as number[] };
  const log = {
    heads: async (rooms: readonly string[]) => {
      asked.heads.push(rooms.length);
      step();
      return new Map(rooms.map((room) => [room, 2]));
    },
  } as unknown as LogStore;
  const names = { refresh: async () => {}, of: async () => ({}), ofUsers: async () => ({}) };
  const feed = createFeed({
    log,
    names,
    broadcast: () => {},
    onMembership: () => {},
    onAbout: () => {},
    onBegun: () => {},
    onGap: () => {},
    onLag: () => {},
    onFanOut: () => {},
    ticks: () => 0,
    now: () => 0,
  });
  const heads = new Map(ids.flatMap((_, n) => roomsOf(n)).map((room) => [room, 2]));
  const hosted = [...ids.slice(0, 200).flatMap((_, n) => roomsOf(n)), ...ids.map((id) => `empty ${id}`)];
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const reconciler = startReconciler({
    io,
    localSockets,
    feed: {
      reconcileHeads: async () => {
        await feed.reconcileHeads();
        return heads;
      },
      hosted: () => hosted,
      release: (room) => void done.released.push(room),
    },
    names,
    store: {
      users: {
        devicesAlive: async (devices: readonly string[]) => {
          asked.devices.push(devices.length);
          return new Set(devices.filter((device) => !device.endsWith('7')));
        },
      },
      rooms: {
        ofUsers: async (users: readonly string[]) => {
          asked.users.push(users.length);
          return new Map();
        },
      },
    } as unknown as Pick<Store, 'users' | 'rooms'>,
    logger: silent,
    now: () => clock.now,
  });
  onTestFinished(reconciler.stop);
  await Promise.all(hosted.slice(0, 3_000).map((room) => feed.host(room).opening()));
  asked.heads.length = 0;
  vi.advanceTimersByTime(HEADS_EVERY_MS);
  await waitFor('all heads are sent', () => done.heads === SOCKETS);
  vi.advanceTimersByTime(RECHECK_EVERY_MS);
  await waitFor('all are reconciled', () => done.reconciled === SOCKETS);
  expect(done.disconnected).toHaveLength(SOCKETS / 10);
  await waitFor('all rooms were looked at', () => done.lookedAt === hosted.length);
  vi.advanceTimersByTime(RECHECK_EVERY_MS);
  await waitFor('the empty ones are released', () => done.released.length === SOCKETS);
  expect(done.released.every((room) => room.startsWith('empty'))).toBe(true);
  expect(turns.most()).toBeLessThanOrEqual(100); // of 0.1 or 1 ms; three rounds run at the same time
  expect(Math.max(...asked.heads, ...asked.devices, ...asked.users)).toBeLessThanOrEqual(1_000);
});

test('a socket that connects while the devices are asked for is left alone', async () => {
  const { io, ids, sockets, done, localSockets } = crowd();
  const late = sockets.get(ids[9]!)!;
  sockets.clear();
  const answer = Promise.withResolvers<Set<string>>();
  const reconciler = startReconciler({
    io,
    localSockets,
    feed: { reconcileHeads: async () => new Map(), hosted: () => [], release: () => {} },
    names: { refresh: async () => {} },
    store: {
      users: { devicesAlive: () => answer.promise },
      rooms: { ofUsers: async () => new Map() },
    } as unknown as Pick<Store, 'users' | 'rooms'>,
    logger: silent,
  });
  onTestFinished(reconciler.stop);
  const [first] = crowd().sockets.values();
  sockets.set('first', first!);
  reconciler.checkNow();
  sockets.set('late', late);
  answer.resolve(new Set([first!.data.identity.device]));
  await waitFor('the round is over', () => done.reconciled === 1);
  expect(done.disconnected).toEqual([]);
});

test('`heads` has only rooms whose head is above the one that was sent before', () => {
  const sent: unknown[] = [];
  const sentHeads = new Map([
    ['a', 3],
    ['b', 5],
    ['c', 1],
  ]);
  const recipient = { sentHeads, emit: (...frame: unknown[]) => void sent.push(frame) };
  const heads = new Map([
    ['a', 3],
    ['b', 4],
    ['c', 2],
    ['not mine', 9],
  ]);
  sendNewHeads(recipient, heads);
  sendNewHeads(recipient, heads);
  expect(sent).toEqual([['heads', { c: 2 }]]);
});
