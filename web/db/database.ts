/**
 * A database that survives its handle: browsers close it, upgrade it from another tab, or (iOS) let a request hang for
 * ever. What was under way is then done again on a new handle, so `work` must come to the same when done twice.
 *
 * There is no deadline for a transaction as a whole, since its work may grow with the data. It is given up when it stands
 * still: when for DATABASE_TIMEOUT_MS no request of it was answered, nor one of a transaction that it may be waiting for.
 * So is an opening: after that time without a word, and after UPGRADE_TIMEOUT_MS once it is at an upgrade.
 */
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, type StoreNames, wrap } from 'idb';
import { DATABASE_TIMEOUT_MS, FREE_SPACE_EVERY_MS, UPGRADE_TIMEOUT_MS } from '../records/pageLimits.ts';
import type { Clock } from './clock.ts';
import { isFull } from './failure.ts';

export interface Database<S extends DBSchema> {
  /** Runs `work` in one transaction on a consistent state. Within it only requests of that transaction may be awaited. */
  read<T>(stores: readonly StoreNames<S>[], work: (tx: ReadTx<S>) => Promise<T>): Promise<T>;
  /** The same for writing; resolves once everything is on disk (strict durability, L4's counterpart here), or rejects with nothing done. */
  write<T>(stores: readonly StoreNames<S>[], work: (tx: WriteTx<S>) => Promise<T>): Promise<T>;
  /**
   * The page may be frozen from now on: a transaction frozen with it would hold up every other tab (S5). What is under
   * way is undone, and done when the page goes on, as is what is asked for meanwhile.
   */
  standStill(): void;
  goOn(): void;
  close(): void;
}

export type ReadTx<S extends DBSchema> = IDBPTransaction<S, StoreNames<S>[], 'readonly'>;
export type WriteTx<S extends DBSchema> = IDBPTransaction<S, StoreNames<S>[], 'readwrite'>;

export interface Opening<S extends DBSchema> {
  indexedDB: IDBFactory;
  clock: Clock;
  name: string;
  version: number;
  migrate(db: IDBPDatabase<S>, oldVersion: number, tx: IDBTransaction): void;
  /** Deletes what can be had again; false when there is nothing. A write that found the device full is then done again. */
  makeRoom?(db: Database<S>): Promise<boolean>;
  /** The browser threw away what was stored, under the open app: this is a new database. */
  emptied?(): void;
}

