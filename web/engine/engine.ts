/**
 * The engine: all that speaks to the server for the signed-in user. It composes the connection, the sync (reads the
 * logs), the drain (sends the outbox) and the migration of logs that an older version stored. One lazy chunk with the
 * wire schemas, fetched after the first paint (loadEngine.ts): what the device holds is shown without it.
 */

import type { Clock } from '../db/clock.ts';
import { createTransactionQueue } from '../db/transactionQueue.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { whoAnswers } from '../load/whoAnswers.ts';
import { createSync, type Sync, type SyncDeps } from '../log/fetch/sync.ts';
import { type WindowMoves, windowMoves } from '../log/read/moveWindow.ts';
import { createDrain, type Drain } from '../outbox/drain.ts';
import { createLock, drainLockOf } from '../outbox/drainLock.ts';
import type { Change } from '../records/change.ts';
import { LOCK_STUCK_MS } from '../records/pageLimits.ts';
import type { ReadBy } from '../records/storedRecords.ts';
import type { Page } from '../transport/browser.ts';
import { type ConnectionRunner, createConnectionRunner } from '../transport/connectionRunner.ts';
import type { LoadIo } from '../transport/socket.ts';
import type { ConnectionStatus } from '../transport/transportState.ts';
import { askDay } from './askDay.ts';
import { askMentionable } from './askMentionable.ts';
import { askPinned } from './askPinned.ts';
import { askReactors } from './askReactors.ts';
import { type AnswerOrReason, askServer } from './askServer.ts';
import { createDirectRequests, type DirectRequests } from './directRequests.ts';
import { createLogMigration, type LogMigration } from './logMigration.ts';
import { createModerationRequests, type ModerationRequests } from './moderationRequests.ts';
import { createPresenceWatch, type PresenceWatch } from './presenceWatch.ts';
import { createReadMarkers, type ReadMarkers } from './readMarkers.ts';
import { createRoomChoices, type RoomChoices } from './roomChoices.ts';
import { createRoomReaders, type RoomReaders } from './roomReaders.ts';
import { createRoomRequests, type RoomRequests } from './roomRequests.ts';
import { createStoredReports } from './storedReports.ts';
import { createTypists, type Typists } from './typists.ts';

export interface Engine {
  connection: Pick<ConnectionRunner, 'status' | 'wasSignedOut' | 'tell' | 'ask'>;
  sync: Sync;
  drain: Pick<Drain, 'rows'>;
  migration: Pick<LogMigration, 'percent'>;
  /** What the views ask for by `ask`. */
  actions: EngineActions;
  readMarkers: Pick<ReadMarkers, 'seen'>;
  windowMoves: WindowMoves;
  roomReaders: Pick<RoomReaders, 'look'>;
  typing: Pick<Typists, 'namesIn' | 'typed' | 'sent'>;
  presence: Pick<PresenceWatch, 'look' | 'of'>;
  /** A message of another tab or of the service worker, for the drain or the sync alone. */
  received(change: Extract<Change, { type: 'draining' | 'placed' }>): void;
  close(): void;
}

