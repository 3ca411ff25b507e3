/** Keeps the database in step with the server's logs: frames in, in the order they came; what they lack is fetched (S2). */
import type { Down, Entries, Frame, Handshake, Room, Welcome } from '../../shared/protocol/index.ts';
import type { Change } from '../db/changes.ts';
import type { Clock } from '../db/clock.ts';
import { isFull } from '../db/failure.ts';
import type { UserDatabase } from '../db/schema.ts';
import type { StorageHealth } from '../state/storageState.ts';
import type { Link } from '../transport/link.ts';
import { createAnnounced } from './announced.ts';
import { createAsking } from './asking.ts';
import { createEras } from './era.ts';
import { createFetch, type Fetch } from './fetch.ts';
import { createFreshen, type Freshen } from './freshen.ts';
import { readBeginning } from './handshake.ts';
import { cursorIn } from './hold.ts';
import { removeRoom, storeRoom, storeWelcome } from './rooms.ts';
import { isRun, OtherEpoch } from './take.ts';

/** `check`: an own entry was acknowledged at a place that nothing held covers: it may be amended already. */
export interface Sync extends Pick<Fetch, 'older' | 'newer' | 'check'>, Pick<Freshen, 'freshen'> {
  handshake(): Promise<Handshake>;
  frame(frame: Down): void;
  /** A frame of entries could not be read. */
  unreadable(room: unknown): void;
  down(): void;
  /** A room one has come into, as an answer says it: its frame may come before or after. */
  joined(room: Room): Promise<void>;
  left(room: string): Promise<void>;
  /** True while what was missed is not here yet. */
  catchingUp(): boolean;
  /** Milliseconds to add to the device's clock to have the server's: 0 until it said what it has. For people to read. */
  offsetOfClock(): number;
  close(): void;
}

export interface SyncDeps {
  db: UserDatabase;
  me: string;
  /** The room that is being looked at. */
  opened: () => string | undefined;
  link: () => Pick<Link, 'ask' | 'tell'>;
  clock: Clock;
  random: () => number;
  changed(change: Change): void;
  storage: StorageHealth;
  /** Another device of the user, or another member, read so far. */
  read(frame: Frame<'read'>): void;
  /** A welcome was taken, whatever the catch-up still brings. */
  welcomed(): void;
  /** `catchingUp` may have another answer. */
  progressed(): void;
}

