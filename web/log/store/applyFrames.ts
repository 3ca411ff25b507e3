/**
 * Stores what the server sends: frames and range answers (entries, spans, users and settled outbox rows, in one transaction,
 * S1), and rooms (a welcome, one room's description, a room that the user has left).
 */
import type { Entry } from '../../../shared/entry.ts';
import { isAmendment, membershipOf, ruleOf } from '../../../shared/kinds.ts';
import type { Room, Users, Welcome } from '../../../shared/protocol/index.ts';
import { putFeatures } from '../../db/features.ts';
import { readCursor } from '../../db/lookups.ts';
import { type Settled, settleEchoes } from '../../db/settleRows.ts';
import type { UserDatabase, UserWrite } from '../../db/userDatabase.ts';
import type { LocalRoom } from '../../records/storedRecords.ts';
import { forgetAllLogs, forgetLog, hasRowOrDraft, writeAndDeleteLogs } from './deleteLogs.ts';
import { type LogVersion, readGeneration, StaleLogError } from './generation.ts';
import {
  conflictsWithStored,
  type LogRun,
  SYNC_STORES,
  storeDetached,
  storeEntries,
} from './storeEntries.ts';
import { putUsers, putUsersUpTo, readUsersUpTo, resetUserRevs } from './userNames.ts';

/** A run of entries with the users that the frame or answer names. */
export interface ReceivedRun {
  run: LogRun;
  users: Users;
}

export interface AppliedRun {
  /** The entries are stored and a span covers them; false if they would have left a hole. */
  stored: boolean;
  /** Outbox rows whose entries arrived. */
  settled: Settled;
  /** The server's data was restored from a backup: the stored log of the room conflicted and was deleted. */
  isRestored: boolean;
}

export async function applyFrame(
  db: UserDatabase,
  me: string,
  run: LogRun,
  users: Users,
  version?: LogVersion,
): Promise<AppliedRun> {
  return (await applyFrames(db, me, [{ run, users }], version)).applied[0]!;
}

/**
 * Applies the runs in order. `renamed`: ids of users who had another name before. Rejects with `StaleLogError`, and stores
 * nothing, if the database does not have this `version` of the logs.
 */
export function applyFrames(
  db: UserDatabase,
  me: string,
  received: readonly ReceivedRun[],
  version?: LogVersion,
): Promise<{ applied: AppliedRun[]; renamed: string[] }> {
  /** Rooms with a conflict. A log that was shortened since may lack the entry that showed it. */
  const restored = new Set<string>();
  return writeAndDeleteLogs(db, SYNC_STORES, version, async (tx) => {
    if (version && version.epoch !== (await tx.objectStore('meta').get('epoch'))) throw new StaleLogError();
    const applied: AppliedRun[] = [];
    const forgotten = new Set<string>();
    for (const { run } of received) {
      const isKnown = restored.has(run.room) && !forgotten.has(run.room);
      const isRestored = isKnown || (await conflictsWithStored(tx, run));
      if (isRestored) {
        restored.add(run.room);
        await forgetLog(tx, run.room);
        forgotten.add(run.room);
      }
      applied.push(await applyRun(tx, me, run, isRestored));
    }
    const renamed: string[] = [];
    for (const { users } of received) renamed.push(...(await putUsers(tx, users)));
    return { applied, renamed };
  });
}

/**
 * If the run would leave a hole, only entries that are useful alone are stored, as detached ones: own entries, amendments,
 * and entries with a target whose kind this version does not know.
 */
async function applyRun(tx: UserWrite, me: string, run: LogRun, isRestored: boolean): Promise<AppliedRun> {
  const { room, entries, amendments } = run;
  const settled = await settleEchoes(tx, me, room, [...entries, ...amendments]);
  const stored = !run.undescribed && (await storeEntries(tx, isRestored ? { ...run, opens: true } : run));
  const detached = entries.filter((entry) => entry.author === me || mayAmendOthers(entry));
  if (stored) await updateHead(tx, room, entries);
  else await storeDetached(tx, room, [...detached, ...amendments]);
  return { stored, settled, isRestored };
}

function mayAmendOthers(entry: Entry): boolean {
  return isAmendment(entry) || (ruleOf(entry.kind) === undefined && entry.target !== undefined);
}

/** Whether the entries have the consecutive serverOffsets `from`, `from` + 1 … Anything else is a fault of the server. */
export function isContiguous(entries: readonly Entry[], from: number): boolean {
  return entries.length > 0 && entries.every((entry, i) => entry.serverOffset === from + i);
}

const STORES = [...SYNC_STORES, 'drafts'] as const;

/** By room, the last stored serverOffset at the handshake: a shorter log was restored from a backup. */
type Ends = ReadonlyMap<string, number>;

/**
 * Stores a welcome in one transaction. Its `rooms` and `failed` are all rooms of the user; others are left. Deletes the
 * stored logs that were restored to an older state: those with `reset`, and those whose `ends` lie beyond the head.
 * Resolves with the cursors by room. Rejects with `StaleLogError`, and stores nothing, if another tab has deleted logs
 * since `version`.
 */
