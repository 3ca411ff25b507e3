/** Appends to several rooms: each on its own, beside the others, and one append at a time in a room. */
import { isFirstKind } from '../../../shared/kinds.ts';
import { createSerial } from '../../../shared/serial.ts';
import { withTimeout } from '../../base/timeout.ts';
import { type AppendOutcome, type AppendResult, type LogStore, type NewEntry, Unavailable } from '../port.ts';
import { sideBySide } from '../sideBySide.ts';
import type { EntryDocument } from './append/commands.ts';
import { appendToRoom, type RoomOutcome } from './append/room.ts';
import { type Execute, run } from './append/steps.ts';
import type { Follow } from './follow.ts';
import { ANSWER_WITHIN_MS, type Gate } from './gate.ts';
import type { Heads } from './heads.ts';
import { myTurn, type Turns } from './turns.ts';

interface Deps {
  /** Until a moment of the monotonic clock. */
  execute: (until: number) => Execute;
  heads: Heads;
  follow: Follow;
  exists: (room: string) => Promise<boolean>;
  gate: Pick<Gate, 'pass' | 'trouble'>;
  /** False while a process of version 0.1 may read what is written. */
  takesNewKinds: () => boolean;
  turnsOf: (room: string) => Turns;
}

/** What this process remembers of a room that it writes to. */
interface Lane {
  inTurn: ReturnType<typeof createSerial>;
  /** When its last append ended, by the monotonic clock. */
  endedAt: number;
  /** It did not stop, so the head may be taken from what is known. */
  isSure: boolean;
}

export function createAppend({
  execute,
  heads,
  follow,
  exists,
  gate,
  takesNewKinds,
  turnsOf,
}: Deps): LogStore['append'] {
  const lanes = new Map<string, Lane>();

  return (items, at) => {
    const until = performance.now() + ANSWER_WITHIN_MS;
    return sideBySide(
      items,
      ({ room }) => room,
      (room, its) => readable(room, its, at, until),
    );
  };

  /** What version 0.1 cannot read is not written beside it: whoever looks at the features does not come with it. */
  async function readable(
    room: string,
    items: NewEntry[],
    at: number,
    until: number,
  ): Promise<AppendOutcome> {
    const first = takesNewKinds() ? -1 : items.findIndex((item) => !isOfFirstForm(item));
    if (first < 0) return inRoom(room, items, at, until);
    const outcome = first > 0 ? await inRoom(room, items.slice(0, first), at, until) : { results: [] };
    return {
      stopped: new Unavailable('Older processes still use the database: it does not take that yet.'),
      ...outcome,
    };
  }

  async function inRoom(room: string, items: NewEntry[], at: number, until: number): Promise<AppendOutcome> {
    try {
      return await gate.pass(
        async () => {
          if (!(await exists(room))) return { results: items.map((): AppendResult => ({ tag: 'no-room' })) };
          return laneOf(room).inTurn(() => append(room, items, at, until));
        },
        until - performance.now() + MARGIN_MS,
      );
    } catch (error) {
      if (error instanceof Unavailable) return { results: [], stopped: error };
      throw error;
    }
  }

  async function append(room: string, items: NewEntry[], at: number, until: number): Promise<AppendOutcome> {
    const lane = laneOf(room);
    // One append right after another has an advantage over other processes: it is given up.
    if (performance.now() - lane.endedAt < AT_ONCE_MS) await myTurn(room, turnsOf(room), heads);
    // After one that stopped, the head is read again: it may have moved on in silence.
    const knownHead = lane.isSure ? heads.newest(room) : undefined;
    const outcome = await run(appendToRoom({ room, items, at, knownHead }), execute(until));
    lane.endedAt = performance.now();
    lane.isSure = outcome.head !== undefined;
    return followed(room, items, outcome, until);
  }

  /** An item is answered when what follows from it is done. */
  async function followed(
    room: string,
    items: readonly NewEntry[],
    { results, stopped, pending }: RoomOutcome,
    until: number,
  ): Promise<AppendOutcome> {
    const outcome = stopped ? { results, stopped: gate.trouble(stopped.message) } : { results };
    if (pending.length === 0) return outcome;
    try {
      await withTimeout(until - performance.now(), follow(room, pending));
      return outcome;
    } catch (error) {
      const first = items.findIndex((item) => pending.some((entry) => isOf(entry, item)));
      return { results: results.slice(0, first), stopped: gate.trouble((error as Error).message) };
    }
  }

  function laneOf(room: string): Lane {
    const lane = lanes.get(room) ?? { inTurn: createSerial(), endedAt: -Infinity, isSure: true };
    lanes.set(room, lane);
    return lane;
  }
}

/** As version 0.1 writes it. */
function isOfFirstForm({ kind, subject, content, targetAuthor }: NewEntry): boolean {
  return isFirstKind(kind) && subject === undefined && content === undefined && targetAuthor === undefined;
}

const AT_ONCE_MS = 1;
/** The last command of an append is answered, as `unknown`, before the append itself is given up. */
const MARGIN_MS = 200;

function isOf(entry: EntryDocument, item: NewEntry): boolean {
  return entry.author === item.author && entry.clientOffset === item.clientOffset;
}
