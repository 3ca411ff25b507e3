/**
 * Sync sessions, and all writes to the stored logs, in the order in which the data received.
 *
 * A sync session lasts from `welcome` to the end of its connection, or until the server's data is found to be restored.
 * Answers to requests of an earlier session are discarded: they may belong to another log (S1).
 */
import type { Users } from '../../../shared/protocol/index.ts';
import { createSerial } from '../../../shared/serial.ts';
import type { Clock } from '../../db/clock.ts';
import { isOfContent } from '../../db/failure.ts';
import type { UserDatabase } from '../../db/userDatabase.ts';
import type { Change } from '../../records/change.ts';
import { type AppliedRun, applyFrames, type ReceivedRun } from '../store/applyFrames.ts';
import { type LogVersion, StaleLogError } from '../store/generation.ts';
import type { LogRun } from '../store/storeEntries.ts';

/** Compared by identity. */
export interface SyncSession {
  readonly version: LogVersion;
}

export interface SyncSessions {
  /** Undefined while there is no connection. */
  current(): SyncSession | undefined;
  isCurrent(session: SyncSession): boolean;
  begin(version: LogVersion): void;
  end(): void;
  /** Data of another epoch arrived: starts a new connection. */
  reconnect(): void;
  /** Runs jobs one after the other, so that a reset of a log and frames of the new one never interleave. */
  inOrder<T>(work: () => Promise<T>): Promise<T>;
  /** Stores frames. Call it within `inOrder`. The result is undefined for a run with an invalid record. */
  storeFrames(
    version: LogVersion | undefined,
    received: readonly ReceivedRun[],
  ): Promise<(AppliedRun | undefined)[]>;
  /** Stores an answer, in order, if its session is still the current one. True if the run is stored. */
  storeAnswer(session: SyncSession, run: LogRun, users: Users): Promise<boolean>;
}

interface Deps {
  db: UserDatabase;
  me: string;
  clock: Pick<Clock, 'ticks'>;
  changed(change: Change): void;
  reconnect(): void;
  /** A run of this room has an invalid record, so it cannot be stored; the others are. */
  unstorable(room: string, error: unknown): void;
  /** The stored logs of these rooms conflicted with received entries and were deleted. */
  restored(rooms: readonly string[]): void;
}

export function createSyncSessions({
  db,
  me,
  clock,
  changed,
  reconnect,
  unstorable,
  restored,
}: Deps): SyncSessions {
  let session: SyncSession | undefined;
  const next = createSerial();

  async function store(
    version: LogVersion | undefined,
    received: readonly ReceivedRun[],
  ): Promise<(AppliedRun | undefined)[]> {
    const applied: (AppliedRun | undefined)[] = [];
    while (applied.length < received.length)
      applied.push(...(await storeFirst(version, received.slice(applied.length))));
    return applied;
  }

  /** The first of these runs, in one transaction. If one has an invalid record, the first run alone. */
  async function storeFirst(
    version: LogVersion | undefined,
    received: readonly ReceivedRun[],
  ): Promise<(AppliedRun | undefined)[]> {
    try {
      return await applyFirst(version, received);
    } catch (error) {
      if (!isOfContent(error)) throw error;
      if (received.length > 1) return storeFirst(version, received.slice(0, 1));
      unstorable(received[0]!.run.room, error);
      return [undefined];
    }
  }

  async function applyFirst(
    version: LogVersion | undefined,
    received: readonly ReceivedRun[],
  ): Promise<AppliedRun[]> {
    const { applied, renamed } = await applyFrames(db, me, received, version, clock);
    const roomsWhere = (isSo: (each: AppliedRun) => boolean) => [
      ...new Set(applied.flatMap((each, i) => (isSo(each) ? received[i]!.run.room : []))),
    ];
    const restoredRooms = roomsWhere((each) => each.isRestored);
    if (restoredRooms.length > 0) {
      if (session) session = { ...session }; // answers to earlier requests are discarded
      restored(restoredRooms);
    }
    if (renamed.length > 0) changed({ type: 'users', users: renamed });
    for (const [settled, type] of CHANGE_BY_SETTLED) {
      const rooms = roomsWhere((each) => each.settled === settled);
      if (rooms.length > 0) changed({ type, rooms });
    }
    return applied;
  }

  return {
    current: () => session,
    isCurrent: (one) => one === session,
    begin(version) {
      session = { version };
    },
    end() {
      session = undefined;
    },
    reconnect,
    inOrder: next,
    storeFrames: store,
    storeAnswer: (asked, run, users) =>
      next(async () => {
        if (asked !== session) return false;
        try {
          const [applied] = await store(asked.version, [{ run, users }]);
          return applied?.stored === true;
        } catch (error) {
          if (!(error instanceof StaleLogError)) throw error;
          reconnect();
          return false;
        }
      }),
  };
}

/** The change event of a room, by the outbox rows that were settled in it. */
const CHANGE_BY_SETTLED = [
  ['parked', 'queued'],
  ['rows', 'rows'],
  ['nothing', 'log'],
] as const;
