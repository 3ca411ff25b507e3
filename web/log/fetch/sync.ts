/**
 * Keeps the stored logs in sync with the server: stores received frames in the order in which they arrived, and requests
 * the entries that are missing (S2).
 */
import { APPEND_MAX_ITEMS } from '../../../shared/limits.ts';
import type { Down, Entries, Handshake, Room, WireError } from '../../../shared/protocol/index.ts';
import type { Clock } from '../../db/clock.ts';
import { isFull, type StorageHealth } from '../../db/failure.ts';
import type { UserDatabase } from '../../db/userDatabase.ts';
import type { Change } from '../../records/change.ts';
import type { OffsetRange } from '../../records/spans.ts';
import type { ConnectionRunner } from '../../transport/connectionRunner.ts';
import { type LogVersion, StaleLogError } from '../store/generation.ts';
import { buildHandshake } from './buildHandshake.ts';
import { createFetcher, type Fetcher } from './fetchMissing.ts';
import { createFrameHandlers, type LogEnds, ownKeysIn } from './handleFrames.ts';
import { createPendingCatchUps } from './pendingCatchUps.ts';
import { createRangeRequests } from './rangeRequests.ts';
import { type AmendmentRefresher, createAmendmentRefresher } from './refreshAmendments.ts';
import { createSyncSessions } from './syncSession.ts';

/**
 * `fillHoles`: sending has ended, so prefetching may go on. `check`: an own entry was acknowledged outside all spans, so
 * amendments of it may be missing (uncoveredAcks.ts).
 */
export interface Sync
  extends Pick<Fetcher, 'older' | 'newer' | 'around' | 'check' | 'fillHoles'>,
    Pick<AmendmentRefresher, 'freshen'> {
  handshake(): Promise<Handshake>;
  frame(frame: Down): void;
  /** A frame of entries could not be parsed. */
  unreadable(room: unknown): void;
  /**
   * Whether a frame with this own entry has settled its row; it may be about to. Undefined where none came, and during a
   * catch-up, which may be long.
   */
  echo(clientOffset: string): Promise<boolean> | undefined;
  /** The connection ended. */
  down(): void;
  /** The user joined a room, by the answer to their request. Its `room` frame may come before or after. */
  joined(room: Room): Promise<void>;
  left(room: string): Promise<void>;
  /** Entries that were missed while offline are not all stored yet. */
  catchingUp(): boolean;
  /** Rooms that the server cannot read now, with its error. Their stored logs stay; the server retries. */
  failing(): ReadonlyMap<string, WireError>;
  /** The server's clock minus the device's, in ms; 0 before the first welcome. Only for display. */
  offsetOfClock(): number;
  close(): void;
}

export interface SyncDeps {
  db: UserDatabase;
  me: string;
  /** The room on the screen. */
  opened: () => string | undefined;
  connection: () => Pick<ConnectionRunner, 'ask' | 'tell'>;
  clock: Clock;
  random: () => number;
  changed(change: Change): void;
  storage: StorageHealth;
  /** A welcome was stored. The catch-up may still be running. */
  welcomed(): void;
  /** `catchingUp` may have changed. */
  progressed(): void;
  /** This device has stored such a read marker itself. */
  hasRead(room: string, upTo: number): boolean;
  /** The outbox is sending. */
  isSending(): boolean;
  /** The part of a room's log that is on the screen; undefined if the room is not. */
  shown(room: string): OffsetRange | undefined;
}

