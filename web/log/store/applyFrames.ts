/**
 * Stores what the server sends: frames and range answers (entries, spans, users and settled outbox rows, in one transaction,
 * S1), and rooms (a welcome, one room's description, a room that the user has left).
 */
import { changedBy } from '../../../shared/aboutRoom.ts';
import type { Entry } from '../../../shared/entry.ts';
import {
  isAmendment,
  isMentioned,
  isRemoval,
  isReplacement,
  membershipOf,
  ruleOf,
} from '../../../shared/kinds.ts';
import type { Room, Users, Welcome } from '../../../shared/protocol/index.ts';
import type { Clock } from '../../db/clock.ts';
import { putFeatures } from '../../db/features.ts';
import { readCursor } from '../../db/lookups.ts';
import { type Settled, settleCreation, settleEchoes } from '../../db/settleRows.ts';
import { LOG_STORES, type UserDatabase, type UserWrite } from '../../db/userDatabase.ts';
import { STORE_GROUP_ENTRIES, STORE_SLICE_MS } from '../../records/pageLimits.ts';
import { isCreationRow } from '../../records/row.ts';
import type { LocalRoom } from '../../records/storedRecords.ts';
import { forgetAllLogs, forgetLog, hasRowOrDraft, writeAndDeleteLogs } from './deleteLogs.ts';
import { type LogVersion, readGeneration, StaleLogError, writeIfCurrent } from './generation.ts';
import {
  conflictsWithStored,
  type LogRun,
  SYNC_STORES,
  storeDetached,
  storeEntries,
} from './storeEntries.ts';
import { storeReactions } from './storeReactions.ts';
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
  return (await applyFrames(db, me, [{ run, users }], version, { ticks: () => 0 })).applied[0]!;
}

/**
 * Applies the first of the runs, in order, in one transaction: as many as fit into STORE_SLICE_MS, at least one group of
 * STORE_GROUP_ENTRIES. `applied` tells how many; the caller goes on with the others in the next transaction. Between two of
 * them other transactions run, above all the outbox's. `rows` is in the scope only of runs that may settle a row:
 * others never delay a message that is being queued.
 *
 * `renamed`: ids of users who had another name before. Rejects with `StaleLogError`, and stores nothing, if the database
 * does not have this `version` of the logs.
 */
export async function applyFrames(
  db: UserDatabase,
  me: string,
  received: readonly ReceivedRun[],
  version: LogVersion | undefined,
  clock: Pick<Clock, 'ticks'>,
): Promise<{ applied: AppliedRun[]; renamed: string[] }> {
  const settling = await runsThatSettle(db, me, received);
  const settles = settling.has(received[0]!);
  const end = received.findIndex((each) => settling.has(each) !== settles);
  const runs = end < 0 ? received : received.slice(0, end);
  const stores = settles ? ([...FRAME_STORES, 'rows'] as const) : FRAME_STORES;
  /** Rooms with a conflict. A log that was shortened since may lack the entry that showed it. */
  const restored = new Set<string>();
  return writeWidening(db, stores, SYNC_STORES, version, async (tx, widen) => {
    if (version && version.epoch !== (await tx.objectStore('meta').get('epoch'))) throw new StaleLogError();
    const began = clock.ticks();
    const forgotten = new Set<string>();
    const forgetIfRestored = async (run: LogRun) => {
      const isKnown = restored.has(run.room) && !forgotten.has(run.room);
      if (!isKnown && !(await conflictsWithStored(tx, run))) return false;
      restored.add(run.room);
      forgotten.add(run.room);
      widen();
      await forgetLog(tx, run.room);
      return true;
    };
    const applied: AppliedRun[] = [];
    do {
      const group = firstGroup(runs.slice(applied.length));
      applied.push(
        ...(await inOrderOfRooms(group, async ({ run }) =>
          applyRun(tx, me, run, settles, await forgetIfRestored(run)),
        )),
      );
    } while (applied.length < runs.length && clock.ticks() - began < STORE_SLICE_MS);
    return { applied, renamed: await putUsers(tx, newestUsers(runs.slice(0, applied.length))) };
  });
}

/**
 * The runs that may settle rows: those with own entries. Of many entries, those whose rows are there: what was written on
 * another device has none. A row exists before its entry does and is never added again, so a row that is not there now will
 * not be there in the transaction.
 */
