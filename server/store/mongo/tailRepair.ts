/**
 * What follows from an entry (the blanking after a delete, the member's row after a join or leave) is done by whoever
 * appended it, right after. Where that one died in between, whoever tails the entry does it: every process looks a
 * little later whether it is still to be done, not all at the same moment, and finds nearly always that it is not.
 */
import type { EntryDocument } from './append/commands.ts';
import type { Clock } from './tailLoop.ts';

export interface Repair {
  /** What the tail has just brought. */
  heard(documents: readonly EntryDocument[]): void;
  close(): void;
}

export type EntryPlace = Pick<EntryDocument, 'room' | 'serverOffset'>;

interface Deps {
  /** Looks which of these are still unfinished, and finishes them. */
  finish: (entries: readonly EntryPlace[]) => Promise<unknown>;
  clock: Pick<Clock, 'after' | 'random'>;
}

const LOOK_AFTER_MS = 1_000;

export function createRepair({ finish, clock }: Deps): Repair {
  const looks = new Set<() => void>();

  function lookLater(entries: readonly EntryPlace[]) {
    const callOff = clock.after(LOOK_AFTER_MS * (1 + clock.random()), () => {
      looks.delete(callOff);
      finish(entries).catch(() => lookLater(entries)); // the database is away
    });
    looks.add(callOff);
  }

  return {
    heard(documents) {
      const unfinished = documents.filter(({ pending }) => pending);
      if (unfinished.length > 0) {
        lookLater(unfinished.map(({ room, serverOffset }) => ({ room, serverOffset })));
      }
    },
    close() {
      for (const callOff of looks) callOff();
      looks.clear();
    },
  };
}
