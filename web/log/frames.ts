/** What each frame of the server's does to what is held. Each runs alone, in the order in which they came (sync.ts). */
import type { Entries, Frame, Room, User, Welcome, WireError } from '../../shared/protocol/index.ts';
import type { Change } from '../db/changes.ts';
import type { UserDatabase } from '../db/schema.ts';
import type { Announced } from './announced.ts';
import type { Eras } from './era.ts';
import type { Fetch } from './fetch.ts';
import { type LogsHeld, writeLogs } from './generation.ts';
import { cursorIn } from './readSpans.ts';
import { removeRoom, storeRoom, storeWelcome } from './rooms.ts';
import { isRun } from './take.ts';
import { putUsers } from './users.ts';

/** Where each log that is held ended when the connection was begun. */
export type Ends = ReadonlyMap<string, number>;

type RoomFrame = Frame<'room'>;

/** What was forgotten of these logs since is an `OtherEpoch`. */
export interface Frames {
  welcome(payload: Welcome, ends: Ends, logs: LogsHeld): Promise<void>;
  /** Of one connection to these logs; all in one transaction. */
  entries(frames: readonly Entries[], logs: LogsHeld | undefined): Promise<void>;
  heads(payload: Record<string, number>): Promise<void>;
  room(payload: RoomFrame, ends: Ends, logs: LogsHeld | undefined): Promise<void>;
  /** A room, as an answer has it: it shows. Of its log the frame `room` tells, which may come before or after. */
  joined(room: Room, ends: Ends, logs: LogsHeld | undefined): Promise<void>;
  /** Somebody has another name. */
  user(user: User, logs: LogsHeld | undefined): Promise<void>;
  /** Entries of this room came that could not be read. */
  unreadable(room: string): Promise<void>;
}

interface Deps {
  db: UserDatabase;
  /** The room that is being looked at. */
  opened: () => string | undefined;
  eras: Eras;
  fetch: Fetch;
  announced: Announced;
  /** What was asked about is to be asked about again. */
  forget: () => void;
  changed(change: Change): void;
  welcomed(): void;
  progressed(): void;
  /** Rooms that cannot be read, or of which something cannot be stored: nothing is asked of them until they are described. */
  failing: Map<string, WireError>;
}

export function createFrames(deps: Deps): Frames {
  const { db, eras, fetch, announced, failing } = deps;
  /** The rooms that this connection has told of: where their logs were put back, it has said so (S1). */
  const described = new Set<string>();

  async function welcome(payload: Welcome, ends: Ends, logs: LogsHeld): Promise<void> {
    const cursors = await storeWelcome(db, payload, ends, logs);
    fetch.up();
    deps.forget();
    announced.dropAll();
    described.clear();
    failing.clear();
    for (const { id, error } of payload.failed) failing.set(id, error);
    const lacking = payload.rooms.filter((room) => isLacking(room, cursors.get(room.id) ?? 0));
    deps.welcomed();
    deps.changed({ type: 'all' });
    announced.wait();
    const isOpened = ({ id }: Room) => (id === deps.opened() ? 0 : 1);
    for (const { id } of lacking.sort((a, b) => isOpened(a) - isOpened(b))) fetch.want(id);
    deps.progressed();
  }

  /** True when it has to be asked for: more is missing, and no catch-up was announced that brings it and may open a span. */
  function isLacking({ id, from, head, older }: Room, cursor: number): boolean {
    described.add(id);
    failing.delete(id);
    fetch.know(id, head, 'exactly');
    fetch.expectOlder(id, older);
    if (head <= cursor) return false;
    if (from > head) return true;
    announced.expect(id, from, head);
    return false;
  }

  async function entries(frames: readonly Entries[], logs: LogsHeld | undefined): Promise<void> {
    const filled = frames.filter((frame) => frame.entries.length > 0);
    const runs = filled.filter((frame) => isRun(frame.entries, frame.entries[0]!.serverOffset));
    if (runs.length > 0) await take(runs, logs);
    for (const frame of filled) if (!runs.includes(frame)) await unreadable(frame.room);
  }

  async function take(runs: readonly Entries[], logs: LogsHeld | undefined): Promise<void> {
    for (const { room, entries: run } of runs) fetch.know(room, run.at(-1)!.serverOffset);
    const taken = await eras.frames(
      logs,
      runs.map(({ room, entries: run, users }) => {
        const opens = announced.beginsAt(room, run[0]!.serverOffset);
        const amendedTo = run.at(-1)!.serverOffset;
        const apart = !described.has(room);
        return { incoming: { room, entries: run, amendments: [], amendedTo, opens, apart }, users };
      }),
    );
    runs.forEach(({ room, entries: run }, i) => {
      const wasExpected = announced.isExpected(room);
      const last = run.at(-1)!.serverOffset;
      const held = taken[i]?.held === true;
      if (held) announced.reached(room, last);
      if (wasExpected) announced.wait();
      if (failing.has(room) || !described.has(room)) return; // it will be, or `heads` says what is missing
      if (!held || (!announced.isExpected(room) && last < fetch.headOf(room))) fetch.want(room);
    });
    deps.progressed();
  }

  async function heads(payload: Record<string, number>): Promise<void> {
    for (const [room, head] of Object.entries(payload)) {
      fetch.know(room, head);
      if (!announced.isExpected(room)) fetch.want(room);
    }
  }

  async function room(payload: RoomFrame, ends: Ends, logs: LogsHeld | undefined): Promise<void> {
    if ('removed' in payload) {
      await removeRoom(db, payload.removed);
      announced.drop(payload.removed);
      described.delete(payload.removed);
      failing.delete(payload.removed);
      fetch.leave(payload.removed);
    } else if ('failed' in payload) {
      const { id, error } = payload.failed;
      failing.set(id, error);
      described.delete(id);
      announced.drop(id);
    } else {
      const changed = payload.room;
      if (isLacking(changed, await storeRoom(db, changed, ends, logs))) fetch.want(changed.id);
    }
    announced.wait();
    deps.changed({ type: 'all' });
    deps.progressed();
  }

  async function joined(room: Room, ends: Ends, logs: LogsHeld | undefined): Promise<void> {
    await storeRoom(db, room, ends, logs, false);
    deps.changed({ type: 'all' });
  }

  async function user({ id, name, rev }: User, logs: LogsHeld | undefined): Promise<void> {
    const renamed = await writeLogs(db, ['users', 'meta'], logs, (tx) =>
      putUsers(tx, { [id]: { name, rev } }),
    );
    if (renamed.length > 0) deps.changed({ type: 'users', users: renamed });
  }

  async function unreadable(room: string): Promise<void> {
    fetch.know(room, 1 + (await db.read(['logSpans'], (tx) => cursorIn(tx, room)))); // one at least; the answer says more
    announced.drop(room);
    fetch.want(room);
  }

  return { welcome, entries, heads, room, joined, user, unreadable };
}