export function createSync(deps: SyncDeps): Sync {
  const { db, me, clock } = deps;
  /** The ends of the stored logs, and their generation, at this connection's handshake. */
  let ends: LogEnds = new Map();
  let generation = 0;
  /** Frames of entries that will be stored in one transaction. A frame of another kind closes the batch. */
  let batch: { frames: Entries[]; settled: Promise<ReadonlySet<string> | undefined> } | undefined;
  /** The last ECHOES_KEPT own entries of frames, by clientOffset. */
  const echoes = new Map<string, Promise<boolean>>();
  let welcoming = false;
  /** The error, if this connection's welcome was not stored because the device is full. Its frames are skipped. */
  let skipped: unknown;
  const failing = new Map<string, WireError>();
  let clockOffset = 0;
  let closed = false;

  const sessions = createSyncSessions({
    db,
    me,
    clock,
    changed: deps.changed,
    reconnect,
    unstorable(room, error) {
      console.warn('entries of a room could not be stored', error);
      failing.set(room, UNSTORABLE);
      catchUps.drop(room);
    },
    restored(rooms) {
      forgetChecked();
      rooms.forEach(fetcher.fetchUpToHead);
    },
  });
  const ranges = createRangeRequests({ connection: deps.connection, sessions, clock, random: deps.random });
  const fetcher = createFetcher({
    db,
    me,
    ranges,
    sessions,
    clock,
    random: deps.random,
    failed,
    isFailing: (room) => failing.has(room),
    refused: () => deps.changed({ type: 'all' }), // no longer a member: the next welcome, or a `room` frame, will say so
    progressed,
    isCatchingUp,
    isSending: deps.isSending,
    shown: deps.shown,
  });
  const { freshen, forgetChecked } = createAmendmentRefresher({ db, ranges, sessions });
  const catchUps = createPendingCatchUps(clock, (late) => {
    late.forEach(fetcher.fetchUpToHead);
    progressed();
  });
  const frames = createFrameHandlers({
    db,
    me,
    sessions,
    fetcher,
    catchUps,
    forgetChecked,
    opened: deps.opened,
    hasRead: deps.hasRead,
    changed: deps.changed,
    progressed,
    failing,
    welcomed() {
      welcoming = false;
      deps.welcomed();
    },
  });

  function isCatchingUp(): boolean {
    return welcoming || catchUps.isAny() || fetcher.isBusy();
  }

  function progressed(): void {
    deps.progressed();
    fetcher.fillHoles();
  }

  /** Not while the device is full: a new connection would not help. The storage state reconnects once there is space. */
  function reconnect(): void {
    if (!skipped) deps.connection().tell({ type: 'unusable' });
  }

  function failed(error: unknown): void {
    if (closed || (skipped && error instanceof StaleLogError)) return;
    if (!(error instanceof StaleLogError)) deps.storage.failed(error);
    console.warn('a frame from the server could not be stored', error);
  }

  /**
   * After a failed write the connection starts again, with a handshake that says what is stored. A full device stays
   * connected, since the next attempt would fail too: the outbox is sent all the same (O2), and the storage state
   * reconnects once there is space.
   */
  async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await sessions.inOrder(work);
      deps.storage.worked();
      return result;
    } catch (error) {
      failed(error);
      if (closed) return undefined;
      if (!isFull(error)) {
        reconnect();
        return undefined;
      }
      if (welcoming) {
        skipped = error;
        deps.welcomed();
      }
      welcoming = false;
      progressed();
      return undefined;
    }
  }

  function frame(received: Down): void {
    if (closed) return;
    if (received.event !== 'entries') batch = undefined;
    switch (received.event) {
      case 'welcome': {
        const endsThen = ends;
        const version = { epoch: received.payload.epoch, generation };
        welcoming = true;
        skipped = undefined;
        clockOffset = received.payload.now - clock.now();
        sessions.begin(version);
        attempt(() => frames.welcome(received.payload, endsThen, version));
        return;
      }
      case 'entries':
        addToBatch(received.payload);
        return;
      case 'heads':
        attempt(() => frames.heads(received.payload));
        return;
      case 'room': {
        const version = sessions.current()?.version;
        attempt(() => frames.room(received.payload, ends, version));
        return;
      }
      case 'user': {
        const version = sessions.current()?.version;
        attempt(() => frames.user(received.payload.user, version));
        return;
      }
      case 'read': {
        const version = sessions.current()?.version;
        attempt(() => frames.read(received.payload, version));
        return;
      }
      case 'settings': {
        const version = sessions.current()?.version;
        attempt(() => frames.settings(received.payload, version));
        return;
      }
      case 'typing':
      case 'readers':
      case 'presence':
      case 'bye':
        return;
    }
  }

  /** Coalesces frames into one transaction: a catch-up has hundreds, and each transaction flushes to disk. */
  function addToBatch(payload: Entries): void {
    if (!batch || batch.frames.length >= FRAMES_AT_ONCE) {
      const version = sessions.current()?.version;
      const mine: Entries[] = [];
      const settled = attempt(() => {
        if (batch?.frames === mine) batch = undefined;
        return frames.entries(mine, version);
      });
      batch = { frames: mine, settled };
    }
    batch.frames.push(payload);
    for (const key of ownKeysIn(payload.entries, me))
      echoes.set(
        key,
        batch.settled.then((keys) => keys?.has(key) === true),
      );
    for (const key of [...echoes.keys()].slice(0, -ECHOES_KEPT)) echoes.delete(key);
  }

  function unreadable(room: unknown): void {
    if (typeof room === 'string' && !closed) attempt(() => frames.unreadable(room));
  }

  /** Stores the answer to a request. */
  async function storeAnswer(work: (version: LogVersion | undefined) => Promise<void>): Promise<void> {
    const version = sessions.current()?.version;
    try {
      await sessions.inOrder(() => work(version));
    } catch (error) {
      if (!(error instanceof StaleLogError)) throw error;
      if (skipped) throw skipped;
      reconnect(); // the next welcome contains it
    }
  }

  return {
    async handshake() {
      const built = await buildHandshake(db, me, deps.opened(), clock.now());
      ({ ends, generation } = built);
      return built.handshake;
    },
    frame,
    unreadable,
    echo: (key) => (isCatchingUp() ? undefined : echoes.get(key)),
    down() {
      welcoming = false;
      failing.clear();
      sessions.end();
      fetcher.disconnected();
      catchUps.dropAll();
      catchUps.restartTimer();
    },
    joined: (room) => storeAnswer((version) => frames.joined(room, ends, version)),
    left: (room) => storeAnswer((version) => frames.room({ removed: room }, ends, version)),
    older: fetcher.older,
    newer: fetcher.newer,
    around: fetcher.around,
    freshen,
    check: fetcher.check,
    fillHoles: fetcher.fillHoles,
    failing: () => failing,
    offsetOfClock: () => clockOffset,
    catchingUp: isCatchingUp,
    close() {
      closed = true;
      fetcher.close();
      ranges.close();
      catchUps.dropAll();
      catchUps.restartTimer();
    },
  };
}

/** Frames per transaction at most: more would take too long on the slowest devices. */
const FRAMES_AT_ONCE = 20;
/** As many as an append may have. */
const ECHOES_KEPT = APPEND_MAX_ITEMS;
const UNSTORABLE: WireError = { code: 'unreadable', message: 'The entries of the room could not be stored.' };
