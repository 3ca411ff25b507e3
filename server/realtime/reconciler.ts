/**
 * Periodic reconciliation: re-reads room heads, sessions, memberships and names from the store, in case a commit or a
 * message between processes was missed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { HEADS_EVERY_MS, RECHECK_EVERY_MS } from '../../shared/limits.ts';
import type { Logger } from '../base/logger.ts';
import { isUnexpected } from '../base/refusal.ts';
import { retryUntilDone } from '../base/timeout.ts';
import type { Feed } from '../feed/feed.ts';
import type { Names } from '../feed/names.ts';
import type { Recipient } from '../feed/recipient.ts';
import type { Store } from '../store/port.ts';
import type { LocalSockets } from './localSockets.ts';
import { type LiveServer, socketsOf } from './socketRecipient.ts';

interface Deps {
  io: LiveServer;
  localSockets: Pick<LocalSockets, 'reconcile'>;
  feed: Pick<Feed, 'reconcileHeads' | 'hosted' | 'release'>;
  names: Pick<Names, 'refresh'>;
  store: Pick<Store, 'users' | 'rooms'>;
  logger: Logger;
}

export interface Reconciler {
  /** Checks sessions and memberships now, because changes may have been missed. Retries until the store answers. */
  checkNow(): void;
  stop(): void;
}

export function startReconciler({ io, localSockets, feed, names, store, logger }: Deps): Reconciler {
  const { adapter, sockets } = io.of('/');
  let stopped = false;

  async function checkHeads() {
    const heads = await feed.reconcileHeads();
    for (const socket of sockets.values()) sendNewHeads(socket.data, heads);
  }

  /** Finds sessions that ended and memberships that changed without this process having been told. */
  async function checkSessionsAndMembers() {
    const identities = [...sockets.values()].map((socket) => socket.data.identity);
    const alive = await store.users.devicesAlive([...new Set(identities.map(({ device }) => device))]);
    for (const socket of sockets.values()) {
      if (!alive.has(socket.data.identity.device)) socket.disconnect(true);
    }
    const users = [...new Set(identities.map(({ user }) => user.id))];
    for (let i = 0; i < users.length; i += USERS_PER_QUERY) {
      const chunk = users.slice(i, i + USERS_PER_QUERY);
      localSockets.reconcile(chunk, await store.rooms.ofUsers(chunk));
    }
  }

  /** Stops hosting a room that was empty in two rounds. Two, because a catch-up in flight may be about to join it. */
  let empty = new Set<string>();
  async function releaseEmptyRooms() {
    const now = new Set(feed.hosted().filter((room) => !adapter.rooms.has(socketsOf.room(room))));
    for (const room of now) if (empty.has(room)) feed.release(room);
    empty = now;
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

/** Keeps the result of one query small: each user is in some rooms. */
const USERS_PER_QUERY = 500;

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
