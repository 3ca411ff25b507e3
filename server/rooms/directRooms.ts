/**
 * Direct conversations (shared/directPair.ts). Nobody creates one by a request: the first message that one of the two sends
 * begins it, so an outbox that was filled offline needs nothing before it. Who may begin one, and how many, is decided here.
 */
import { otherIn, pairOf } from '../../shared/directPair.ts';
import { ruleOf } from '../../shared/kinds.ts';
import { DIRECT_BEGUN_PER_DAY } from '../../shared/limits.ts';
import { createRecentMap } from '../base/recentMap.ts';
import { RefusedError } from '../base/refusal.ts';
import type { NewEntry, RoomStore, UserStore } from '../store/port.ts';

export interface DirectRooms {
  /** The beginnings of one request: they count together. */
  forRequest(user: string): BeginningRooms;
}

export interface BeginningRooms {
  /** Why the user, who is one of the two, may not begin this conversation; undefined where it exists, and for other rooms. */
  refusalOf(entry: Pick<NewEntry, 'room' | 'kind'>): Promise<RefusedError | undefined>;
  /** Makes those of these rooms that were allowed to begin. Rejects with `Unavailable`. */
  begin(rooms: readonly string[]): Promise<void>;
}

interface Deps {
  rooms: Pick<RoomStore, 'isMember' | 'begin' | 'countBegun'>;
  users: Pick<UserStore, 'byId'>;
  onRefusal: (limit: string, user: string) => void;
  /** The wall clock in milliseconds. */
  now: () => number;
}

export function createDirectRooms({ rooms, users, onRefusal, now }: Deps): DirectRooms {
  /** Conversations that exist, which they do for ever. */
  const known = createRecentMap<string, true>({
    maxEntries: MAX_KNOWN,
    keepMs: KNOWN_MS,
    now: () => performance.now(),
  });

  async function exists(room: string, user: string): Promise<boolean> {
    if (known.get(room)) return true;
    if (!(await rooms.isMember(room, user))) return false;
    known.set(room, true);
    return true;
  }

  return {
    forRequest(user) {
      const begins = new Set<string>();
      let before: Promise<number> | undefined;
      return {
        async refusalOf({ room, kind }) {
          if (!pairOf(room) || begins.has(room) || (await exists(room, user))) return undefined;
          const { target = 'none' } = ruleOf(kind) ?? {};
          if (target !== 'none' && target !== 'reply')
            return new RefusedError('not-found', 'There is no message yet in this conversation.');
          const other = otherIn(room, user)!;
          if (!(await users.byId(other)))
            return new RefusedError('not-found', 'There is no person with this id.');
          before ??= rooms.countBegun(user, now() - DAY_MS);
          if ((await before) + begins.size >= DIRECT_BEGUN_PER_DAY) {
            onRefusal('direct-begun', user);
            return new RefusedError(
              'forbidden',
              `You have begun ${DIRECT_BEGUN_PER_DAY} conversations within a day, which is the limit.`,
            );
          }
          begins.add(room);
          return undefined;
        },
        async begin(written) {
          for (const id of begins) {
            if (!written.includes(id)) continue;
            await rooms.begin({ id, createdBy: user, createdAt: now() });
            known.set(id, true);
          }
        },
      };
    },
  };
}

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_KNOWN = 100_000;
const KNOWN_MS = 60 * 60 * 1000;
