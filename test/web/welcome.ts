/** What a server says first, less what a test does not care about. */
import type { Room, User, Welcome } from '../../shared/protocol/index.ts';

export function userOf(id: string, name: string, rev = 0): User {
  return { id, name, rev };
}

export function welcomeOf(user: User, rooms: Room[], more: Partial<Welcome> = {}): Welcome {
  const nothing = { features: [], failed: [], users: {}, usersUpTo: 0 };
  return { protocol: 1, epoch: 'one', now: 1, user, rooms, ...nothing, ...more };
}
