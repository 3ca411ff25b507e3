/**
 * Moves the outbox and the drafts of a user whom the server no longer knows (it was restored from a backup that is
 * older than the user) into the database of the heir: the new user who signs up on that page. Each row moves
 * exactly once: it is deleted in the old database when it is durable in the new one, which records the last `seq` that
 * was moved.
 */
import { directRoomOf, pairOf } from '../../shared/directPair.ts';
import type { Clock } from '../db/clock.ts';
import { openUserDatabase, type UserDatabase, type UserWrite } from '../db/userDatabase.ts';
import { deleteStoredLogs } from '../log/store/deleteLogs.ts';
import { newRow, type Row } from '../records/row.ts';

/** Can be interrupted at any point and started again. True when there was something to move. */
export async function inherit(
  indexedDB: IDBFactory,
  clock: Clock,
  { of, heir }: { of: string; heir: string },
): Promise<boolean> {
  const [from, to] = [openUserDatabase(indexedDB, clock, of), openUserDatabase(indexedDB, clock, heir)];
  try {
    await deleteLog(from);
    const rooms = roomsFor(of, heir);
    const rows = await moveRows(from, to, of, rooms);
    const drafts = await moveDrafts(from, to, rooms);
    return rows || drafts;
  } finally {
    from.close();
    to.close();
  }
}

/** The server does not have this log any more. Deleted first, since the device may be full. */
async function deleteLog(from: UserDatabase): Promise<void> {
  await deleteStoredLogs(from);
  await from.write(['marks'], (tx) => tx.objectStore('marks').clear());
}

/** The heir has direct conversations of their own, with the same people. */
function roomsFor(of: string, heir: string): (room: string) => string {
  return (room) => {
    const [one, other] = pairOf(room)?.map((id) => (id === of ? heir : id)) ?? [];
    return one && other ? directRoomOf(one, other) : room;
  };
}

async function moveRows(
  from: UserDatabase,
  to: UserDatabase,
  of: string,
  roomFor: (room: string) => string,
): Promise<boolean> {
  for (let any = false; ; any = true) {
    const rows = await from.read(['rows'], (tx) => tx.objectStore('rows').getAll(null, ROWS_AT_ONCE));
    if (rows.length === 0) return any;
    const last = rows.at(-1)!.seq;
    const rooms = await roomsOf(from, rows);
    await to.write(['rows', 'rooms', 'meta'], async (tx) => {
      const [store, meta] = [tx.objectStore('rows'), tx.objectStore('meta')];
      const upTo = Number((await meta.get(`heir of ${of}`)) ?? 0);
      const fresh = rows.filter(({ seq }) => seq > upTo); // the others were moved before, and may be sent already (O2)
      await Promise.all(fresh.map((row) => store.add(asNew(row, roomFor(row.room)) as Row)));
      await putRooms(tx, rooms, roomFor);
      if (last > upTo) await meta.put(String(last), `heir of ${of}`);
    });
    await from.write(['rows'], (tx) => tx.objectStore('rows').delete(IDBKeyRange.upperBound(last)));
  }
}

/** More rows would take longer than a transaction may. */
const ROWS_AT_ONCE = 200;

/**
 * The row under the same key, as never attempted (the server has nothing of the new user), and without an offset in the
 * old log. Amendments of texts that the old user had sent go along: the server refuses an edit, which is kept as not
 * sent (O4), and has nothing to delete.
 */
function asNew(row: Row, room: string): Omit<Row, 'seq'> {
  const { kind, body, target, targetAuthor, fields, clientOffset, at, state } = row;
  const about = {
    ...(target !== undefined && { target }),
    ...(targetAuthor !== undefined && { targetAuthor }),
  };
  const content = { kind, ...(body !== undefined && { body }), ...about, ...(fields && { fields }) };
  const made = newRow({ ...content, room, clientOffset, at });
  return state.tag === 'parked' ? { ...made, state: { ...state, uncertain: false } } : made;
}

async function moveDrafts(
  from: UserDatabase,
  to: UserDatabase,
  roomFor: (room: string) => string,
): Promise<boolean> {
  const drafts = await from.read(['drafts'], (tx) => tx.objectStore('drafts').getAll());
  const rooms = await roomsOf(from, drafts);
  await to.write(['drafts', 'rooms'], async (tx) => {
    const store = tx.objectStore('drafts');
    for (const { room: before, text } of drafts) {
      const room = roomFor(before);
      const here = (await store.get(room))?.text;
      if (!here) await store.put({ room, text });
      else if (!here.startsWith(text)) await store.put({ room, text: `${text}\n${here}` });
    }
    await putRooms(tx, rooms, roomFor);
  });
  await from.write(['drafts'], async (tx) => {
    for (const { room, text } of drafts) {
      const now = await tx.objectStore('drafts').get(room); // another tab may have written it meanwhile
      if (now?.text === text) await tx.objectStore('drafts').delete(room);
    }
  });
  return drafts.length > 0;
}

/** The rooms of these rows or drafts: they are shown there, even if the heir is not a member of the room (O4). */
async function roomsOf(from: UserDatabase, written: readonly { room: string }[]) {
  const ids = [...new Set(written.map(({ room }) => room))];
  const rooms = await from.read(['rooms'], (tx) =>
    Promise.all(ids.map((id) => tx.objectStore('rooms').get(id))),
  );
  return rooms.flatMap((room) => (room ? { ...room, head: 0, readUpTo: 0 } : []));
}

async function putRooms(
  tx: UserWrite,
  rooms: Awaited<ReturnType<typeof roomsOf>>,
  roomFor: (room: string) => string,
): Promise<void> {
  for (const room of rooms) {
    const id = roomFor(room.id);
    if (!(await tx.objectStore('rooms').getKey(id))) await tx.objectStore('rooms').put({ ...room, id });
  }
}
