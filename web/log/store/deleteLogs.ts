/**
 * Deletes stored logs in slices. One transaction for a log of years would take seconds, and everything else would wait
 * behind it. Each slice deletes some entries and shortens the spans over them (S1), so the work may stop after any slice:
 * what is left is a valid, shorter log.
 */
import {
  keysOfRoom,
  LEGACY_LOG_STORES,
  LOG_STORES,
  type UserDatabase,
  type UserWrite,
} from '../../db/userDatabase.ts';
import { DELETE_SLICE_ENTRIES } from '../../records/pageLimits.ts';
import type { Row } from '../../records/row.ts';
import type { LocalRoom } from '../../records/storedRecords.ts';
import { bumpGeneration, type LogVersion, writeIfCurrent } from './generation.ts';
import { ALL_LOG_STORES } from './storeEntries.ts';
import { resetUserRevs } from './userNames.ts';

/**
 * For a sign-out: deletes all stored entries of the user's rooms, the names of other users, and the records of rooms. Never
 * deletes or changes outbox rows, drafts and read markers, and keeps the rooms in which there is a row or a draft, or a
 * choice that waits (O4).
 *
 * May be called at any time and by several tabs at once. Where it was interrupted, or rejected because the database failed,
 * the next call goes on. A connection that still receives entries, in any tab, gets a `StaleLogError` when it stores them
 * (generation.ts), so nothing comes back. Close the connection of this tab first: otherwise it connects again, and the next
 * sync session stores the logs anew. Resolves when nothing is left to delete.
 */
export async function deleteStoredLogs(db: UserDatabase): Promise<void> {
  while (await db.write([...ALL_LOG_STORES, 'meta'], (tx) => deleteAndInvalidate(tx)));
  while (await db.write(['users'], deleteUsers));
  await db.write(['rooms', 'rows', 'drafts', 'meta'], async (tx) => {
    const rooms = await tx.objectStore('rooms').getAll();
    await Promise.all(
      rooms.map(async ({ id, choices }) => {
        if (!choices && !(await hasRowOrDraft(tx, id))) await tx.objectStore('rooms').delete(id);
      }),
    );
    await tx.objectStore('meta').delete('usersUpTo'); // the next handshake asks for all names
  });
}

/**
 * `writeIfCurrent` for work that may call `forgetLog` or `forgetAllLogs`. A log that is too long for one transaction is shortened first, in
 * slices; then `work` runs again. So `work` must be idempotent until then.
 */
export async function writeAndDeleteLogs<T>(
  db: UserDatabase,
  stores: Parameters<UserDatabase['write']>[0],
  version: LogVersion | undefined,
  work: (tx: UserWrite) => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await writeIfCurrent(db, stores, version, work);
    } catch (error) {
      if (!(error instanceof LogTooLong)) throw error;
      const shorten = async (tx: UserWrite) =>
        (await isLongerThanSlice(tx, error.room)) && (await deleteAndInvalidate(tx, error.room));
      while (await writeIfCurrent(db, [...ALL_LOG_STORES, 'meta'], version, shorten));
    }
  }
}

/**
 * Deletes all stored logs, or one room's, within the caller's transaction, which `writeAndDeleteLogs` runs and which calls
 * `bumpGeneration`.
 */
async function deleteLogs(tx: UserWrite, room?: string): Promise<void> {
  if (await isLongerThanSlice(tx, room)) throw new LogTooLong(room);
  while (await deleteSlice(tx, room));
}

/**
 * Deletes the stored log of a room, since the server's data was restored from a backup, and the read marker in it. Outbox and
 * drafts stay.
 */
export async function forgetLog(tx: UserWrite, room: string): Promise<void> {
  await deleteLogs(tx, room);
  await forgetTargetOffsets(tx, await tx.objectStore('rows').index('room').getAll(room));
  await tx.objectStore('marks').delete(room);
  const stored = await tx.objectStore('rooms').get(room);
  const logGeneration = await bumpGeneration(tx);
  if (stored) await tx.objectStore('rooms').put(forgotten(stored, logGeneration));
  await resetUserRevs(tx);
}

/** The same for all rooms. */
export async function forgetAllLogs(tx: UserWrite): Promise<void> {
  await deleteLogs(tx);
  await forgetTargetOffsets(tx, await tx.objectStore('rows').getAll());
  await tx.objectStore('marks').clear();
  const logGeneration = await bumpGeneration(tx);
  for (const stored of await tx.objectStore('rooms').getAll())
    await tx.objectStore('rooms').put({ ...forgotten(stored, logGeneration), readUpTo: 0 });
  await resetUserRevs(tx);
}

