/**
 * What owners and moderators change of a room: its name, its description, who may write in it, and which message is
 * pinned. Each change is an entry. The room's record has the
 * current values, on the server and on each device: of each field, that of the entry with the greatest serverOffset. Pure.
 */
import type { Entry } from './entry.ts';
import { isRemoval, makesRoom, ruleOf } from './kinds.ts';

/** A field is absent where no entry has ever changed it. A type, so that it can be the content of an entry. */
export type RoomFields = {
  name?: string | undefined;
  description?: string | undefined;
  /** Only owners and moderators write. */
  announcements?: boolean | undefined;
  /** The serverOffset of the pinned message; 0: none. */
  pinned?: number | undefined;
};

/** `upTo`: the serverOffset of the newest entry that changed something of the room, also its name. */
export interface RoomAbout extends Omit<RoomFields, 'name'> {
  upTo: number;
}

/** What an entry changes of its room. Fields of a newer version are left out. */
export function fieldsSetBy({
  kind,
  ...fields
}: { kind: string } & Readonly<Record<string, unknown>>): RoomFields {
  const { sets, target: names } = ruleOf(kind) ?? {};
  if (sets !== 'about') return {};
  const { name, description, announcements, target, on } = fields;
  if (names === 'any') return typeof target === 'number' ? { pinned: on === false ? 0 : target } : {};
  return {
    ...(typeof name === 'string' && !makesRoom(kind) && { name }),
    ...(typeof description === 'string' && { description }),
    ...(typeof announcements === 'boolean' && { announcements }),
  };
}

interface NamedRoom {
  name: string;
  about?: RoomAbout | undefined;
}

/**
 * The room after these entries, which ascend; the same object where they change nothing. Entries up to `upTo` are in it already.
 * A message that is deleted is not pinned any more.
 */
export function changedBy<Room extends NamedRoom>(room: Room, entries: readonly Entry[]): Room {
  let changed = room;
  for (const entry of entries) {
    const { pinned } = changed.about ?? {};
    const isUnpinned = pinned && isRemoval(entry) && entry.target === pinned;
    const fields = isUnpinned ? { pinned: 0 } : fieldsSetBy({ ...entry });
    const { serverOffset: upTo } = entry;
    if (Object.keys(fields).length === 0 || upTo <= (changed.about?.upTo ?? 0)) continue;
    const { name = changed.name, ...others }: RoomFields = fields;
    changed = { ...changed, name, about: { ...changed.about, ...others, upTo } };
  }
  return changed;
}