export function createSync(deps: SyncDeps): Sync {
  const { db, me, clock } = deps;
  /** Where each log that is held ended when the connection was begun. */
  let ends: ReadonlyMap<string, number> = new Map();
  /** Frames of entries that wait for their turn, to be stored at once; another frame closes it. */
  let batch: Entries[] | undefined;
  let welcoming = false;
  let clockOffset = 0;
  let closed = false;

  const eras = createEras({
    db,
    me,
    changed: deps.changed,
    unusable: () => deps.link().tell({ type: 'unusable' }),
    putBack(rooms) {
      forget();
      rooms.forEach(fetch.want);
    },
  });
  const asking = createAsking({ link: deps.link, eras, clock, random: deps.random });
  const fetch = createFetch({
    db,
    asking,
    eras,
    clock,
    random: deps.random,
    failed,
    refused: () => deps.changed({ type: 'all' }), // one is in it no more: the next welcome, or `room`, says so
    progressed: deps.progressed,
  });
  const { freshen, forget } = createFreshen({ db, asking, eras });
  const announced = createAnnounced(clock, (late) => {
    late.forEach(fetch.want);
    deps.progressed();
  });

  function failed(error: unknown): void {
    if (closed) return;
    if (!(error instanceof OtherEpoch)) deps.storage.failed(error);
    console.warn('what the server sent could not be stored', error);
  }

  /**
   * What cannot be stored has to come again, from where the database stands then. A device that is full would not take it
   * the next time either: what waits is sent all the same, and the storage state says when there is room (O2).
   */
  function attempt(work: () => Promise<void>): void {
    eras.next(work).then(deps.storage.worked, (error) => {
      failed(error);
      if (closed) return;
      if (!isFull(error)) return deps.link().tell({ type: 'unusable' });
      if (welcoming) deps.welcomed();
      welcoming = false;
      deps.progressed();
    });
  }

  function frame(received: Down): void {
    if (closed) return;
    if (received.event !== 'entries') batch = undefined;
    switch (received.event) {
      case 'welcome': {
        const begun = ends;
        welcoming = true;
        clockOffset = received.payload.now - clock.now();
        eras.begin(received.payload.epoch);
        attempt(() => welcome(received.payload, begun));
        return;
      }
      case 'entries':
        arrived(received.payload);
        return;
      case 'heads':
        attempt(() => heads(received.payload));
        return;
      case 'room':
        attempt(() => roomChanged(received.payload));
        return;
      case 'read':
        deps.read(received.payload);
        return;
      case 'typing':
      case 'bye':
        return;
    }
  }

  async function welcome(payload: Welcome, begun: ReadonlyMap<string, number>): Promise<void> {
    const cursors = await storeWelcome(db, payload, begun);
    fetch.up();
    forget();
    announced.dropAll();
    const lacking = payload.rooms.filter((room) => isLacking(room, cursors.get(room.id) ?? 0));
    welcoming = false;
    deps.welcomed();
    deps.changed({ type: 'all' });
    announced.wait();
    const isOpened = ({ id }: Room) => (id === deps.opened() ? 0 : 1);
    for (const { id } of lacking.sort((a, b) => isOpened(a) - isOpened(b))) fetch.want(id);
    deps.progressed();
  }

  /** True when it has to be asked for: more is missing, and no catch-up was announced that brings it and may open a span. */
  function isLacking({ id, from, head }: Room, cursor: number): boolean {
    fetch.know(id, head, 'exactly');
    if (head <= cursor) return false;
    if (from > head) return true;
    announced.expect(id, from, head);
    return false;
  }

  /** A catch-up is hundreds of frames: each in a transaction of its own would be a sync of the disk for each. */
  function arrived(payload: Entries): void {
    if (batch && batch.length < FRAMES_AT_ONCE) {
      batch.push(payload);
      return;
    }
    const mine = [payload];
    batch = mine;
    const epoch = eras.now()?.epoch;
    attempt(() => {
      if (batch === mine) batch = undefined;
      return entries(mine, epoch);
    });
  }

  async function entries(frames: readonly Entries[], epoch: string | undefined): Promise<void> {
    const runs = frames.filter(({ room, entries: run }) => {
      if (run.length === 0) return false;
      const isOne = isRun(run, run[0]!.serverOffset);
      if (!isOne) unreadable(room);
      return isOne;
    });
    if (runs.length === 0) return;
    for (const { room, entries: run } of runs) fetch.know(room, run.at(-1)!.serverOffset);
    const taken = await eras.frames(
      epoch,
      runs.map(({ room, entries: run, users }) => {
        const opens = announced.beginsAt(room, run[0]!.serverOffset);
        const amendedTo = run.at(-1)!.serverOffset;
        return { incoming: { room, entries: run, amendments: [], amendedTo, opens }, users };
      }),
    );
    runs.forEach(({ room, entries: run }, i) => {
      const wasExpected = announced.isExpected(room);
      const last = run.at(-1)!.serverOffset;
      const { held } = taken[i]!;
      if (held) announced.reached(room, last);
      if (wasExpected) announced.wait();
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

  async function roomChanged(payload: { room: Room } | { removed: string }): Promise<void> {
    if ('removed' in payload) {
      await removeRoom(db, payload.removed);
      announced.drop(payload.removed);
      fetch.leave(payload.removed);
    } else {
      const { room } = payload;
      if (isLacking(room, await storeRoom(db, room, ends))) fetch.want(room.id);
    }
    announced.wait();
    deps.changed({ type: 'all' });
    deps.progressed();
  }

  function unreadable(room: unknown): void {
    if (typeof room !== 'string' || closed) return;
    attempt(async () => {
      fetch.know(room, 1 + (await db.read(['spans'], (tx) => cursorIn(tx, room)))); // one at least; the answer says more
      announced.drop(room);
      fetch.want(room);
    });
  }

  return {
    async handshake() {
      const beginning = await readBeginning(db, me, deps.opened());
      ends = beginning.ends;
      return beginning.handshake;
    },
    frame,
    unreadable,
    down() {
      welcoming = false;
      eras.end();
      fetch.down();
      announced.dropAll();
      announced.wait();
    },
    joined: (room) => eras.next(() => roomChanged({ room })),
    left: (room) => eras.next(() => roomChanged({ removed: room })),
    older: fetch.older,
    newer: fetch.newer,
    freshen,
    check: fetch.check,
    offsetOfClock: () => clockOffset,
    catchingUp: () => welcoming || announced.isAny() || fetch.isBusy(),
    close() {
      closed = true;
      fetch.close();
      asking.close();
      announced.dropAll();
      announced.wait();
    },
  };
}

/** So many frames are stored in one transaction: more would take longer than the slowest device may. */
const FRAMES_AT_ONCE = 20;