function forgotten(
  { unread: _, readers: __, settings: ___, mentions: ____, about: _____, ...stored }: LocalRoom,
  logGeneration: number,
): LocalRoom {
  return { ...stored, logGeneration };
}

/** Rows keep their content and keys (O4), but not the serverOffset of their target: the log it was in is gone. */
async function forgetTargetOffsets(tx: UserWrite, rows: readonly Row[]): Promise<void> {
  for (const row of rows) {
    if (row.targetOffset === undefined) continue;
    const { targetOffset: _, ...rest } = row;
    await tx.objectStore('rows').put(rest);
  }
}

class LogTooLong extends Error {
  readonly room: string | undefined;

  constructor(room: string | undefined) {
    super('the log is too long to be deleted in one transaction');
    this.name = 'LogTooLong';
    this.room = room;
  }
}

/** The room has something that exists only here: it stays in the list of rooms (O4). */
export async function hasRowOrDraft(tx: UserWrite, room: string): Promise<boolean> {
  const [rows, draft] = await Promise.all([
    tx.objectStore('rows').index('room').count(room),
    tx.objectStore('drafts').get(room),
  ]);
  return rows > 0 || Boolean(draft?.text);
}

async function deleteAndInvalidate(tx: UserWrite, room?: string): Promise<boolean> {
  const hasDeleted = await deleteSlice(tx, room);
  if (hasDeleted) await bumpGeneration(tx);
  return hasDeleted;
}

/** By their spans, which give the number of stored entries (S1): counting the entries themselves is slow. */
async function isLongerThanSlice(tx: UserWrite, room: string | undefined): Promise<boolean> {
  const range = room === undefined ? undefined : keysOfRoom(room);
  const spans = await Promise.all(SPAN_STORES.map((name) => tx.objectStore(name).getAll(range)));
  const held = spans.flat().reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return held > DELETE_SLICE_ENTRIES;
}

const SPAN_STORES = ['spans', 'logSpans'] as const;

/**
 * Deletes at most DELETE_SLICE_ENTRIES entries; false once nothing is left. Of each room the oldest first, and those of the
 * legacy stores before all others, since they are older: amendments are newer than their targets, so no message stays
 * without its amendments (S3). Entries outside all spans are deleted last.
 */
async function deleteSlice(tx: UserWrite, room?: string): Promise<boolean> {
  const range = room === undefined ? undefined : keysOfRoom(room);
  return (
    (await deleteOldest(tx, LEGACY_LOG_STORES, range)) ||
    (await deleteOldest(tx, LOG_STORES, range)) ||
    (await deleteRest(tx, range))
  );
}

async function deleteOldest(
  tx: UserWrite,
  [entryStore, spanStore]: typeof LOG_STORES | typeof LEGACY_LOG_STORES,
  range: IDBKeyRange | undefined,
): Promise<boolean> {
  const keys = await tx.objectStore(entryStore).getAllKeys(range, DELETE_SLICE_ENTRIES);
  const last = keys.at(-1);
  if (!last) return false;
  const oldest = IDBKeyRange.bound([keys[0]![0], 0], last);
  const spans = tx.objectStore(spanStore);
  const shortened = await spans.getAll(oldest);
  const writes: Promise<unknown>[] = [tx.objectStore(entryStore).delete(oldest)];
  for (const span of shortened) {
    writes.push(spans.delete([span.room, span.from]));
    if (span.room === last[0] && span.to > last[1]) writes.push(spans.put({ ...span, from: last[1] + 1 }));
  }
  await Promise.all(writes);
  return true;
}

/** Entries outside all spans, counts of reactions, and spans without entries, which a damaged database may have. */
async function deleteRest(tx: UserWrite, range: IDBKeyRange | undefined): Promise<boolean> {
  for (const name of ['loose', 'detached', 'reactions', ...SPAN_STORES] as const) {
    const keys = await tx.objectStore(name).getAllKeys(range, DELETE_SLICE_ENTRIES);
    if (keys.length === 0) continue;
    await tx.objectStore(name).delete(IDBKeyRange.bound(keys[0], keys.at(-1)));
    return true;
  }
  return false;
}

async function deleteUsers(tx: UserWrite): Promise<boolean> {
  const ids = await tx.objectStore('users').getAllKeys(undefined, DELETE_SLICE_ENTRIES);
  if (ids.length > 0) await tx.objectStore('users').delete(IDBKeyRange.bound(ids[0], ids.at(-1)));
  return ids.length > 0;
}