export function openDatabase<S extends DBSchema>(opening: Opening<S>): Database<S> {
  let handle: Promise<IDBPDatabase<S>> | undefined;
  let wasOpen = false;
  let closed = false;
  let still: { over: Promise<void>; end(): void } | undefined;
  /** How often it stood still so far. */
  let stops = 0;
  const underWay = new Set<UnderWay>();
  /** When it was heard last of an upgrade that is not done. */
  let upgradingAt: number | undefined;
  let makingRoom: Promise<boolean> | undefined;
  let madeRoomAt = Number.NEGATIVE_INFINITY;

  async function run<T>(
    stores: readonly StoreNames<S>[],
    mode: IDBTransactionMode,
    work: (tx: never) => Promise<T>,
    isSecond = false,
  ): Promise<T> {
    if (still) await still.over;
    const before = stops;
    try {
      return await attempt(stores, mode, work);
    } catch (error) {
      if (closed) throw error;
      if (stops !== before) return run(stores, mode, work, isSecond);
      const again = !isSecond && (isHandleLost(error) || (isFull(error) && (await madeRoom())));
      if (again) return run(stores, mode, work, true);
      throw error;
    }
  }

  /** Once for all that are in need of it at the time. What it does itself must not ask for it: it would wait for itself. */
  async function madeRoom(): Promise<boolean> {
    const { makeRoom, clock } = opening;
    if (!makeRoom || (!makingRoom && clock.ticks() - madeRoomAt < FREE_SPACE_EVERY_MS)) return false;
    if (!makingRoom) madeRoomAt = clock.ticks();
    makingRoom ??= makeRoom({
      ...database,
      write: (stores, work) => attempt(stores, 'readwrite', work),
    }).finally(() => {
      makingRoom = undefined;
    });
    return makingRoom.catch((error) => {
      console.warn('no room could be made', error);
      return false;
    });
  }

  async function attempt<T>(
    stores: readonly StoreNames<S>[],
    mode: IDBTransactionMode,
    work: (tx: never) => Promise<T>,
  ) {
    if (closed) throw new DatabaseClosed();
    const used = opened();
    const { clock } = opening;
    const mine: UnderWay = { stores: stores as readonly string[], since: clock.ticks() };
    let givenUp = false;
    underWay.add(mine);
    try {
      return await whileAnswered(clock, deadlineOf(mine), async () => {
        const db = await used;
        if (givenUp || still) throw new DatabaseHangs(); // it was told as failed: the same done now would be done twice (O4)
        const tx = db.transaction([...stores], mode, { durability: 'strict' });
        mine.tx = tx;
        mine.since = clock.ticks();
        const answered = () => {
          mine.answeredAt = clock.ticks();
        };
        for (const event of ['success', 'error']) tx.addEventListener(event, answered, true); // of its requests
        return await carryOut(tx, work);
      });
    } catch (error) {
      givenUp = true;
      if (mine.tx && isHandleLost(error)) abort(mine.tx);
      if (!mine.tx || isHandleLost(error)) letGo(used); // one that never opened is opened anew the next time
      throw error;
    } finally {
      underWay.delete(mine);
    }
  }

  /** Moves on whenever it is answered, or one that it may wait for is, since both use a store. */
  function deadlineOf(mine: UnderWay): () => number {
    const isConcerned = ({ stores }: UnderWay) => stores.some((store) => mine.stores.includes(store));
    return () => {
      if (!mine.tx && upgradingAt !== undefined) return upgradingAt + UPGRADE_TIMEOUT_MS;
      const answers = [...underWay].filter(isConcerned).map(({ answeredAt = 0 }) => answeredAt);
      return Math.max(mine.since, ...answers) + DATABASE_TIMEOUT_MS;
    };
  }

  function opened(): Promise<IDBPDatabase<S>> {
    handle ??= open(opening, { lost: letGo, thrownAway, upgrading, migrated });
    return handle;
  }

  /** The browser closed it, or deletes it. Opened again at once, so that what is gone does not stay on the screen. */
  function thrownAway(used: Promise<IDBPDatabase<S>>) {
    if (handle !== used) return;
    letGo(used);
    if (closed) return;
    const again = opened();
    again.catch(() => letGo(again)); // whoever needs it hears of it
  }

  function upgrading() {
    upgradingAt = opening.clock.ticks();
  }

  function migrated(oldVersion: number) {
    upgradingAt = undefined;
    if (oldVersion === 0 && wasOpen && !closed) opening.emptied?.();
    wasOpen = true;
  }

  function letGo(used: Promise<IDBPDatabase<S>>) {
    if (handle === used) {
      handle = undefined;
      upgradingAt = undefined;
    }
    used.then(
      (db) => db.close(),
      () => {},
    );
  }

  function goOn() {
    still?.end();
    still = undefined;
  }

  const database: Database<S> = {
    read: (stores, work) => run(stores, 'readonly', work),
    write: (stores, work) => run(stores, 'readwrite', work),
    standStill() {
      if (still || closed) return;
      stops++;
      let end = () => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      still = { over, end };
      for (const { tx } of underWay) if (tx) abort(tx);
      if (handle) letGo(handle); // nor is a newer version of the app, in another tab, to wait for it
    },
    goOn,
    close() {
      closed = true;
      goOn();
      if (handle) letGo(handle);
    },
  };
  return database;
}

