/**
 * The reads that everybody makes who comes back, answered for many people by one query: after a restart thousands come at once, and
 * each query costs the database more than what it finds.
 */
import { createRecentMap } from '../../base/recentMap.ts';
import type { Membership, RoomStore, SignedInDevice, Store, UserStore } from '../port.ts';
import type { CallGuard } from './callGuard.ts';
import type { TokenLookup } from './devices/deviceStore.ts';
import type { MessageCounts, UnreadAsked } from './messageCounts.ts';
import type { MongoRoomStore } from './roomStore.ts';
import type { ChangesLookup } from './userStore.ts';

interface Deps {
  guard: Pick<CallGuard, 'inBatches'>;
  byTokens: TokenLookup['byTokens'];
  changedAroundEach: ChangesLookup['changedAroundEach'];
  ofEachUser: MongoRoomStore['ofEachUser'];
  unreadOfEach: MessageCounts['unreadOfEach'];
  timesAt: Store['log']['timesAt'];
}

export interface BatchedReads {
  users: Pick<UserStore, 'byToken' | 'changedAround'>;
  rooms: Pick<RoomStore, 'ofUser'>;
  log: Pick<Store['log'], 'timesAt' | 'unread'>;
}

/** The first part of an answer of the database has up to 101 documents. */
const PEOPLE_PER_READ = 100;
const POINTS_PER_READ = 200;
/** Rooms whose unread messages are counted for several people at once. */
const ROOMS_MAX = 1_000;
const ROOMS_KEPT_MS = 60_000;

export function batchedReads({
  guard,
  byTokens,
  changedAroundEach,
  ofEachUser,
  unreadOfEach,
  timesAt,
}: Deps): BatchedReads {
  const unreadIn = createRecentMap<string, (asked: UnreadAsked) => Promise<number>>({
    maxEntries: ROOMS_MAX,
    keepMs: ROOMS_KEPT_MS,
    now: () => performance.now(),
  });

  function unreadLoader(room: string) {
    const known = unreadIn.get(room);
    if (known) return known;
    const load = (asked: readonly UnreadAsked[]) => unreadOfEach(room, asked);
    const made = guard.inBatches({ load, most: PEOPLE_PER_READ });
    unreadIn.set(room, made);
    return made;
  }

  const changedAround = guard.inBatches({
    load: changedAroundEach,
    most: PEOPLE_PER_READ,
    lane: 'long',
  });

  async function timesAtEach(lists: readonly Points[]): Promise<(number | undefined)[][]> {
    const times = (await timesAt(lists.flat())).values();
    return lists.map((points) => points.map(() => times.next().value));
  }

  return {
    users: {
      byToken: guard.inBatches<string, SignedInDevice | undefined>({ load: byTokens, most: PEOPLE_PER_READ }),
      changedAround: (user, rev, limit) => changedAround({ user, rev, limit }),
    },
    rooms: { ofUser: guard.inBatches<string, Membership[]>({ load: ofEachUser, most: PEOPLE_PER_READ }) },
    log: {
      timesAt: guard.inBatches({
        load: timesAtEach,
        most: POINTS_PER_READ,
        sizeOf: (points: Points) => points.length,
      }),
      unread: (room, user, after, most) => unreadLoader(room)({ user, after, most }),
    },
  };
}

type Points = Parameters<Store['log']['timesAt']>[0];
