/** Handlers of the server's frames: what each stores. sync.ts runs one at a time, in the order of arrival. */
import type { Entry } from '../../../shared/entry.ts';
import type { Entries, Frame, Room, User, Welcome, WireError } from '../../../shared/protocol/index.ts';
import { readCursor } from '../../db/lookups.ts';
import type { UserDatabase } from '../../db/userDatabase.ts';
import type { Change } from '../../records/change.ts';
import { isContiguous, putSettings, removeRoom, storeRoom, storeWelcome } from '../store/applyFrames.ts';
import { type LogVersion, writeIfCurrent } from '../store/generation.ts';
import { putUsers } from '../store/userNames.ts';
import type { Fetcher } from './fetchMissing.ts';
import type { PendingCatchUps } from './pendingCatchUps.ts';
import type { SyncSessions } from './syncSession.ts';

/** By room, the last stored serverOffset at the handshake (buildHandshake.ts). */
export type LogEnds = ReadonlyMap<string, number>;
type RoomFrame = Frame<'room'>;

/** They reject with `StaleLogError` if another tab has deleted stored logs since `version`. */
export interface FrameHandlers {
  welcome(payload: Welcome, ends: LogEnds, version: LogVersion): Promise<void>;
  /** Several frames of one connection, in few transactions. Resolves with the keys of own entries whose rows are settled. */
  entries(frames: readonly Entries[], version: LogVersion | undefined): Promise<ReadonlySet<string>>;
  heads(payload: Record<string, number>): Promise<void>;
  room(payload: RoomFrame, ends: LogEnds, version: LogVersion | undefined): Promise<void>;
  /** Stores a room that the user joined, by the answer. Its `room` frame, before or after, describes its log. */
  joined(room: Room, ends: LogEnds, version: LogVersion | undefined): Promise<void>;
  /** A user changed their name. */
  user(user: User, version: LogVersion | undefined): Promise<void>;
  /** A member has read a room up to an entry: the user, on another device, or somebody else. */
  read(payload: Frame<'read'>, version: LogVersion | undefined): Promise<void>;
  /** The user wants something else of a room, on any device. */
  settings(payload: Frame<'settings'>, version: LogVersion | undefined): Promise<void>;
  /** A frame of entries of this room could not be parsed. */
  unreadable(room: string): Promise<void>;
}

interface Deps {
  db: UserDatabase;
  me: string;
  /** The room on the screen. */
  opened: () => string | undefined;
  sessions: SyncSessions;
  fetcher: Fetcher;
  catchUps: PendingCatchUps;
  /** Forgets which amendments were refreshed (refreshAmendments.ts). */
  forgetChecked: () => void;
  changed(change: Change): void;
  welcomed(): void;
  progressed(): void;
  /** This device has stored such a read marker itself. */
  hasRead(room: string, upTo: number): boolean;
  /** Rooms that the server cannot read, or with a record that cannot be stored. Nothing is requested until described again. */
  failing: Map<string, WireError>;
}

