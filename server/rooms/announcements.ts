/**
 * In which rooms only owners and moderators write. Cached: each item that has text asks. As with memberships (access.ts), an item
 * that comes at the moment of the change may still be decided by what was before, within the lag of the tail.
 */
import { fieldsSetBy } from '../../shared/aboutRoom.ts';
import type { Entry } from '../../shared/entry.ts';
import { ruleOf } from '../../shared/kinds.ts';
import { createRecentMap } from '../base/recentMap.ts';
import type { RoomStore } from '../store/port.ts';

export interface Announcements {
  /** The room takes what people say from owners and moderators alone. */
  isFor(room: string): Promise<boolean>;
  /** Called for committed entries that change a room, in the order of its log. */
  changed(room: string, entry: Entry): void;
  /** Clears the cache, because changes may have been missed. */
  clear(): void;
}

interface Deps {
  rooms: Pick<RoomStore, 'about'>;
  /** True while the tail is open, so that changes are delivered. */
  isTailOpen: () => boolean;
  /** A monotonic clock in milliseconds. */
  now: () => number;
}

/** An item of this kind says something: a message, or an edit of one. Reactions and deletions do not. */
export function saysSomething(kind: string): boolean {
  const rule = ruleOf(kind);
  return rule?.message === true || rule?.effect === 'replace';
}

export function createAnnouncements({ rooms, isTailOpen, now }: Deps): Announcements {
  const cached = createRecentMap<string, boolean>({ maxEntries: MAX_CACHED, keepMs: CACHED_MS, now });
  let changes = 0;

  return {
    async isFor(room) {
      const known = isTailOpen() ? cached.get(room) : undefined;
      if (known !== undefined) return known;
      const before = changes;
      const is = (await rooms.about(room))?.announcements === true;
      if (before === changes) cached.set(room, is); // else the row may be older than what was delivered meanwhile
      return is;
    },
    changed(room, entry) {
      changes++;
      const { announcements } = fieldsSetBy({ ...entry });
      if (announcements !== undefined) cached.set(room, announcements);
    },
    clear() {
      changes++;
      cached.clear();
    },
  };
}

const MAX_CACHED = 50_000;
const CACHED_MS = 10 * 60_000;