async function runsThatSettle(
  db: UserDatabase,
  me: string,
  received: readonly ReceivedRun[],
): Promise<ReadonlySet<ReceivedRun>> {
  const ownKeys = ({ run }: ReceivedRun) =>
    [...run.entries, ...run.amendments].flatMap((entry) => (entry.author === me ? entry.clientOffset : []));
  const own = received.filter((each) => ownKeys(each).length > 0);
  if (own.reduce((sum, { run }) => sum + run.entries.length, 0) <= LIVE_ENTRIES) return new Set(own);
  return db.read(['rows'], async (tx) => {
    const byKey = tx.objectStore('rows').index('clientOffset');
    const rows = await Promise.all(
      own.map((each) => Promise.all(ownKeys(each).map((key) => byKey.getKey(key)))),
    );
    return new Set(own.filter((_, i) => rows[i]!.some((seq) => seq !== undefined)));
  });
}

/** So few entries are stored about as soon as their rows are looked up. */
const LIVE_ENTRIES = 20;

/** The runs whose requests are issued together. */
function firstGroup(runs: readonly ReceivedRun[]): readonly ReceivedRun[] {
  let entries = 0;
  const end = runs.findIndex(({ run }) => {
    const isFull = entries >= STORE_GROUP_ENTRIES;
    entries += run.entries.length;
    return isFull;
  });
  return end < 0 ? runs : runs.slice(0, end);
}

/** Runs of one room one after the other, those of different rooms at once: they touch different records. */
async function inOrderOfRooms<T>(
  runs: readonly ReceivedRun[],
  work: (received: ReceivedRun) => Promise<T>,
): Promise<T[]> {
  const lasts = new Map<string, Promise<unknown>>();
  return Promise.all(
    runs.map((received) => {
      const { room } = received.run;
      const done = (lasts.get(room) ?? Promise.resolve()).then(() => work(received));
      lasts.set(room, done);
      return done;
    }),
  );
}

/** Of each user the greatest `rev`; of equal ones the last. */
function newestUsers(received: readonly ReceivedRun[]): Users {
  const newest: Users = {};
  for (const { users } of received)
    for (const [id, user] of Object.entries(users)) if (user.rev >= (newest[id]?.rev ?? 0)) newest[id] = user;
  return newest;
}

/**
 * Runs `work` in a transaction of `few` stores. Where it needs others it calls `widen` first; then it runs again, in a
 * transaction of `all`, in which it may delete logs.
 */
async function writeWidening<T>(
  db: UserDatabase,
  few: WriteScope,
  all: WriteScope,
  version: LogVersion | undefined,
  work: (tx: UserWrite, widen: () => void) => Promise<T>,
): Promise<T> {
  try {
    return await writeIfCurrent(db, few, version, (tx) =>
      work(tx, () => {
        throw new ScopeTooNarrow();
      }),
    );
  } catch (error) {
    if (!(error instanceof ScopeTooNarrow)) throw error;
    return writeAndDeleteLogs(db, all, version, (tx) => work(tx, () => {}));
  }
}

type WriteScope = Parameters<UserDatabase['write']>[0];

class ScopeTooNarrow extends Error {
  constructor() {
    super('the transaction needs more stores');
    this.name = 'ScopeTooNarrow';
  }
}

const FRAME_STORES = [...LOG_STORES, 'reactions', 'users', 'rooms', 'meta'] as const;

/**
 * If the run would leave a hole, only entries that are useful alone are stored, as detached ones: own entries, amendments,
 * and entries with a target whose kind this version does not know. `settles`: it may have own entries.
 */
