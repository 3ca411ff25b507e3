/** Fakes of `WriteBatch`: one whose writes the test finishes by hand, one with random delays and stops by a seed. */
import type { WriteBatch } from '../../../server/ingest/batcher.ts';
import { type AppendResult, type NewEntry, Unavailable } from '../../../server/store/port.ts';
import { seeded } from '../../support/random.ts';

export const away = new Unavailable('away');

/** A fake and what it has written. `logOf`: the `clientOffset`s of a room, in order. */
export interface Written {
  write: WriteBatch;
  logOf(room: string): string[];
  /** The result with which the entry was written. */
  resultOf(entry: NewEntry): AppendResult | undefined;
}

interface InFlight {
  entries: readonly NewEntry[];
  /** The first `known` entries are written; the fate of the others is unknown. */
  finish(known?: number): void;
}

/** `writing(room)` resolves with the room's write as soon as it has started. */
export function writesByHand(): Written & { writing(room: string): Promise<InFlight> } {
  const log = createLog();
  const inFlight = new Map<string, PromiseWithResolvers<InFlight>>();
  const nextOf = (room: string) => {
    const next = inFlight.get(room) ?? Promise.withResolvers<InFlight>();
    inFlight.set(room, next);
    return next;
  };
  return {
    ...log,
    writing: (room) => nextOf(room).promise,
    write: (entries) =>
      new Promise((resolve) => {
        const { room } = entries[0]!;
        const finish = (known = entries.length) => {
          inFlight.delete(room);
          resolve(log.append(entries, known));
        };
        nextOf(room).resolve({ entries, finish });
      }),
  };
}

/** Each write takes some turns of the event loop, and one in four stops in the middle. */
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