/** What a person can do or ask for that the first paint does not need. */
export interface EngineActions extends RoomRequests, DirectRequests, ModerationRequests {
  /** What the person wants of a room, on all of their devices; also without a connection. */
  choose: RoomChoices['choose'];
  /** Whether what somebody writes is shown, on all devices of the user; also without a connection. */
  block(person: { id: string; name: string }, blocked: boolean): AnswerOrReason;
  members: PresenceWatch['members'];
  showPresence: PresenceWatch['show'];
  /** Who of the others has read an entry, as far as this device knows; undefined in large rooms, or where it knows nothing. */
  /** `reached`: the answer to `reached` for this entry, if there is one. */
  readBy(
    room: string,
    serverOffset: number,
    reached?: readonly string[],
  ): AnswerOrReason<{ readBy: ReadBy | undefined }>;
  /** The ids of those on whose devices the entry is; undefined where nobody may know. */
  reached(room: string, serverOffset: number): AnswerOrReason<{ by: readonly string[] | undefined }>;
  /** The people of a room whom a message may mention, as far as they are known now; with `begins`, those whose names begin so. */
  mentionable(room: string, begins?: string): AnswerOrReason<Awaited<ReturnType<typeof askMentionable>>>;
  /** The pinned message of a room, as the bar above its log shows it; undefined where it cannot be had now. */
  pinned(
    room: string,
    serverOffset: number,
  ): AnswerOrReason<{ pinned: Awaited<ReturnType<typeof askPinned>> }>;
  /** The first message of a room from one time to another; also without a connection, where the device holds that time. */
  firstOfDay(room: string, from: number, to: number): AnswerOrReason<{ serverOffset: number | undefined }>;
  /** Who reacts to an entry; of what cannot be asked now, those whom this device knows. */
  reactors(
    room: string,
    serverOffset: number,
  ): AnswerOrReason<{ reactors: Awaited<ReturnType<typeof askReactors>> }>;
}

export interface EngineDeps {
  db: UserDatabase;
  /** The user's id. */
  me: string;
  clock: Clock;
  random: () => number;
  newKey: () => string;
  locks: LockManager | undefined;
  loadIo: LoadIo;
  fetch: typeof globalThis.fetch;
  page: Pick<Page, 'visible' | 'online' | 'listen'>;
  storage: SyncDeps['storage'];
  /** The room on the screen: its log is moved and caught up first. */
  opened(): string | undefined;
  /** Whether rows of the outbox wait, at the start; later `connection.tell` says so. */
  hasUnsent(): boolean;
  /** The part of a room's log that is on the screen; undefined if the room is not. */
  shown: SyncDeps['shown'];
  changed(change: Change): void;
  statusChanged(status: ConnectionStatus): void;
  /** `sync.catchingUp`, `sync.failing`, `migration.percent`, `typing.namesIn` or `presence.of` may have changed. */
  progressed(): void;
}

