/**
 * Direct conversations (shared/directPair.ts). Nobody creates one by a request: the first message that one of the two sends
 * begins it, so an outbox that was filled offline needs nothing before it. Who may begin one, how many, and how much a stranger
 * may write is decided here.
 */
import { membersOfPair, otherIn, pairOf } from '../../shared/directPair.ts';
import { ruleOf } from '../../shared/kinds.ts';
import { DIRECT_BEGUN_PER_DAY, STRANGER_MESSAGES_MAX } from '../../shared/limits.ts';
import { LOBBY } from '../../shared/mint.ts';
import { createRecentMap } from '../base/recentMap.ts';
import { RefusedError } from '../base/refusal.ts';
import type { EntryKey, LogStore, NewEntry, RoomStore, UserStore } from '../store/port.ts';

export interface DirectRooms {
  /** The items of one request: they count together. */
  forRequest(user: string): DirectRequest;
  /**
   * Whether the two of a direct conversation see each other's presence and read markers: they know each other, and neither has
   * blocked the other one. True for every other room.
   */
  isOpen(room: string): Promise<boolean>;
  /**
   * Until when what the two have read and stored is shown to each other: since one has blocked the other one, nothing newer, so that
   * nobody sees a block in it. Infinity for every other room; undefined where they do not know each other.
   */
  shownUntil(room: string): Promise<number | undefined>;
}

export interface DirectRequest {
  /** Why the user, who is one of the two, may not append this; undefined also for other rooms. */
  refusalOf(entry: EntryKey & Pick<NewEntry, 'kind'>): Promise<RefusedError | undefined>;
  /** Makes those of these rooms that were allowed to begin. Rejects with `Unavailable`. */
  begin(rooms: readonly string[]): Promise<void>;
}

interface Deps {
  rooms: Pick<RoomStore, 'isMember' | 'begin' | 'countBegun' | 'ofUsers' | 'blockedSince'>;
  users: Pick<UserStore, 'byId'>;
  log: Pick<LogStore, 'unread' | 'range' | 'find'>;
  onRefusal: (limit: string, user: string) => void;
  /** The wall clock in milliseconds. */
  now: () => number;
}

/** Of one room in this request. `isNew`: it is begun. `left`: how many messages the user may still send there. */
interface Plan {
  isNew: boolean;
  left: number;
}

export function createDirectRooms({ rooms, users, log, onRefusal, now }: Deps): DirectRooms {
  const recent = () =>
    createRecentMap<string, true>({
      maxEntries: MAX_KNOWN,
      keepMs: KNOWN_MS,
      now: () => performance.now(),
    });
  /** Conversations that exist, which they do for ever. */
  const known = recent();
  /** Conversations of people who know each other. That ends only where they share no room any more and only one has written. */
  const acquainted = recent();

  async function exists(room: string, user: string): Promise<boolean> {
    if (known.get(room)) return true;
    if (!(await rooms.isMember(room, user))) return false;
    known.set(room, true);
    return true;
  }

  /** They share a room other than the lobby, or both have written here. */
  async function areAcquainted(room: string): Promise<boolean> {
    const pair = pairOf(room);
    if (!pair || membersOfPair(pair) < 2 || acquainted.get(room)) return true;
    const [one, other] = pair as [string, string];
    const [byOther, byOne, roomsOf] = await Promise.all([
      log.unread(room, one, 0, 1),
      log.unread(room, other, 0, 1),
      rooms.ofUsers(pair),
    ]);
    const theirs = new Set(roomsOf.get(other));
    const isShared = (id: string) => id !== LOBBY && !pairOf(id) && theirs.has(id);
    if (!(byOne && byOther) && !roomsOf.get(one)?.some(isShared)) return false;
    acquainted.set(room, true);
    return true;
  }

  async function shownUntil(room: string): Promise<number | undefined> {
    const pair = pairOf(room);
    if (!pair || membersOfPair(pair) < 2) return Number.POSITIVE_INFINITY;
    if (!(await areAcquainted(room))) return undefined;
    const since = await Promise.all(pair.map((user) => rooms.blockedSince(room, user)));
    return Math.min(...since.map((at) => at ?? Number.POSITIVE_INFINITY));
  }

  return {
    shownUntil,
    isOpen: async (room) => (await shownUntil(room)) === Number.POSITIVE_INFINITY,

    forRequest(user) {
      const plans = new Map<string, Plan>();
      let before: Promise<number> | undefined;

      /** Rejects with the reason where the user may not begin it. */
      async function plan(room: string, isMessage: boolean): Promise<Plan> {
        const isNew = !(await exists(room, user));
        if (isNew) await checkBeginning(room, isMessage);
        if (await areAcquainted(room)) return { isNew, left: Number.POSITIVE_INFINITY };
        const { entries, head } = isNew ? NO_ENTRIES : await log.range(room, 1, 1, 1);
        const isAsked = entries[0] !== undefined && entries[0].author !== user;
        return { isNew, left: isAsked ? Number.POSITIVE_INFINITY : STRANGER_MESSAGES_MAX - head };
      }

      async function checkBeginning(room: string, isMessage: boolean): Promise<void> {
        if (!isMessage) throw new RefusedError('not-found', 'There is no message yet in this conversation.');
        if (!(await users.byId(otherIn(room, user)!)))
          throw new RefusedError('not-found', 'There is no person with this id.');
        before ??= rooms.countBegun(user, now() - DAY_MS);
        const begun = [...plans.values()].filter(({ isNew }) => isNew).length;
        if ((await before) + begun < DIRECT_BEGUN_PER_DAY) return;
        onRefusal('direct-begun', user);
        throw new RefusedError(
          'forbidden',
          `You have begun ${DIRECT_BEGUN_PER_DAY} conversations within a day, which is the limit.`,
        );
      }

      return {
        async refusalOf(entry) {
          const { room, kind } = entry;
          if (!pairOf(room)) return undefined;
          const { target = 'none', message = false } = ruleOf(kind) ?? {};
          try {
            const its = plans.get(room) ?? (await plan(room, target === 'none' || target === 'reply'));
            plans.set(room, its);
            if (!message || its.left === Number.POSITIVE_INFINITY) return undefined;
            if (!its.isNew && (await log.find([entry]))[0]) return undefined; // a repeat, which is counted
            if (its.left <= 0) throw notAnswered();
            its.left--;
            return undefined;
          } catch (error) {
            if (error instanceof RefusedError) return error;
            throw error;
          }
        },
        async begin(written) {
          for (const [id, { isNew }] of plans) {
            if (!isNew || !written.includes(id)) continue;
            await rooms.begin({ id, createdBy: user, createdAt: now() });
            known.set(id, true);
          }
        },
      };
    },
  };
}

function notAnswered(): RefusedError {
  return new RefusedError(
    'forbidden',
    `You can send ${STRANGER_MESSAGES_MAX} messages until you are answered.`,
    undefined,
    'not-answered',
  );
}

const NO_ENTRIES = { entries: [], head: 0 };
const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_KNOWN = 100_000;
const KNOWN_MS = 60 * 60 * 1000;
