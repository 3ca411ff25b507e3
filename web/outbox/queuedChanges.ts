/** The rows that are about messages, by their index: a long queue is not read whole for the few of them. */
import type { UserRead, UserWrite } from '../db/schema.ts';
import { type Follower, isChange } from './row.ts';

/** All that are queued in a room, or in all rooms, in the order of sending. */
export async function followersIn(tx: UserRead | UserWrite, room?: string): Promise<Follower[]> {
  const range = room === undefined ? undefined : IDBKeyRange.bound([room], [room, []]);
  const rows = await tx.objectStore('rows').index('target').getAll(range);
  return (rows as Follower[]).sort((a, b) => a.seq - b.seq);
}

/** Those of them that replace or remove what the message says. */
export async function changesIn(tx: UserRead | UserWrite, room?: string): Promise<Follower[]> {
  return (await followersIn(tx, room)).filter(isChange);
}
