import type { UserDatabase, UserRead } from './userDatabase.ts';

/** What the views read: all that the screen shows of the database. */
export const SCREEN_STORES = [
  'rooms',
  'users',
  'rows',
  'log',
  'logSpans',
  'detached',
  'reactions',
  'drafts',
  'marks',
] as const;

export type ScreenReader = <T>(work: (tx: UserRead) => Promise<T>) => Promise<T>;

/**
 * Reads of SCREEN_STORES. Those that are asked for in the same turn of the event loop, or before the transaction begins, share
 * it, and what they ask alike is asked once (`askOnce` in lookups.ts). All of them reject where one does.
 */
export function shareReads(db: Pick<UserDatabase, 'read'>): ScreenReader {
  let works: ((tx: UserRead) => Promise<void>)[] = [];
  let shared: Promise<void> | undefined;

  async function run(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await undefined;
    let mine: typeof works | undefined;
    const begin = () => {
      if (mine) return mine; // repeated
      mine = works;
      works = [];
      shared = undefined;
      return mine;
    };
    await db.read(SCREEN_STORES, (tx) => Promise.all(begin().map((work) => work(tx)))).finally(begin); // also where it never began
  }

  return async <T>(work: (tx: UserRead) => Promise<T>) => {
    let result!: T;
    works.push(async (tx) => {
      result = await work(tx);
    });
    shared ??= run();
    await shared;
    return result;
  };
}

/** Microtasks: all views hear of one change within so many. */
const TURNS = 3;
