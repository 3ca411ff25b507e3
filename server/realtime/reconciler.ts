/**
 * Periodic reconciliation: re-reads room heads, sessions, memberships and names from the store, in case a commit or a
 * message between processes was missed. With thousands of sockets each of its loops takes many turns of the event loop.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { HEADS_EVERY_MS, RECHECK_EVERY_MS } from '../../shared/limits.ts';
import type { Logger } from '../base/logger.ts';
import { isUnexpected } from '../base/refusal.ts';
import { inSlices } from '../base/slices.ts';
import { retryUntilDone } from '../base/timeout.ts';
import type { Feed } from '../feed/feed.ts';
import type { Names } from '../feed/names.ts';
import type { Recipient } from '../feed/recipient.ts';
import type { Store } from '../store/port.ts';
import type { LocalSockets } from './localSockets.ts';
import { type LiveServer, socketsOf } from './socketRecipient.ts';

interface Deps {
  io: LiveServer;
  localSockets: Pick<LocalSockets, 'reconcile' | 'forgetOldChanges'>;
  feed: Pick<Feed, 'reconcileHeads' | 'hosted' | 'release'>;
  names: Pick<Names, 'refresh'>;
  store: Pick<Store, 'users' | 'rooms'>;
  logger: Logger;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}

export interface Reconciler {
  /** Checks sessions and memberships now, because changes may have been missed. Retries until the store answers. */
  checkNow(): void;
  stop(): void;
}

export function startReconciler({
  io,
  localSockets,
  feed,
  names,
  store,
  logger,
  now = () => performance.now(),
}: Deps): Reconciler {
  const { adapter, sockets } = io.of('/');
  let stopped = false;

  async function checkHeads() {
    const heads = await feed.reconcileHeads();
    await inSlices([...sockets.values()], (socket) => sendNewHeads(socket.data, heads), now);
  }

  /**
   * Finds sessions that ended and memberships that changed without this process having been told. Only of the sockets that
   * were there when it asked: nothing is known of the device of a later one.
   */
  async function checkSessionsAndMembers() {
    const checked = [...sockets.values()];
    const devices = new Set(checked.map((socket) => socket.data.identity.device));
    for (const chunk of chunksOf([...devices], DEVICES_PER_QUERY)) {
      const asked = new Set(chunk);
      const alive = await store.users.devicesAlive(chunk);
      await inSlices(
        checked,
        (socket) => {
          const { device } = socket.data.identity;
          if (asked.has(device) && !alive.has(device)) socket.disconnect(true);
        },
        now,
      );
    }
    localSockets.forgetOldChanges();
    const users = new Set(checked.map((socket) => socket.data.identity.user.id));
    for (const chunk of chunksOf([...users], USERS_PER_QUERY)) {
      const roomsOf = await store.rooms.ofUsers(chunk);
      await inSlices(chunk, (user) => localSockets.reconcile(user, roomsOf.get(user) ?? []), now);
    }
  }

  /** Stops hosting a room that was empty in two rounds. Two, because a catch-up in flight may be about to join it. */
  let empty = new Set<string>();
  async function releaseEmptyRooms() {
    const before = empty;
    empty = new Set();
    await inSlices(
      feed.hosted(),
      (room) => {
        if (adapter.rooms.has(socketsOf.room(room))) return;
        if (before.has(room)) feed.release(room);
        else empty.add(room);
      },
      now,
    );
  }

  const timers = [
    every(HEADS_EVERY_MS, checkHeads),
    every(RECHECK_EVERY_MS, checkSessionsAndMembers),
    every(RECHECK_EVERY_MS, releaseEmptyRooms),
    every(RECHECK_EVERY_MS, names.refresh),
  ];
  return {
    checkNow: () =>
      void retryUntilDone(checkSessionsAndMembers, {
        pause: (ms) => delay(ms, undefined, { ref: false }),
        isOver: () => stopped,
      }),
    stop() {
      stopped = true;
      timers.forEach(clearInterval);
    },
  };

  function every(ms: number, round: () => Promise<void>): NodeJS.Timeout {
    let running = false;
    return setInterval(async () => {
      if (running) return; // the previous round still waits for the store
      running = true;
      await round().catch((error: unknown) => {
        if (isUnexpected(error)) logger.error({ err: error }, 'reconciliation failed');
      });
      running = false;
    }, ms).unref();
  }
}

/** Keeps the result of one query small, since reading it is one turn of the event loop: each user is in some rooms. */
const USERS_PER_QUERY = 100;
const DEVICES_PER_QUERY = 1_000;

function* chunksOf<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}

/** Sends the heads that are above those this client was sent by `welcome` and earlier `heads`. `entries` do not count. */
export function sendNewHeads(
  recipient: Pick<Recipient, 'sentHeads' | 'emit'>,
  heads: ReadonlyMap<string, number>,
): void {
  const { sentHeads } = recipient;
  const newer = [...sentHeads].flatMap(([room, sent]): [string, number][] => {
    const head = heads.get(room);
    return head !== undefined && head > sent ? [[room, head]] : [];
  });
  if (newer.length === 0) return;
  for (const [room, head] of newer) sentHeads.set(room, head);
  recipient.emit('heads', Object.fromEntries(newer));
}