export function createFrameHandlers(deps: Deps): FrameHandlers {
  const { db, sessions, fetcher, catchUps, failing } = deps;
  /** Rooms that this connection has described. If their logs were restored, the description said so (S1). */
  const described = new Set<string>();

  async function welcome(payload: Welcome, ends: LogEnds, version: LogVersion): Promise<void> {
    const cursors = await storeWelcome(db, payload, ends, version);
    fetcher.connected();
    deps.forgetChecked();
    catchUps.dropAll();
    described.clear();
    failing.clear();
    for (const { id, error } of payload.failed) failing.set(id, error);
    const lacking = payload.rooms.filter((room) => isLacking(room, cursors.get(room.id) ?? 0));
    deps.welcomed();
    deps.changed({ type: 'all' });
    catchUps.restartTimer();
    const isOpened = ({ id }: Room) => (id === deps.opened() ? 0 : 1);
    for (const { id } of lacking.sort((a, b) => isOpened(a) - isOpened(b))) fetcher.fetchUpToHead(id);
    deps.progressed();
  }

  /** Whether entries are missing that no announced catch-up will bring: they have to be requested. */
  function isLacking({ id, from, head, older }: Room, cursor: number): boolean {
    described.add(id);
    failing.delete(id);
    fetcher.noteHead(id, head, 'exactly');
    fetcher.expectOlder(id, older);
    if (head <= cursor) return false;
    if (from > head) return true;
    catchUps.expect(id, from, head);
    return false;
  }

  async function entries(frames: readonly Entries[], version: LogVersion | undefined) {
    const filled = frames.filter((frame) => frame.entries.length > 0);
    const runs = filled.filter((frame) => isContiguous(frame.entries, frame.entries[0]!.serverOffset));
    const settled = runs.length > 0 ? await applyRuns(runs, version) : [];
    for (const frame of filled) if (!runs.includes(frame)) await unreadable(frame.room);
    return new Set(settled);
  }

  /** Resolves with the keys of own entries whose rows are settled. */
  async function applyRuns(runs: readonly Entries[], version: LogVersion | undefined): Promise<string[]> {
    for (const { room, entries: run } of runs) fetcher.noteHead(room, run.at(-1)!.serverOffset);
    const applied = await sessions.storeFrames(
      version,
      runs.map(({ room, entries: run, users, quotes, reactions }) => {
        const opens = catchUps.beginsAt(room, run[0]!.serverOffset);
        const amendedTo = run.at(-1)!.serverOffset;
        const undescribed = !described.has(room);
        return {
          run: { room, entries: run, amendments: [], amendedTo, opens, undescribed, quotes, reactions },
          users,
        };
      }),
    );
    runs.forEach(({ room, entries: run }, i) => {
      const wasExpected = catchUps.isExpected(room);
      const last = run.at(-1)!.serverOffset;
      const stored = applied[i]?.stored === true;
      if (stored) catchUps.reached(room, last);
      if (wasExpected) catchUps.restartTimer();
      if (failing.has(room) || !described.has(room)) return; // its description, or `heads`, will say what is missing
      if (!stored || (!catchUps.isExpected(room) && last < fetcher.headOf(room))) fetcher.fetchUpToHead(room);
    });
    deps.progressed();
    return runs.flatMap(({ entries: run }, i) =>
      (applied[i]?.settled ?? 'nothing') === 'nothing' ? [] : ownKeysIn(run, deps.me),
    );
  }

  async function heads(payload: Record<string, number>): Promise<void> {
    for (const [room, head] of Object.entries(payload)) {
      fetcher.noteHead(room, head);
      if (!catchUps.isExpected(room)) fetcher.fetchUpToHead(room);
    }
  }

  async function room(payload: RoomFrame, ends: LogEnds, version: LogVersion | undefined): Promise<void> {
    if ('removed' in payload) {
      await removeRoom(db, payload.removed, payload.reason);
      catchUps.drop(payload.removed);
      described.delete(payload.removed);
      failing.delete(payload.removed);
      fetcher.leave(payload.removed);
    } else if ('failed' in payload) {
      const { id, error } = payload.failed;
      failing.set(id, error);
      described.delete(id);
      catchUps.drop(id);
    } else {
      const changed = payload.room;
      if (isLacking(changed, await storeRoom(db, changed, ends, version))) fetcher.fetchUpToHead(changed.id);
    }
    catchUps.restartTimer();
    deps.changed({ type: 'all' });
    deps.progressed();
  }

  async function joined(room: Room, ends: LogEnds, version: LogVersion | undefined): Promise<void> {
    await storeRoom(db, room, ends, version, false);
    deps.changed({ type: 'all' });
  }

  async function user({ id, name, rev }: User, version: LogVersion | undefined): Promise<void> {
    const renamed = await writeIfCurrent(db, ['users', 'meta'], version, (tx) =>
      putUsers(tx, { [id]: { name, rev } }),
    );
    if (renamed.length > 0) deps.changed({ type: 'users', users: renamed });
  }

  async function read({ room, user, upTo }: Frame<'read'>, version: LogVersion | undefined): Promise<void> {
    if (user !== deps.me || deps.hasRead(room, upTo)) return;
    const hasGrown = await writeIfCurrent(db, ['rooms', 'meta'], version, async (tx) => {
      const stored = await tx.objectStore('rooms').get(room);
      if (!stored || upTo <= stored.readUpTo) return false;
      await tx.objectStore('rooms').put({ ...stored, readUpTo: upTo });
      return true;
    });
    if (hasGrown) deps.changed({ type: 'marks', rooms: [room] });
  }

  async function settings(payload: Frame<'settings'>, version: LogVersion | undefined): Promise<void> {
    const hasChanged = await writeIfCurrent(db, ['rooms', 'meta'], version, (tx) =>
      putSettings(tx, payload.room, payload.settings),
    );
    if (hasChanged) deps.changed({ type: 'marks', rooms: [payload.room] });
  }

  async function unreadable(room: string): Promise<void> {
    fetcher.noteHead(room, 1 + (await db.read(['logSpans'], (tx) => readCursor(tx, room)))); // at least one entry more; the answer will say how many
    catchUps.drop(room);
    fetcher.fetchUpToHead(room);
  }

  return { welcome, entries, heads, room, joined, user, read, settings, unreadable };
}

export function ownKeysIn(entries: readonly Entry[], me: string): string[] {
  return entries.flatMap(({ author, clientOffset }) => (author === me ? clientOffset : []));
}
