/**
 * Who may write and read where. A yes is remembered until a leave is seen; a no is asked again every time, since the
 * join may have been written by another process.
 */
import { Refused } from '../refusal.ts';
import type { RoomStore, StoredRoom } from '../store/port.ts';

export interface Access {
  isMember(room: string, user: string): Promise<boolean>;
  /** Undefined for a member. A public room is `forbidden` to others, any other `not-found`. */
  refusalOf(room: string, user: string): Promise<Refused | undefined>;
  /** Told by the feed, in the order of the room's log. */
  joined(room: string, user: string): void;
  left(room: string, user: string): void;
}

export function createAccess(rooms: RoomStore): Access {
  const members = new Set<string>();
  let leaves = 0;

  async function isMember(room: string, user: string) {
    const key = `${room} ${user}`;
    if (members.has(key)) return true;
    const before = leaves;
    const yes = await rooms.isMember(room, user);
    if (yes && before === leaves) remember(key); // a leave that came meanwhile may be this one's
    return yes;
  }

  function remember(key: string) {
    if (members.size >= REMEMBERED) members.clear();
    members.add(key);
  }

  return {
    isMember,
    async refusalOf(room, user) {
      return (await isMember(room, user)) ? undefined : notMember(await rooms.byId(room));
    },
    joined: (room, user) => remember(`${room} ${user}`),
    left(room, user) {
      leaves++;
      members.delete(`${room} ${user}`);
    },
  };
}

const REMEMBERED = 200_000;

/** What somebody who is no member is told: of a private room, not even that it is there. */
function notMember(room: StoredRoom | undefined): Refused {
  return room?.kind === 'public' ? new Refused('forbidden', 'Join this room first.') : noSuchRoom();
}

/** Also said of a private room to whoever is no member. */
export function noSuchRoom(): Refused {
  return new Refused('not-found', 'There is no such room.');
}
