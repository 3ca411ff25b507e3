/** Keeps the database in step with the server's logs: frames in, in the order they came; what they lack is fetched (S2). */
import type { Down, Entries, Frame, Handshake, Room, WireError } from '../../shared/protocol/index.ts';
import type { Change } from '../db/changes.ts';
import type { Clock } from '../db/clock.ts';
import { isFull } from '../db/failure.ts';
import type { UserDatabase } from '../db/schema.ts';
import type { StorageHealth } from '../state/storageState.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';
import { createAnnounced } from './announced.ts';
import { createAsking } from './asking.ts';
import { createEras } from './era.ts';
import { createFetch, type Fetch } from './fetch.ts';
import { createFrames, type Ends } from './frames.ts';
import { createFreshen, type Freshen } from './freshen.ts';
import { type LogsHeld, OtherEpoch } from './generation.ts';
import { readBeginning } from './handshake.ts';

/** `check`: an own entry was acknowledged at a place that nothing held covers: it may be amended already. */
export interface Sync extends Pick<Fetch, 'older' | 'newer' | 'around' | 'check'>, Pick<Freshen, 'freshen'> {
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
  /** Rooms that cannot be read now, and why. What is held of them stays; the server tries them again. */
  failing(): ReadonlyMap<string, WireError>;
  /** Milliseconds to add to the device's clock to have the server's: 0 until it said what it has. For people to read. */
  offsetOfClock(): number;
  close(): void;
}

export interface SyncDeps {
  db: UserDatabase;
  me: string;
  /** The room that is being looked at. */
  opened: () => string | undefined;
  link: () => Pick<ConnectionRunner, 'ask' | 'tell'>;
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
  /** Where each log that is held ended when the connection was begun, and of which logs that was. */
  let ends: Ends = new Map();
  let generation = 0;
  /** Frames of entries that wait for their turn, to be stored at once; another frame closes it. */
  let batch: Entries[] | undefined;
  let welcoming = false;
  /** Why the device has no room for the welcome of this connection: what belongs to it comes with the next one. */
  let missed: unknown;
  const failing = new Map<string, WireError>();
  let clockOffset = 0;
  let closed = false;

  const eras = createEras({
    db,
    me,
    changed: deps.changed,
    unusable,
    unstorable(room, error) {
      console.warn('what came of a room could not be stored', error);
      failing.set(room, UNSTORABLE);
      announced.drop(room);
    },
    putBack(rooms) {
      forget();
      rooms.forEach(fetch.want);
    },
  });
  const asking = createAsking({ link: deps.link, eras, clock, random: deps.random });
  const fetch = createFetch({
    db,
    me,
    asking,
    eras,
    clock,
    random: deps.random,
    failed,
    isFailing: (room) => failing.has(room),
    refused: () => deps.changed({ type: 'all' }), // one is in it no more: the next welcome, or `room`, says so
    progressed,
    isCatchingUp,
  });
  const { freshen, forget } = createFreshen({ db, asking, eras });
  const announced = createAnnounced(clock, (late) => {
    late.forEach(fetch.want);
    progressed();
  });
  const frames = createFrames({
    db,
    eras,
    fetch,
    announced,
    forget,
    opened: deps.opened,
    changed: deps.changed,
    progressed,
    failing,
    welcomed() {
      welcoming = false;
      deps.welcomed();
    },
  });

  function isCatchingUp(): boolean {
    return welcoming || announced.isAny() || fetch.isBusy();
  }

  function progressed(): void {
    deps.progressed();
    fetch.fillGaps();
  }

  /** A connection that is begun anew helps nothing while there is no room: the storage state says when there is. */
  function unusable(): void {
    if (!missed) deps.link().tell({ type: 'unusable' });
  }

  function failed(error: unknown): void {
    if (closed || (missed && error instanceof OtherEpoch)) return;
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
      if (!isFull(error)) return unusable();
      if (welcoming) {
        missed = error;
        deps.welcomed();
      }
      welcoming = false;
      progressed();
    });
  }

  function frame(received: Down): void {
    if (closed) return;
    if (received.event !== 'entries') batch = undefined;
    switch (received.event) {
      case 'welcome': {
        const begun = ends;
        const logs = { epoch: received.payload.epoch, generation };
        welcoming = true;
        missed = undefined;
        clockOffset = received.payload.now - clock.now();
        eras.begin(logs);
        attempt(() => frames.welcome(received.payload, begun, logs));
        return;
      }
      case 'entries':
        arrived(received.payload);
        return;
      case 'heads':
        attempt(() => frames.heads(received.payload));
        return;
      case 'room': {
        const logs = eras.now()?.logs;
        attempt(() => frames.room(received.payload, ends, logs));
        return;
      }
      case 'user': {
        const logs = eras.now()?.logs;
        attempt(() => frames.user(received.payload.user, logs));
        return;
      }
      case 'read':
        deps.read(received.payload);
        return;
      case 'typing':
      case 'bye':
        return;
    }
  }

  /** A catch-up is hundreds of frames: each in a transaction of its own would be a sync of the disk for each. */
  function arrived(payload: Entries): void {
    if (batch && batch.length < FRAMES_AT_ONCE) {
      batch.push(payload);
      return;
    }
    const mine = [payload];
    batch = mine;
    const logs = eras.now()?.logs;
    attempt(() => {
      if (batch === mine) batch = undefined;
      return frames.entries(mine, logs);
    });
  }

  function unreadable(room: unknown): void {
    if (typeof room === 'string' && !closed) attempt(() => frames.unreadable(room));
  }

  async function answered(work: (logs: LogsHeld | undefined) => Promise<void>): Promise<void> {
    const logs = eras.now()?.logs;
    try {
      await eras.next(() => work(logs));
    } catch (error) {
      if (!(error instanceof OtherEpoch)) throw error;
      if (missed) throw missed;
      unusable(); // the next welcome says it
    }
  }

  return {
    async handshake() {
      const beginning = await readBeginning(db, me, deps.opened());
      ({ ends, generation } = beginning);
      return beginning.handshake;
    },
    frame,
    unreadable,
    down() {
      welcoming = false;
      failing.clear();
      eras.end();
      fetch.down();
      announced.dropAll();
      announced.wait();
    },
    joined: (room) => answered((logs) => frames.joined(room, ends, logs)),
    left: (room) => answered((logs) => frames.room({ removed: room }, ends, logs)),
    older: fetch.older,
    newer: fetch.newer,
    around: fetch.around,
    freshen,
    check: fetch.check,
    failing: () => failing,
    offsetOfClock: () => clockOffset,
    catchingUp: isCatchingUp,
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

const UNSTORABLE: WireError = { code: 'unreadable', message: 'What the server says could not be stored.' };
