/**
 * `append` of the store: splits a batch by room, appends to the rooms in parallel and to each room one batch at a time, and
 * resolves when the entries and their side effects are durable (L4).
 */
import { isFirstKind, makesRoom } from '../../../shared/kinds.ts';
import { createSerial } from '../../../shared/serial.ts';
import { createRecentMap } from '../../base/recentMap.ts';
import { STORE_ANSWERS_WITHIN_MS } from '../../base/serverLimits.ts';
import { withTimeout } from '../../base/timeout.ts';
import {
  type AppendOutcome,
  type AppendResult,
  appendInParallel,
  type LogStore,
  type NewEntry,
  Unavailable,
} from '../port.ts';
import { appendToRoom, type RoomOutcome } from './append/appendToRoom.ts';
import { type EntryDocument, type Execute, runSteps } from './append/commands.ts';
import type { ApplySideEffects } from './applySideEffects.ts';
import type { CallGuard } from './callGuard.ts';
import type { KnownHeads } from './knownHeads.ts';
import { awaitTurn, type WriteTurns } from './writeTurns.ts';

interface Deps {
  /** Its argument is a deadline of the monotonic clock. */
  execute: (until: number) => Execute;
  heads: KnownHeads;
  applySideEffects: ApplySideEffects;
  roomExists: (room: string) => Promise<boolean>;
  guard: Pick<CallGuard, 'pass' | 'unavailable'>;
  /** False while a process of version 0.1 may read what is written. */
  takesNewKinds: () => boolean;
  turnsOf: (room: string) => WriteTurns;
}

/** What this process keeps of a room that it writes to. */
interface RoomWriter {
  serially: ReturnType<typeof createSerial>;
  /** When its last append ended, by the monotonic clock. */
  endedAt: number;
  /** False after an append with an unknown outcome: the head is then read again, because it may have moved. */
  isHeadKnown: boolean;
}

export function appendOn({
  execute,
  heads,
  applySideEffects,
  roomExists,
  guard,
  takesNewKinds,
  turnsOf,
}: Deps): LogStore['append'] {
  const writers = createRecentMap<string, RoomWriter>({
    maxEntries: WRITERS_MAX,
    keepMs: WRITERS_KEPT_MS,
    now: () => performance.now(),
  });

  return (items, at) => {
    const until = performance.now() + STORE_ANSWERS_WITHIN_MS;
    return appendInParallel(
      items,
      ({ room }) => room,
      (room, its) => upToNewKind(room, its, at, until),
    );
  };

  /**
   * Stops before the first item that version 0.1 cannot read, while processes of that version may run. Clients that read
   * the announced features do not send such items.
   */
  async function upToNewKind(
    room: string,
    items: NewEntry[],
    at: number,
    until: number,
  ): Promise<AppendOutcome> {
    const first = takesNewKinds() ? -1 : items.findIndex((item) => !isReadableByVersion01(item));
    if (first < 0) return inRoom(room, items, at, until);
    const outcome = first > 0 ? await inRoom(room, items.slice(0, first), at, until) : { results: [] };
    return {
      stopped: new Unavailable('Older processes still use the database: it does not take that yet.'),
      ...outcome,
    };
  }

  async function inRoom(room: string, items: NewEntry[], at: number, until: number): Promise<AppendOutcome> {
    try {
      return await guard.pass(
        async () => {
          const exists = await roomExists(room);
          if (!exists && !items.some(({ kind }) => makesRoom(kind)))
            return { results: items.map((): AppendResult => ({ tag: 'no-room' })) };
          return writerOf(room).serially(() => append(room, exists, items, at, until));
        },
        until - performance.now() + MARGIN_MS,
        'append',
      );
    } catch (error) {
      if (error instanceof Unavailable) return { results: [], stopped: error };
      throw error;
    }
  }

  async function append(
    room: string,
    exists: boolean,
    items: NewEntry[],
    at: number,
    until: number,
  ): Promise<AppendOutcome> {
    const writer = writerOf(room);
    // An append right after another would always beat other processes to the head: it waits for its turn.
    if (performance.now() - writer.endedAt < IMMEDIATELY_MS) await awaitTurn(room, turnsOf(room), heads);
    const knownHead = writer.isHeadKnown ? heads.newest(room) : undefined;
    const outcome = await runSteps(appendToRoom({ room, exists, items, at, knownHead }), execute(until));
    writer.endedAt = performance.now();
    writer.isHeadKnown = outcome.head !== undefined;
    return withSideEffects(room, items, outcome, until);
  }

  /** Where side effects fail, no result is given from the first item on that has any. */
  async function withSideEffects(
    room: string,
    items: readonly NewEntry[],
    { results, stopped, pending }: RoomOutcome,
    until: number,
  ): Promise<AppendOutcome> {
    const outcome = stopped ? { results, stopped: guard.unavailable(stopped.message) } : { results };
    if (pending.length === 0) return outcome;
    try {
      await withTimeout(until - performance.now(), applySideEffects(room, pending));
      return outcome;
    } catch (error) {
      const first = items.findIndex((item) => pending.some((entry) => isOf(entry, item)));
      return { results: results.slice(0, first), stopped: guard.unavailable((error as Error).message) };
    }
  }

  function writerOf(room: string): RoomWriter {
    const writer = writers.get(room) ?? { serially: createSerial(), endedAt: -Infinity, isHeadKnown: true };
    writers.set(room, writer);
    return writer;
  }
}

function isReadableByVersion01({ kind, subject, content, targetAuthor }: NewEntry): boolean {
  return isFirstKind(kind) && subject === undefined && content === undefined && targetAuthor === undefined;
}

/** Far more than can be written to within the time of one append: a writer is not forgotten while it is used. */
const WRITERS_MAX = 100_000;
const WRITERS_KEPT_MS = 60_000;
const IMMEDIATELY_MS = 1;
/** The last command of an append gets its `unknown` reply before the append itself times out. */
const MARGIN_MS = 200;

function isOf(entry: EntryDocument, item: NewEntry): boolean {
  return entry.author === item.author && entry.clientOffset === item.clientOffset;
}
