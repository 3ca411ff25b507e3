/** Stores that only write: one that finishes each write when it is told to, one that does as a seed has it. */
import type { WriteBatch } from '../../../server/ingest/batcher.ts';
import { type AppendResult, type NewEntry, Unavailable } from '../../../server/store/port.ts';
import { seeded } from '../../support/random.ts';

export const away = new Unavailable('away');

/** By room: what was written of it, as `clientOffset`s in order. */
export interface Written {
  write: WriteBatch;
  logOf(room: string): string[];
  /** What the entry's write was answered with. */
  resultOf(entry: NewEntry): AppendResult | undefined;
}

interface UnderWay {
  entries: readonly NewEntry[];
  /** The first `known` of them are written; of the others nothing is known. */
  finish(known?: number): void;
}

/** `writing(room)` resolves with the room's write as soon as it is under way. */
export function writesByHand(): Written & { writing(room: string): Promise<UnderWay> } {
  const log = createLog();
  const underWay = new Map<string, PromiseWithResolvers<UnderWay>>();
  const nextOf = (room: string) => {
    const next = underWay.get(room) ?? Promise.withResolvers<UnderWay>();
    underWay.set(room, next);
    return next;
  };
  return {
    ...log,
    writing: (room) => nextOf(room).promise,
    write: (entries) =>
      new Promise((resolve) => {
        const { room } = entries[0]!;
        const finish = (known = entries.length) => {
          underWay.delete(room);
          resolve(log.append(entries, known));
        };
        nextOf(room).resolve({ entries, finish });
      }),
  };
}

/** Each write takes some turns of the event loop, and one in four stops somewhere. */
export function writesAtRandom(seed: number): Written {
  const log = createLog();
  const random = seeded(seed);
  return {
    ...log,
    async write(entries) {
      for (let turns = random.int(0, 3); turns > 0; turns--) await new Promise(setImmediate);
      return log.append(entries, random.int(0, 3) === 0 ? random.int(0, entries.length - 1) : entries.length);
    },
  };
}

function createLog() {
  const rooms = new Map<string, string[]>();
  const results = new Map<string, AppendResult>();

  function one({ room, clientOffset }: NewEntry): AppendResult {
    const keys = rooms.get(room) ?? [];
    rooms.set(room, keys);
    const result: AppendResult = { tag: 'appended', serverOffset: keys.push(clientOffset), at: results.size };
    results.set(`${room} ${clientOffset}`, result);
    return result;
  }

  return {
    append(entries: readonly NewEntry[], known: number) {
      const written = entries.slice(0, known).map(one);
      return known < entries.length ? { results: written, stopped: away } : { results: written };
    },
    logOf: (room: string) => rooms.get(room) ?? [],
    resultOf: ({ room, clientOffset }: NewEntry) => results.get(`${room} ${clientOffset}`),
  };
}
