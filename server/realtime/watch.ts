/** What is looked at again from time to time, because nothing that only is told may be trusted for ever. */
import { setTimeout as delay } from 'node:timers/promises';
import { HEADS_EVERY_MS, RECHECK_EVERY_MS } from '../../shared/limits.ts';
import type { Logger } from '../base/logger.ts';
import { isUnexpected } from '../base/refusal.ts';
import { retryUntilDone } from '../base/timeout.ts';
import type { Feed } from '../feed/feed.ts';
import type { Names } from '../feed/names.ts';
import type { Store } from '../store/port.ts';
import { type Live, tellHeads } from './live.ts';
import { type LiveServer, socketsOf } from './types.ts';

interface Deps {
  io: LiveServer;
  live: Live;
  feed: Feed;
  names: Pick<Names, 'refresh'>;
  store: Pick<Store, 'users' | 'rooms'>;
  logger: Logger;
}

export interface Watch {
  /** Looks at sessions and memberships now, because something may have passed unheard. */
  recheck(): void;
  stop(): void;
}

/** Starts the rounds. */
export function watch({ io, live, feed, names, store, logger }: Deps): Watch {
  const { adapter, sockets } = io.of('/');
  let stopped = false;

  async function heads() {
    const heads = await feed.checkHeads();
    for (const socket of sockets.values()) tellHeads(socket, heads);
  }

  /** Sessions that ended and memberships that changed while nobody here was told. */
  async function recheck() {
    const identities = [...sockets.values()].map((socket) => socket.data.identity);
    const alive = await store.users.devicesAlive([...new Set(identities.map(({ device }) => device))]);
    for (const socket of sockets.values()) {
      if (!alive.has(socket.data.identity.device)) socket.disconnect(true);
    }
    const users = [...new Set(identities.map(({ user }) => user.id))];
    for (let i = 0; i < users.length; i += USERS_PER_QUESTION) {
      const some = users.slice(i, i + USERS_PER_QUESTION);
      live.settle(some, await store.rooms.ofUsers(some));
    }
  }

  /** A room that nobody here is in for two rounds is hosted no longer: two, so that no catch-up is under way in it. */
  let empty = new Set<string>();
  async function release() {
    const now = new Set(feed.hosted().filter((room) => !adapter.rooms.has(socketsOf.room(room))));
    for (const room of now) if (empty.has(room)) feed.release(room);
    empty = now;
  }

  const rounds = [
    every(HEADS_EVERY_MS, heads),
    every(RECHECK_EVERY_MS, recheck),
    every(RECHECK_EVERY_MS, release),
    every(RECHECK_EVERY_MS, names.refresh),
  ];
  return {
    recheck: () =>
      void retryUntilDone(recheck, {
        pause: (ms) => delay(ms, undefined, { ref: false }),
        isOver: () => stopped,
      }),
    stop() {
      stopped = true;
      rounds.forEach(clearInterval);
    },
  };

  function every(ms: number, round: () => Promise<void>): NodeJS.Timeout {
    let running = false;
    return setInterval(async () => {
      if (running) return; // the last round still waits for the store
      running = true;
      await round().catch((error: unknown) => {
        if (isUnexpected(error)) logger.error({ err: error }, 'a round failed');
      });
      running = false;
    }, ms).unref();
  }
}

/** Of some rooms each: an answer that is still small. */
const USERS_PER_QUESTION = 500;
