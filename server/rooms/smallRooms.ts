/**
 * Which rooms are small enough that each member sees what single members do: who is typing, and who has read. The number of
 * members is read from the store once, and kept until the feed delivers a join or leave.
 */
import { TYPING_MAX_MEMBERS } from '../../shared/limits.ts';
import { createRecentMap } from '../base/recentMap.ts';
import type { RoomStore } from '../store/port.ts';

export interface SmallRooms {
  /** Rejects with `Unavailable`. At the boundary it may be behind: on MongoDB a member's row follows the entry. */
  isSmall(room: string): Promise<boolean>;
  /** The members of the room changed. */
  changed(room: string): void;
  /** Joins and leaves may have been missed. */
  clear(): void;
}

interface Deps {
  rooms: Pick<RoomStore, 'byId'>;
  /** A monotonic clock in milliseconds. */
  now: () => number;
}

export function createSmallRooms({ rooms, now }: Deps): SmallRooms {
  const known = createRecentMap<string, Promise<boolean>>({ maxEntries: MAX_ROOMS, keepMs: KEPT_MS, now });

  return {
    isSmall(room) {
      const kept = known.get(room);
      if (kept) return kept;
      const asked = rooms.byId(room).then((found) => (found?.members ?? 0) <= TYPING_MAX_MEMBERS);
      known.set(room, asked); // many who ask at the same time share one call
      asked.catch(() => known.delete(room));
      return asked;
    },
    changed: known.delete,
    clear: known.clear,
  };
}

const MAX_ROOMS = 20_000;
const KEPT_MS = 60_000;
