/**
 * Who may write and read where.
 *
 * A yes is remembered until a leave is heard; a no is asked again every time, since the join may have been written by
 * another process. With several processes a leave is heard a little after it was acknowledged: for as long as the tail
 * lags (milliseconds; when its stream stalls, the seconds until that is noticed), and in the database itself for as
 * long as the member's row follows its entry, somebody who has just left can still read and write here. What they write
 * then stands in the log after their leave, as it would had it come first by another way; what they read they could
 * read a moment before. While the tail is known not to hear, nothing remembered counts, and after a gap all of it is
 * forgotten: so the window is never longer than the tail believes itself to be well without being so.
 */
import { RefusedError } from '../base/refusal.ts';
import type { RoomStore, StoredRoom } from '../store/port.ts';

export interface Access {
  isMember(room: string, user: string): Promise<boolean>;
  /** Undefined for a member. A public room is `forbidden` to others, any other `not-found`. */
  refusalOf(room: string, user: string): Promise<RefusedError | undefined>;
  /** Told by the feed, in the order of the room's log. */
  joined(room: string, user: string): void;
  left(room: string, user: string): void;
  /** Leaves may have passed unheard. */
  forget(): void;
}

interface Deps {
  rooms: Pick<RoomStore, 'isMember' | 'byId'>;
  /** True while leaves are heard. */
  isHearing: () => boolean;
}

export function createAccess({ rooms, isHearing }: Deps): Access {
  /** True: a member. False: the last thing heard was a leave, and a row that says otherwise only lags behind it. */
  const heard = new Map<string, boolean>();
  let changes = 0;

  async function isMember(room: string, user: string) {
    const key = `${room} ${user}`;
    if (heard.get(key) && isHearing()) return true;
    const before = changes;
    const yes = await rooms.isMember(room, user);
    // A leave that came meanwhile may be this one's; one that came before may not have reached the row yet.
    if (yes && before === changes && heard.get(key) === undefined) remember(key, true);
    return yes;
  }

  function remember(key: string, value: boolean) {
    if (heard.size >= REMEMBERED) heard.clear();
    heard.set(key, value);
  }

  return {
    isMember,
    async refusalOf(room, user) {
      return (await isMember(room, user)) ? undefined : notMember(await rooms.byId(room));
    },
    joined: (room, user) => remember(`${room} ${user}`, true),
    left(room, user) {
      changes++;
      remember(`${room} ${user}`, false);
    },
    forget() {
      changes++;
      heard.clear();
    },
  };
}

const REMEMBERED = 200_000;

/** What somebody who is no member is told: of a private room, not even that it is there. */
function notMember(room: StoredRoom | undefined): RefusedError {
  return room?.kind === 'public' ? new RefusedError('forbidden', 'Join this room first.') : noSuchRoom();
}

/** Also said of a private room to whoever is no member. */
export function noSuchRoom(): RefusedError {
  return new RefusedError('not-found', 'There is no such room.');
}
