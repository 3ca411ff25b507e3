/** The rooms one is in, as the server says them, in the database. */
import type { Entry } from '../../shared/entry.ts';
import { membershipOf } from '../../shared/kinds.ts';
import type { Room, Welcome } from '../../shared/protocol/index.ts';
import type { StoredRoom, UserDatabase, UserWrite } from '../db/schema.ts';
import { putFeatures } from '../outbox/features.ts';
import { generationIn, type LogsHeld, nextGeneration, writeLogs } from './generation.ts';
import { deleteLogs, forget, forgetPlaces, LOG_STORES } from './hold.ts';
import { cursorIn } from './readSpans.ts';
import { forgetRevs, putUsers, putUsersUpTo, usersUpToIn } from './users.ts';

const STORES = [...LOG_STORES, 'drafts'] as const;

/** Where what is held of each room ended before: its log is never shorter, unless it was put back. */
type Ends = ReadonlyMap<string, number>;

/**
 * Takes a welcome, in one transaction however many rooms it names: the rooms are these, those that failed, and no others. What is held of a
 * log that was put back is dropped. Resolves with the cursors as they are then. With `logs` nothing is taken unless the
 * database is still of what it was then: `OtherEpoch`.
 */
export function storeWelcome(
  db: UserDatabase,
  { epoch, rooms, failed, user, features, users, usersUpTo }: Welcome,
  ends: Ends = new Map(),
  logs?: LogsHeld,
): Promise<Map<string, number>> {
  return writeLogs(db, STORES, logs, async (tx) => {
    const [before, generation] = [await tx.objectStore('meta').get('epoch'), await generationIn(tx)];
    if (before !== undefined && before !== epoch) await forgetAll(tx);
    await tx.objectStore('meta').put(epoch, 'epoch');
    await putFeatures(tx, features);
    const stored = new Map((await tx.objectStore('rooms').getAll()).map((room) => [room.id, room]));
    for (const room of rooms) {
      await putRoom(tx, room, stored.get(room.id), ends);
      stored.delete(room.id);
    }
    for (const { id } of failed) stored.delete(id); // what is held of it stays, and it stays one's own
    for (const room of stored.values()) await leave(tx, room);
    if (usersUpTo < ((await usersUpToIn(tx)) ?? 0)) await forgetRevs(tx);
    await putUsers(tx, { ...users, [user.id]: user });
    // what was said to have changed since is of the log that was, where one was put back: all is asked for again
    if (generation === (await generationIn(tx))) await putUsersUpTo(tx, usersUpTo);
    return new Map((await tx.objectStore('logSpans').getAll()).map(({ room, to }) => [room, to])); // they ascend
  });
}

/** Resolves with its cursor. An answer to a request does not count what is unread (`counts`): what was counted before stays. */
export function storeRoom(
  db: UserDatabase,
  room: Room,
  ends: Ends = new Map(),
  logs?: LogsHeld,
  counts = true,
): Promise<number> {
  return writeLogs(db, STORES, logs, async (tx) => {
    await putRoom(tx, room, await tx.objectStore('rooms').get(room.id), ends, counts);
    return cursorIn(tx, room.id);
  });
}

/** What is held of its log stays: it may be joined again. */
export function removeRoom(db: UserDatabase, id: string): Promise<void> {
  return db.write(STORES, async (tx) => {
    const room = await tx.objectStore('rooms').get(id);
    if (room) await leave(tx, room);
  });
}

/** The room stays while something of one's own is there: it would be kept and shown nowhere (O4). */
async function leave(tx: UserWrite, room: StoredRoom): Promise<void> {
  const rows = await tx.objectStore('rows').index('room').count(room.id);
  const draft = await tx.objectStore('drafts').get(room.id);
  if (rows === 0 && !draft?.text) await tx.objectStore('rooms').delete(room.id);
  else if (!room.left) await tx.objectStore('rooms').put({ ...room, left: true });
}

/** What was appended since the server described the room: how far it goes, and how many are in it. */
export async function followHead(tx: UserWrite, room: string, entries: readonly Entry[]): Promise<void> {
  const stored = await tx.objectStore('rooms').get(room);
  const fresh = entries.filter((entry) => entry.serverOffset > (stored?.head ?? Number.POSITIVE_INFINITY));
  const last = fresh.at(-1);
  if (!stored || !last) return;
  const count = (what: 'joined' | 'left') => fresh.filter((entry) => membershipOf(entry) === what).length;
  const members = Math.max(0, stored.members + count('joined') - count('left'));
  await tx.objectStore('rooms').put({ ...stored, head: last.serverOffset, members });
}

async function putRoom(tx: UserWrite, room: Room, stored: StoredRoom | undefined, ends: Ends, counts = true) {
  if (room.reset || (ends.get(room.id) ?? 0) > room.head) await forget(tx, room.id);
  const { id, kind, name, head, readUpTo, members } = room;
  const unread = counts ? { count: room.unread ?? 0, after: readUpTo, upTo: head } : stored?.unread;
  const next: StoredRoom = { id, kind, name, head, readUpTo, members, ...(unread && { unread }) };
  if (JSON.stringify(next) !== JSON.stringify(stored)) await tx.objectStore('rooms').put(next);
}

async function forgetAll(tx: UserWrite): Promise<void> {
  await deleteLogs(tx);
  await forgetPlaces(tx, await tx.objectStore('rows').getAll());
  await nextGeneration(tx);
  await forgetRevs(tx);
}