export function storeWelcome(
  db: UserDatabase,
  { epoch, rooms, failed, user, features, users, usersUpTo }: Welcome,
  ends: Ends = new Map(),
  version?: LogVersion,
): Promise<Map<string, number>> {
  return writeAndDeleteLogs(db, STORES, version, async (tx) => {
    const [before, generation] = [await tx.objectStore('meta').get('epoch'), await readGeneration(tx)];
    if (before !== undefined && before !== epoch) await forgetAllLogs(tx);
    await tx.objectStore('meta').put(epoch, 'epoch');
    await putFeatures(tx, features);
    const stored = new Map((await tx.objectStore('rooms').getAll()).map((room) => [room.id, room]));
    for (const room of rooms) {
      await putRoom(tx, room, stored.get(room.id), ends);
      stored.delete(room.id);
    }
    await deleteMarksBeyondHead(tx, rooms);
    for (const { id } of failed) stored.delete(id); // the user is still a member; the stored log stays
    for (const room of stored.values()) await leave(tx, room);
    if (usersUpTo < ((await readUsersUpTo(tx)) ?? 0)) await resetUserRevs(tx);
    await putUsers(tx, { ...users, [user.id]: user });
    // if a log was deleted, this welcome may lack names that changed since the restored state: the next one asks for all
    if (generation === (await readGeneration(tx))) await putUsersUpTo(tx, usersUpTo);
    return new Map((await tx.objectStore('logSpans').getAll()).map(({ room, to }) => [room, to])); // ascending, so the newest span's end wins
  });
}

/**
 * Stores a room's description. Resolves with its cursor. `counts`: the description has an unread count; answers to requests
 * have none, and then the stored count stays.
 */
export function storeRoom(
  db: UserDatabase,
  room: Room,
  ends: Ends = new Map(),
  version?: LogVersion,
  counts = true,
): Promise<number> {
  return writeAndDeleteLogs(db, STORES, version, async (tx) => {
    await putRoom(tx, room, await tx.objectStore('rooms').get(room.id), ends, counts);
    await deleteMarksBeyondHead(tx, [room]);
    return readCursor(tx, room.id);
  });
}

/** Of logs that were restored to before them, and of which nothing was stored that shows it. */
async function deleteMarksBeyondHead(tx: UserWrite, rooms: readonly Room[]): Promise<void> {
  const heads = new Map(rooms.map(({ id, head }) => [id, head]));
  for (const { room, upTo } of await tx.objectStore('marks').getAll())
    if (upTo > (heads.get(room) ?? Number.POSITIVE_INFINITY)) await tx.objectStore('marks').delete(room);
}

/** The user has left the room. Its stored log stays, since they may join again. */
export function removeRoom(db: UserDatabase, id: string): Promise<void> {
  return db.write(STORES, async (tx) => {
    const room = await tx.objectStore('rooms').get(id);
    if (room) await leave(tx, room);
  });
}

/** Keeps the room while an outbox row or a draft exists: else those would be stored but not shown (O4). */
async function leave(tx: UserWrite, room: LocalRoom): Promise<void> {
  if (!(await hasRowOrDraft(tx, room.id))) await tx.objectStore('rooms').delete(room.id);
  else if (!room.left) await tx.objectStore('rooms').put({ ...room, left: true });
}

/** Updates the stored head and the number of members by newly appended entries. */
export async function updateHead(tx: UserWrite, room: string, entries: readonly Entry[]): Promise<void> {
  const stored = await tx.objectStore('rooms').get(room);
  const fresh = entries.filter((entry) => entry.serverOffset > (stored?.head ?? Number.POSITIVE_INFINITY));
  const last = fresh.at(-1);
  if (!stored || !last) return;
  const count = (what: 'joined' | 'left') => fresh.filter((entry) => membershipOf(entry) === what).length;
  const members = Math.max(0, stored.members + count('joined') - count('left'));
  await tx.objectStore('rooms').put({ ...stored, head: last.serverOffset, members });
}

async function putRoom(tx: UserWrite, room: Room, before: LocalRoom | undefined, ends: Ends, counts = true) {
  const isRestored = room.reset || (ends.get(room.id) ?? 0) > room.head;
  if (isRestored) await forgetLog(tx, room.id);
  const stored = isRestored ? await tx.objectStore('rooms').get(room.id) : before;
  const { id, kind, name, head, readUpTo, members } = room;
  const unread = counts ? { count: room.unread ?? 0, after: readUpTo, upTo: head } : stored?.unread;
  const logGeneration = stored?.logGeneration;
  const next: LocalRoom = {
    ...{ id, kind, name, head, readUpTo, members },
    ...(unread && { unread }),
    ...(logGeneration && { logGeneration }),
  };
  if (JSON.stringify(next) !== JSON.stringify(stored)) await tx.objectStore('rooms').put(next);
}
