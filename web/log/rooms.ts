/** The rooms one is in, as the server says them, in the database. */
import type { Entry } from '../../shared/entry.ts';
import type { Room, Welcome } from '../../shared/protocol/index.ts';
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { forget, forgetPlaces } from './hold.ts';

const STORES = ['rooms', 'entries', 'spans', 'loose', 'users', 'rows', 'meta'] as const;

/** Takes a welcome: the rooms are these and no others. What is held of a log that was put back is dropped. */
export function storeWelcome(db: UserDatabase, { epoch, rooms, user }: Welcome): Promise<void> {
  return db.write(STORES, async (tx) => {
    const before = await tx.objectStore('meta').get('epoch');
    if (before !== undefined && before !== epoch) await forgetAll(tx);
    await tx.objectStore('meta').put(epoch, 'epoch');
    await tx.objectStore('users').put(user);
    await tx.objectStore('rooms').clear();
    for (const room of rooms) await putRoom(tx, room);
  });
}

export function storeRoom(db: UserDatabase, room: Room): Promise<void> {
  return db.write(STORES, (tx) => putRoom(tx, room));
}

/** What is held of its log stays: it may be joined again. */
export function removeRoom(db: UserDatabase, room: string): Promise<void> {
  return db.write(['rooms'], (tx) => tx.objectStore('rooms').delete(room));
}

/** What was appended since the server described the room: how far it goes, and how many are in it. */
export async function followHead(tx: UserWrite, room: string, entries: readonly Entry[]): Promise<void> {
  const stored = await tx.objectStore('rooms').get(room);
  const fresh = entries.filter((entry) => entry.serverOffset > (stored?.head ?? Number.POSITIVE_INFINITY));
  const last = fresh.at(-1);
  if (!stored || !last) return;
  const count = (kind: string) => fresh.filter((entry) => entry.kind === kind).length;
  const members = Math.max(0, stored.members + count('join') - count('leave'));
  await tx.objectStore('rooms').put({ ...stored, head: last.serverOffset, members });
}

async function putRoom(tx: UserWrite, room: Room): Promise<void> {
  if (room.reset) await forget(tx, room.id);
  const { id, kind, name, head, readUpTo, members } = room;
  await tx.objectStore('rooms').put({ id, kind, name, head, readUpTo, members });
}

async function forgetAll(tx: UserWrite): Promise<void> {
  for (const name of ['entries', 'spans', 'loose'] as const) await tx.objectStore(name).clear();
  await forgetPlaces(tx, await tx.objectStore('rows').getAll());
}