/** Connects at once. */
export function createEngine(deps: EngineDeps): Engine {
  const { db, me, clock, random, newKey, storage, opened, changed, progressed } = deps;
  const fenceToken = newKey();
  db.queueBy(createTransactionQueue(clock));
  const lock = createLock(deps.locks, drainLockOf(me), { clock, stuckMs: LOCK_STUCK_MS });
  const migration = createLogMigration({ db, clock, opened, changed, progressed });
  let isSending = false;
  const storedReports = createStoredReports({ db, clock, connection: () => connection });
  const sync = createSync({
    db,
    me,
    opened,
    connection: () => connection,
    clock,
    random,
    changed(change) {
      if (change.type === 'log') storedReports.stored(change.rooms);
      changed(change);
    },
    storage,
    progressed,
    isSending: () => isSending,
    hasRead: (room, upTo) => readMarkers.has(room, upTo),
    shown: deps.shown,
    welcomed() {
      if (connection.status() !== 'live') return;
      drain.up();
      readMarkers.live();
      choices.live();
      roomReaders.live();
      presence.live();
      storedReports.live();
    },
  });
  const drain = createDrain({
    db,
    me,
    clock,
    random,
    newKey,
    fenceToken,
    lock,
    storage,
    lockHeartbeat: () => changed({ type: 'draining', holder: fenceToken }),
    placed(placed) {
      if (placed.length > 0) changed({ type: 'placed', placed });
    },
    hearsOfRows: true,
    echo: sync.echo,
    append: (items, answered) => connection.request('append', { as: me, items }, answered),
    uploading(bytes) {
      connection.tell({ type: 'uploading', bytes });
      isSending = bytes > 0;
      if (!isSending) sync.fillHoles();
    },
    suspect: () => connection.tell({ type: 'suspect' }),
    stopped: (why) => connection.tell({ type: 'stopped', why }),
    changed(rooms, type, attempted) {
      if (rooms.length === 0) return;
      changed(attempted && type === 'rows' ? { type, rooms, attempted } : { type, rooms });
    },
  });
  const readMarkers = createReadMarkers({
    db,
    liveConnection: () => (connection.status() === 'live' ? connection : undefined),
    clock,
    changed: (rooms, isAtHead) => changed({ type: 'marks', rooms, isAtHead }),
  });
  const choices = createRoomChoices({
    db,
    liveConnection: () => (connection.status() === 'live' ? connection : undefined),
    clock,
    storage,
    changed: (rooms) => changed({ type: 'marks', rooms }),
  });
  const roomReaders = createRoomReaders({ db, me, clock, opened, connection: () => connection, changed });
  const typing = createTypists({
    db,
    me,
    clock,
    isVisible: () => deps.page.visible,
    say: (sign) => connection.say('typing', sign),
    changed: progressed,
  });
  const presence = createPresenceWatch({
    db,
    clock,
    page: deps.page,
    opened,
    connection: () => connection,
    changed: progressed,
  });
  const connection = createConnectionRunner({
    loadIo: deps.loadIo,
    clock,
    random,
    visible: deps.page.visible,
    online: deps.page.online,
    // The cursors of the handshake do not cover what is not moved yet.
    handshake: () => migration.newest().then(sync.handshake),
    isStranger: async () => (await whoAnswers(deps.fetch)) === 'stranger',
    frame(frame) {
      typing.received(frame);
      roomReaders.received(frame);
      presence.received(frame);
      sync.frame(frame);
    },
    unreadable: sync.unreadable,
    catchingUp: sync.catchingUp,
    changed(status) {
      if (status !== 'live') {
        drain.down();
        sync.down();
        readMarkers.down();
        choices.down();
        typing.down();
        roomReaders.down();
        presence.down();
        storedReports.down();
      }
      deps.statusChanged(status);
    },
  });
  connection.tell({ type: 'unsent-changed', hasUnsent: deps.hasUnsent() });
  const direct = createDirectRequests({ db, me, connection, changed });

  return {
    connection,
    sync,
    drain,
    migration,
    actions: {
      ...createRoomRequests({ db, now: clock.now, changed, connection, sync, newKey }),
      ...direct,
      ...createModerationRequests({ db, changed, connection, newKey }),
      choose: choices.choose,
      async block(person, blocked) {
        const opened = await direct.writeTo(person);
        return opened.ok ? choices.choose(opened.room, { blocked }) : opened;
      },
      members: presence.members,
      showPresence: presence.show,
      readBy: async (...asked) => ({ ok: true, readBy: await roomReaders.of(...asked) }),
      async reached(room, message) {
        const asked = await askServer(connection, 'reached', { room, message });
        return asked.ok ? { ok: true, by: asked.answer.by } : asked;
      },
      mentionable: async (...asked) => ({
        ok: true,
        ...(await askMentionable(db, me, connection, ...asked)),
      }),
      pinned: async (...asked) => ({
        ok: true,
        pinned: await askPinned(db, sync, () => connection.status() === 'live', ...asked),
      }),
      firstOfDay: (...asked) => askDay(db, connection, ...asked),
      reactors: async (...asked) => ({ ok: true, reactors: await askReactors(db, connection, ...asked) }),
    },
    readMarkers,
    windowMoves,
    roomReaders,
    typing,
    presence,
    received(change) {
      if (change.type === 'placed') {
        for (const { room, serverOffset } of change.placed) sync.check(room, serverOffset);
        connection.tell({ type: 'reached' });
      } else if (change.holder !== fenceToken) lock.extendWait();
    },
    close() {
      drain.close();
      readMarkers.close();
      choices.close();
      migration.close();
      sync.close();
      connection.close();
      typing.down();
      roomReaders.down();
      presence.close();
      storedReports.down();
    },
  };
}
