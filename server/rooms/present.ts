import { otherIn } from '../../shared/directPair.ts';
import type { Room, RoomSettings, Users } from '../../shared/protocol/index.ts';
import type { RoomRecord } from '../store/port.ts';

/** What only a catch-up knows about a room: where its entries begin, and what is unread. And what the user wants of it. */
interface MoreOfRoom {
  from?: number;
  reset?: boolean;
  unread?: number | undefined;
  older?: number | undefined;
  mentions?: readonly number[];
  settings?: RoomSettings | undefined;
}

/**
 * A room as sent to clients; every frame and answer uses this shape. Without a catch-up, `from` is head + 1. An unknown head
 * is sent as 0, which is safe: only a catch-up may tell a client that the log was restored from a backup.
 */
export function presentRoom(
  { id, kind, name, head = 0, members, about }: RoomRecord,
  readUpTo: number,
  { from = head + 1, reset = false, unread = 0, older, mentions = [], settings }: MoreOfRoom = {},
): Room {
  return {
    id,
    kind,
    name,
    head,
    from,
    ...(reset ? { reset } : {}),
    readUpTo,
    members,
    ...(unread > 0 ? { unread } : {}),
    ...(older === undefined ? {} : { older }),
    ...(mentions.length > 0 && { mentions: [...mentions] }),
    ...(settings && { settings }),
    ...(about && { about }),
  };
}

/** The room as this user sees it: a direct conversation has the name of the other one. */
export async function named(
  room: Room,
  user: string,
  names: { ofUsers(ids: readonly string[]): Promise<Users> },
): Promise<Room> {
  const id = otherIn(room.id, user);
  if (id === undefined) return room;
  const { [id]: other } = await names.ofUsers([id]);
  return other ? { ...room, name: other.name, with: { id, ...other } } : room;
}
