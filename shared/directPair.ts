/**
 * Direct conversations: one for each pair of users, for ever. The id of its room names the pair, in a form that no other room's
 * id has. So both can begin it offline, at the same moment, and mean the same room, and no list says who is in it. With
 * oneself it is one's notebook.
 */

/** What a server lists that has direct conversations, and a client sends that can read their rooms. */
export const DIRECT = 'direct';

const BETWEEN = '~';

/** The room of two users, or of one with oneself. */
export function directRoomOf(one: string, other: string): string {
  return [one, other].sort().join(BETWEEN);
}

/** The two users; undefined for any other room. */
export function pairOf(room: string): readonly string[] | undefined {
  return room.includes(BETWEEN) ? room.split(BETWEEN) : undefined;
}

/** The other one of a direct conversation, or the user: in the notebook. Undefined for any other room. */
export function otherIn(room: string, user: string): string | undefined {
  const pair = pairOf(room);
  return pair && (pair.find((id) => id !== user) ?? user);
}

/** How many people are in a direct conversation. */
export function membersOfPair(pair: readonly string[]): number {
  return new Set(pair).size;
}
