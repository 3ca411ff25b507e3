/**
 * An era lasts from a welcome to the end of its connection, or to a log's being put back within it. What was asked for in
 * one says nothing in another: the log may be a different one (S1). And all that is stored of the logs is stored here, in
 * the order in which it came.
 */

import type { Users } from '../../shared/protocol/index.ts';
import { createSerial } from '../../shared/serial.ts';
import type { Change } from '../db/changes.ts';
import { isOfContent } from '../db/failure.ts';
import type { UserDatabase } from '../db/schema.ts';
import { type LogsHeld, OtherEpoch } from './generation.ts';
import type { Incoming } from './hold.ts';
import { type Arrived, type Taken, takeAll } from './take.ts';

/** Compared by identity. */
export interface Era {
  readonly logs: LogsHeld;
}

export interface Eras {
  /** Undefined while there is no connection. */
  now(): Era | undefined;
  isNow(era: Era): boolean;
  begin(logs: LogsHeld): void;
  end(): void;
  /** Something of another epoch was heard: the connection begins anew. */
  otherEpoch(): void;
  /** One piece of work after the other: what resets a log and what belongs to the new one never mix. */
  next<T>(work: () => Promise<T>): Promise<T>;
  /** Stores frames, within the work of `next`; undefined for one that cannot be stored, whatever the others are. */
  frames(logs: LogsHeld | undefined, arrived: readonly Arrived[]): Promise<(Taken | undefined)[]>;
  /** Stores an answer, in its turn, if it is still of this era. True when it is held now. */
  answer(era: Era, incoming: Incoming, users: Users): Promise<boolean>;
}

interface Deps {
  db: UserDatabase;
  me: string;
  changed(change: Change): void;
  unusable(): void;
  /** What came of a room cannot be stored, although all else can. */
  unstorable(room: string, error: unknown): void;
  /** These logs turned out to be others than what was held of them. */
  putBack(rooms: readonly string[]): void;
}

export function createEras({ db, me, changed, unusable, unstorable, putBack }: Deps): Eras {
  let era: Era | undefined;
  const next = createSerial();

  /** All at once; where that cannot be for what one of them is, each by itself. */
  async function store(
    logs: LogsHeld | undefined,
    arrived: readonly Arrived[],
  ): Promise<(Taken | undefined)[]> {
    try {
      return await storeAll(logs, arrived);
    } catch (error) {
      if (!isOfContent(error)) throw error;
      if (arrived.length === 1) {
        unstorable(arrived[0]!.incoming.room, error);
        return [undefined];
      }
    }
    const taken: (Taken | undefined)[] = [];
    for (const each of arrived) taken.push(...(await store(logs, [each])));
    return taken;
  }

  async function storeAll(logs: LogsHeld | undefined, arrived: readonly Arrived[]): Promise<Taken[]> {
    const { taken, renamed } = await takeAll(db, me, arrived, logs);
    const roomsWhere = (isSo: (each: Taken) => boolean) => [
      ...new Set(taken.flatMap((each, i) => (isSo(each) ? arrived[i]!.incoming.room : []))),
    ];
    const others = roomsWhere((each) => each.putBack);
    if (others.length > 0) {
      if (era) era = { ...era };
      putBack(others);
    }
    if (renamed.length > 0) changed({ type: 'users', users: renamed });
    for (const [settled, type] of TOLD) {
      const rooms = roomsWhere((each) => each.settled === settled);
      if (rooms.length > 0) changed({ type, rooms });
    }
    return taken;
  }

  return {
    now: () => era,
    isNow: (one) => one === era,
    begin(logs) {
      era = { logs };
    },
    end() {
      era = undefined;
    },
    otherEpoch: unusable,
    next,
    frames: store,
    answer: (asked, incoming, users) =>
      next(async () => {
        if (asked !== era) return false;
        try {
          const [taken] = await store(asked.logs, [{ incoming, users }]);
          return taken?.held === true;
        } catch (error) {
          if (!(error instanceof OtherEpoch)) throw error;
          unusable();
          return false;
        }
      }),
  };
}

/** What is told of a room, by what came to its end in it: to look again, or also to send on. */
const TOLD = [
  ['parked', 'queued'],
  ['rows', 'rows'],
  ['nothing', 'log'],
] as const;