async function applyRun(
  tx: UserWrite,
  me: string,
  run: LogRun,
  settles: boolean,
  isRestored: boolean,
): Promise<AppliedRun> {
  const { room, entries, amendments } = run;
  const settled = settles ? await settleEchoes(tx, me, room, [...entries, ...amendments]) : 'nothing';
  const stored = !run.undescribed && (await storeEntries(tx, isRestored ? { ...run, opens: true } : run));
  const detached = entries.filter((entry) => entry.author === me || mayAmendOthers(entry));
  if (!run.undescribed) await storeReactions(tx, me, run);
  if (stored) await updateHead(tx, room, entries, me);
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
/** Without those of entries and of the outbox: a welcome describes up to MEMBERSHIPS_MAX rooms. */
const WELCOME_STORES = ['rooms', 'users', 'logSpans', 'marks', 'meta'] as const;

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
  { epoch, rooms, failed, gone = [], user, features, users, usersUpTo }: Welcome,
  ends: Ends = new Map(),
  version?: LogVersion,
): Promise<Map<string, number>> {
  return writeWidening(db, WELCOME_STORES, STORES, version, async (tx, widen) => {
    const [before, generation] = [await tx.objectStore('meta').get('epoch'), await readGeneration(tx)];
    if (before !== undefined && before !== epoch) {
      widen();
      await forgetAllLogs(tx);
    }
    const restored = rooms.filter((room) => isRestored(room, ends));
    if (restored.length > 0) widen();
    for (const { id } of restored) await forgetLog(tx, id);
    await tx.objectStore('meta').put(epoch, 'epoch');
    await putFeatures(tx, features);
    const stored = new Map((await tx.objectStore('rooms').getAll()).map((room) => [room.id, room]));
    const made = rooms.filter(({ id }) => stored.get(id)?.making);
    if (made.length > 0) widen();
    for (const { id } of made) await settleCreation(tx, id);
    await Promise.all(rooms.map((room) => putRoom(tx, room, stored.get(room.id))));
    await deleteMarksBeyondHead(tx, rooms);
    for (const { id } of [...rooms, ...failed]) stored.delete(id); // of a failed room the user is still a member; the stored log stays
    if (stored.size > 0) widen();
    for (const room of stored.values()) await leave(tx, room, gone.find(({ id }) => id === room.id)?.reason);
    if (usersUpTo < ((await readUsersUpTo(tx)) ?? 0)) await resetUserRevs(tx);
    await putUsers(tx, { ...users, ...othersIn(rooms), [user.id]: user });
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
  return writeWidening(db, WELCOME_STORES, STORES, version, async (tx, widen) => {
    if (isRestored(room, ends)) {
      widen();
      await forgetLog(tx, room.id);
    }
    const stored = await tx.objectStore('rooms').get(room.id);
    if (stored?.making) {
      widen();
      await settleCreation(tx, room.id);
    }
    await putRoom(tx, room, stored, counts);
    await putUsers(tx, othersIn([room]));
    await deleteMarksBeyondHead(tx, [room]);
    return readCursor(tx, room.id);
  });
}

/** The other ones of direct conversations. */
function othersIn(rooms: readonly Room[]): Users {
  return Object.fromEntries(rooms.flatMap(({ with: other }) => (other ? [[other.id, other]] : [])));
}

/** Of logs that were restored to before them, and of which nothing was stored that shows it. */
async function deleteMarksBeyondHead(tx: UserWrite, rooms: readonly Room[]): Promise<void> {
  const heads = new Map(rooms.map(({ id, head }) => [id, head]));
  for (const { room, upTo } of await tx.objectStore('marks').getAll())
    if (upTo > (heads.get(room) ?? Number.POSITIVE_INFINITY)) await tx.objectStore('marks').delete(room);
}

/** The user has left the room. Its stored log stays, since they may join again. */
export function removeRoom(db: UserDatabase, id: string, reason?: string): Promise<void> {
  return db.write(STORES, async (tx) => {
    const room = await tx.objectStore('rooms').get(id);
    if (room) await leave(tx, room, reason);
  });
}

/** The person knows that they were removed from this room: it stays only as long as something of theirs is in it. */
export function forgetExit(db: UserDatabase, id: string): Promise<void> {
  return db.write(STORES, async (tx) => {
    const room = await tx.objectStore('rooms').get(id);
    if (!room?.left) return;
    const { out: _, left: __, ...rest } = room;
    await leave(tx, rest);
  });
}

/**
 * Keeps the room while an outbox row or a draft exists, or until the person has seen why they are out: else those would be stored but not shown (O4). Nobody leaves a direct
 * conversation: it has not begun yet on the server, or not any more since that was restored.
 */
async function leave(tx: UserWrite, room: LocalRoom, reason = room.out): Promise<void> {
  if (room.kind === 'direct' || (await isMade(tx, room))) return;
  if (reason !== undefined) {
    if (!room.left || room.out !== reason)
      await tx.objectStore('rooms').put({ ...room, left: true, out: reason });
  } else if (!(await hasRowOrDraft(tx, room.id))) await tx.objectStore('rooms').delete(room.id);
  else if (!room.left) await tx.objectStore('rooms').put({ ...room, left: true });
}

/** The room is being made on this device: the server does not know it yet. */
async function isMade(tx: UserWrite, { id, making }: LocalRoom): Promise<boolean> {
  return !!making && (await tx.objectStore('rows').index('unshown').getAll([id, 1])).some(isCreationRow);
}

/** The mentions beyond the read marker, with those in the new entries, and without messages that these delete. */
function mentionsAfter(
  before: readonly number[],
  fresh: readonly Entry[],
  readUpTo: number,
  me: string,
): number[] {
  const removed = new Set(fresh.filter(isRemoval).map(({ target }) => target));
  const added = fresh.flatMap((entry) => (isMentioned(entry, me) ? entry.serverOffset : []));
  return [...before, ...added].filter((offset) => offset > readUpTo && !removed.has(offset));
}

/** Updates the stored head, the number of members, the mentions, the name and what the room is about by these entries. */
export async function updateHead(
  tx: UserWrite,
  room: string,
  entries: readonly Entry[],
  me: string,
): Promise<void> {
  const stored = await tx.objectStore('rooms').get(room);
  const fresh = entries.filter((entry) => entry.serverOffset > (stored?.head ?? Number.POSITIVE_INFINITY));
  const last = fresh.at(-1);
  const changed = stored && withPinnedEdit(changedBy(stored, entries), entries); // of any age: a catch-up has entries that are not beyond the head
  if (!changed || (!last && changed === stored)) return;
  const count = (what: 'joined' | 'left') => fresh.filter((entry) => membershipOf(entry) === what).length;
  const members = Math.max(0, stored.members + count('joined') - count('left'));
  const { mentions: before, ...kept } = changed;
  const mentions = mentionsAfter(before ?? [], fresh, stored.readUpTo, me);
  await tx.objectStore('rooms').put({
    ...kept,
    head: last?.serverOffset ?? stored.head,
    members,
    ...(mentions.length > 0 && { mentions }),
  });
}

function withPinnedEdit(room: LocalRoom, entries: readonly Entry[]): LocalRoom {
  const { pinned } = room.about ?? {};
  const edit = pinned && entries.findLast((entry) => isReplacement(entry) && entry.target === pinned);
  return edit ? { ...room, pinnedEdit: edit.serverOffset } : room;
}

function isRestored(room: Room, ends: Ends): boolean {
  return room.reset === true || (ends.get(room.id) ?? 0) > room.head;
}

async function putRoom(tx: UserWrite, room: Room, stored: LocalRoom | undefined, counts = true) {
  const { id, kind, head, readUpTo, members } = room;
  const isOlder = (room.about?.upTo ?? 0) < (stored?.about?.upTo ?? 0); // a frame may have told newer values before
  const { name, about } = isOlder ? stored! : room;
  const unread = counts ? { count: room.unread ?? 0, after: readUpTo, upTo: head } : stored?.unread;
  const logGeneration = stored?.logGeneration;
  const mentions = counts ? room.mentions : stored?.mentions;
  const settings = newerSettings(room.settings, stored?.settings);
  const next: LocalRoom = {
    ...{ id, kind, name, head, readUpTo, members },
    ...(unread && { unread }),
    ...(stored?.readers && { readers: stored.readers }),
    ...(mentions?.length && { mentions }),
    ...(settings && { settings }),
    ...(about && { about }),
    ...(stored?.role && { role: stored.role }),
    ...(stored?.pinnedEdit && { pinnedEdit: stored.pinnedEdit }),
    ...(stored?.choices && { choices: stored.choices }),
    ...(logGeneration && { logGeneration }),
  };
  if (JSON.stringify(next) !== JSON.stringify(stored)) await tx.objectStore('rooms').put(next);
}

/** A frame may have told newer ones before. */
function newerSettings(some: LocalRoom['settings'], others: LocalRoom['settings']): LocalRoom['settings'] {
  return (some?.rev ?? 0) < (others?.rev ?? 0) ? others : some;
}

/** Stores what the user wants of a room; false where newer settings are stored, or the user is not in the room. */
export async function putSettings(
  tx: UserWrite,
  id: string,
  settings: NonNullable<LocalRoom['settings']>,
): Promise<boolean> {
  const room = await tx.objectStore('rooms').get(id);
  if (!room || settings.rev <= (room.settings?.rev ?? 0)) return false;
  await tx.objectStore('rooms').put({ ...room, settings });
  return true;
}