/** What is thrown once `close` was called: nobody is interested any more. */
export class DatabaseClosed extends Error {
  constructor() {
    super('the database was closed');
    this.name = 'DatabaseClosed';
  }
}

/** What is thrown when nothing was heard from the database for too long. */
export class DatabaseHangs extends Error {
  constructor() {
    super('the database stands still');
    this.name = 'DatabaseHangs';
  }
}

interface Heard<S extends DBSchema> {
  /** The handle has to be let go, and is not needed before something is read or written. */
  lost(handle: Promise<IDBPDatabase<S>>): void;
  thrownAway(handle: Promise<IDBPDatabase<S>>): void;
  /** It is at an upgrade, or waits for one. */
  upgrading(): void;
  /** It is open, and was of this version before. */
  migrated(oldVersion: number): void;
}

function open<S extends DBSchema>(
  { indexedDB, name, version, migrate }: Opening<S>,
  { lost, thrownAway, upgrading, migrated }: Heard<S>,
): Promise<IDBPDatabase<S>> {
  const handle = new Promise<IDBPDatabase<S>>((resolve, reject) => {
    let before = version;
    const request = indexedDB.open(name, version);
    request.onupgradeneeded = ({ oldVersion }) => {
      before = oldVersion;
      upgrading();
      migrate(typed(request.result), oldVersion, request.transaction!);
    };
    request.onblocked = () => {
      upgrading();
      console.warn(`${name} is held by a tab with an older version of the app`);
    };
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const db = request.result;
      db.onclose = () => thrownAway(handle);
      db.onversionchange = ({ newVersion }) => {
        db.close(); // a newer version of the app, in another tab, waits for us to let go; or it is being deleted
        if (newVersion === null) thrownAway(handle);
        else lost(handle);
      };
      migrated(before);
      resolve(typed(db));
    };
  });
  return handle;

  function typed(db: IDBDatabase): IDBPDatabase<S> {
    return wrap(db) as unknown as IDBPDatabase<S>;
  }
}

async function carryOut<S extends DBSchema, T>(
  tx: IDBPTransaction<S, StoreNames<S>[], IDBTransactionMode>,
  work: (tx: never) => Promise<T>,
): Promise<T> {
  tx.done.catch(() => {}); // awaited below; until then its rejection is nobody's
  try {
    const result = await work(tx as never);
    await tx.done;
    return result;
  } catch (error) {
    abort(tx);
    throw tx.error ?? error; // the transaction's own error says why (QuotaExceededError), the request's only that
  }
}

function abort(tx: { abort(): void }) {
  try {
    tx.abort();
  } catch {
    // it is over already
  }
}

/** A transaction that is asked for, with times by `ticks`. */
interface UnderWay {
  stores: readonly string[];
  /** When it was asked for; once it has begun, when that was. */
  since: number;
  /** When a request of it was answered last. */
  answeredAt?: number;
  tx?: { abort(): void };
}

/** What `work` gives, or `DatabaseHangs` at the deadline, which may move on; the work itself goes on. */
async function whileAnswered<T>(clock: Clock, deadline: () => number, work: () => Promise<T>): Promise<T> {
  const working = work();
  let timer: ReturnType<Clock['setTimeout']> | undefined;
  const still = new Promise<never>((_, reject) => {
    const look = () => {
      const left = deadline() - clock.ticks();
      if (left <= 0) reject(new DatabaseHangs());
      else timer = clock.setTimeout(look, left);
    };
    look();
  });
  try {
    return await Promise.race([working, still]);
  } finally {
    clock.clearTimeout(timer!);
    working.catch(() => {}); // one that was given up may still fail
  }
}

/** InvalidStateError: the handle is closing. UnknownError: iOS lost its database server. AbortError: closed under way. */
function isHandleLost(error: unknown): boolean {
  if (error instanceof DatabaseHangs) return true;
  return (
    error instanceof DOMException && ['InvalidStateError', 'UnknownError', 'AbortError'].includes(error.name)
  );
}
