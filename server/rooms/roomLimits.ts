/**
 * How much of a chat's rooms one person may change. Every creation, join and leave is an entry that the server writes and
 * stores for ever, so each takes a token of the user's item rate. Beyond that:
 *
 * - The rooms that a user has created within a day, a user's memberships, and the leaves among a room's newest entries are
 *   counted in the database: these limits hold over all processes and restarts. Requests of one user on several processes at
 *   the same moment may each pass; on one process they are handled one at a time.
 * - The rate of creations per address is counted by each process: an address is not stored, and a process that is reached
 *   through another way in is no way around the limits above.
 *
 * A limit of a day is `forbidden`: a client would repeat `rate-limited` and wait in vain.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CATCH_UP_ROOM_ENTRIES,
  MEMBERSHIPS_MAX,
  REJOINS_PER_DAY,
  REJOINS_PER_MINUTE_AND_ROOM,
  ROOMS_CREATED_PER_DAY,
} from '../../shared/limits.ts';
import { RefusedError } from '../base/refusal.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { Leave, RoomStore } from '../store/port.ts';

export interface RoomLimits {
  /** Throws where this user may not create a room now. `address`: the key of the client's address. */
  checkCreation(user: string, address: string): Promise<void>;
  /** Throws where this user, who is no member, may not join this room now. `head`: of the room. */
  checkJoin(user: string, room: string, head: number): Promise<void>;
  /** Runs `write` for one token of the user's item rate, which is given back unless `write` resolves with `appended`. */
  charged<T extends 'appended' | 'repeat' | 'outdated'>(user: string, write: () => Promise<T>): Promise<T>;
}

interface RoomLimitsDeps {
  store: Pick<RoomStore, 'countOf' | 'countCreated' | 'leaves'>;
  /** Tokens per user; the same limiter as for items. */
  items: Limiter;
  /** Tokens per address, for creations. */
  creations: Limiter;
  /** Called with the name of each limit that refuses. */
  onRefusal: (limit: string, user: string) => void;
  /** The wall clock in milliseconds, as in the times of entries. */
  now: () => number;
}

export function createRoomLimits({ store, items, creations, onRefusal, now }: RoomLimitsDeps): RoomLimits {
  async function checkMemberships(user: string): Promise<void> {
    if ((await store.countOf(user)) >= MEMBERSHIPS_MAX) {
      onRefusal('memberships', user);
      throw new RefusedError(
        'forbidden',
        `You are in ${MEMBERSHIPS_MAX} rooms, which is the limit. Leave one first.`,
      );
    }
  }

  return {
    async checkCreation(user, address) {
      const created = await store.countCreated(user, now() - DAY_MS);
      if (created >= ROOMS_CREATED_PER_DAY) {
        onRefusal('rooms-created', user);
        throw new RefusedError(
          'forbidden',
          `You have created ${ROOMS_CREATED_PER_DAY} rooms within a day, which is the limit.`,
        );
      }
      await checkMemberships(user);
      // Not the first one: it costs no more than the sign-up, which has a limit of its own, and so nobody behind the same
      // address can keep others from creating one.
      const retryAfter = created === 0 ? 0 : creations.take(address, 1);
      if (retryAfter > 0) {
        onRefusal('rooms-of-address', user);
        throw new RefusedError('rate-limited', 'Too many new rooms at once; wait a moment.', retryAfter);
      }
    },

    async checkJoin(user, room, head) {
      await checkMemberships(user);
      const leaves = await store.leaves(room, head - CATCH_UP_ROOM_ENTRIES);
      const refused = refusalOfRejoin(leaves, user, now());
      if (!refused) return;
      onRefusal('rejoins', user);
      throw refused;
    },

    async charged(user, write) {
      await takeToken(user);
      let isUsed = false;
      try {
        const outcome = await write();
        isUsed = outcome === 'appended';
        return outcome;
      } finally {
        if (!isUsed) items.giveBack(user, 1);
      }
    },
  };

  /** Waits for it at most once: while an outbox is sent, there is a token every few milliseconds. */
  async function takeToken(user: string): Promise<void> {
    const wait = items.take(user, 1);
    if (wait === 0) return;
    if (wait <= TOKEN_WAIT_MS) await sleep(wait);
    const retryAfter = wait <= TOKEN_WAIT_MS ? items.take(user, 1) : wait;
    if (retryAfter === 0) return;
    onRefusal('items', user);
    throw new RefusedError('rate-limited', 'That was a lot at once; try again in a moment.', retryAfter);
  }
}

/**
 * Whether a user who is no member may join, by the leaves among the room's newest entries, ascending: who leaves and joins
 * again and again would fill the catch-up of newcomers. A first join is never refused, so nobody can keep newcomers out. Pure.
 */
export function refusalOfRejoin(
  leaves: readonly Leave[],
  user: string,
  now: number,
): RefusedError | undefined {
  const own = leaves.filter((leave) => leave.user === user && leave.at > now - DAY_MS);
  if (own.length === 0) return undefined;
  if (own.length > REJOINS_PER_DAY) {
    return new RefusedError(
      'forbidden',
      'You have left this room too often today. You can join again tomorrow.',
    );
  }
  const recent = leaves.filter((leave) => leave.at > now - MINUTE_MS);
  const decisive = recent.at(-REJOINS_PER_MINUTE_AND_ROOM);
  if (!decisive) return undefined;
  return new RefusedError(
    'rate-limited',
    'Too many people leave and join this room; wait a moment.',
    Math.min(MINUTE_MS, decisive.at + MINUTE_MS - now),
  );
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Above the time in which one token comes, at ITEMS_PER_SECOND. */
const TOKEN_WAIT_MS = 100;
