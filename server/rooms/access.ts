/**
 * Membership checks: which user may read and write which room.
 *
 * Memberships are cached until the tail delivers a leave. "Not a member" is never cached, since another process may have
 * written the join.
 *
 * With several processes there is a short window in which a user who has just left can still read and write here: the lag
 * of the tail (milliseconds; if its stream stalls, the seconds until that is detected), and the time until the member's row
 * in the database follows the entry. What is written in this window stands in the log after the leave. While the tail is
 * known to be down the cache is not used, and after a gap it is cleared. So staleness is bounded by the time it takes to
 * detect a failed tail.
 */
import { pairOf } from '../../shared/directPair.ts';
import { createRecentMap } from '../base/recentMap.ts';
import { RefusedError } from '../base/refusal.ts';
import type { RoomRecord, RoomStore } from '../store/port.ts';

export interface Access {
  isMember(room: string, user: string): Promise<boolean>;
  /** Undefined for a member. Others get `forbidden` for a public room, and `not-found` for any other; who was removed gets `forbidden` with a reason. */
  refusalOf(room: string, user: string): Promise<RefusedError | undefined>;
  /** These two are called for committed entries, in the order of the room's log. */
  joined(room: string, user: string): void;
  /** `isBan`: later joins count only once the row of the member says so. */
  left(room: string, user: string, isBan?: boolean): void;
  /** Clears the cache, because leaves may have been missed. */
  clear(): void;
}

interface Deps {
  rooms: Pick<RoomStore, 'isMember' | 'byId' | 'exits'>;
  /** True while the tail is open, so that leaves are delivered. */
  isTailOpen: () => boolean;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
}

export function createAccess({ rooms, isTailOpen, now = () => performance.now() }: Deps): Access {
  /** True: a member. False: the tail delivered a leave, so a row that says otherwise is stale. */
  const cached = createRecentMap<string, boolean>({ maxEntries: MAX_CACHED, keepMs: CACHED_MS, now });
  /** Who was banned lately: a join may follow that was decided before, and makes no member. */
  const bans = createRecentMap<string, true>({ maxEntries: MAX_CACHED, keepMs: CACHED_MS, now });
  let leaves = 0;

  async function isMember(room: string, user: string) {
    const pair = pairOf(room);
    if (pair) return pair.includes(user); // whether or not somebody has begun it
    const key = `${room} ${user}`;
    if (cached.get(key) && isTailOpen()) return true;
    const before = leaves;
    const yes = await rooms.isMember(room, user);
    // Do not cache if a leave was delivered meanwhile (perhaps this user's), or earlier (the row may still be stale).
    if (yes && before === leaves && cached.get(key) === undefined) cached.set(key, true);
    return yes;
  }

  return {
    isMember,
    async refusalOf(room, user) {
      if (await isMember(room, user)) return undefined;
      if (pairOf(room)) return noSuchRoom();
      const exit = (await rooms.exits(user, [room])).get(room);
      return exit ? expelled(exit) : notMember(await rooms.byId(room));
    },
    joined: (room, user) => cached.set(`${room} ${user}`, bans.get(`${room} ${user}`) === undefined),
    left(room, user, isBan = false) {
      leaves++;
      cached.set(`${room} ${user}`, false);
      if (isBan) bans.set(`${room} ${user}`, true);
    },
    clear() {
      leaves++;
      cached.clear();
    },
  };
}

const MAX_CACHED = 200_000;
/** A membership that is not asked for, and a leave whose row in the database followed long ago. */
const CACHED_MS = 10 * 60_000;

/** The refusal for a user who is not a member. For a private room it does not reveal that the room exists. */
export function notMember(room: RoomRecord | undefined): RefusedError {
  return room?.kind === 'public' ? new RefusedError('forbidden', 'Join this room first.') : noSuchRoom();
}

/** The refusal for a former member whom somebody else has removed. */
export function expelled(how: 'removed' | 'banned'): RefusedError {
  return how === 'banned'
    ? new RefusedError('forbidden', 'You are banned from this room.', undefined, 'out-banned')
    : new RefusedError('forbidden', 'You were removed from this room.', undefined, 'out-removed');
}

/** Also the answer for a private room to a user who is not a member. */
export function noSuchRoom(): RefusedError {
  return new RefusedError('not-found', 'There is no such room.');
}
