/**
 * An IndexedDB database that reopens itself. Browsers close the handle, another tab upgrades the database, and on iOS a
 * request may never be answered. A transaction that was lost this way runs once more on a new handle, so `work` must be
 * idempotent.
 *
 * A transaction has no total deadline, since its work may grow with the data. It fails when it stalls: when for
 * DATABASE_TIMEOUT_MS no request of it was answered, nor one of a transaction that it may be queued behind. Opening fails
 * after DATABASE_TIMEOUT_MS without an event, or UPGRADE_TIMEOUT_MS after the last upgrade event.
 */
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, type StoreNames, wrap } from 'idb';
import { DATABASE_TIMEOUT_MS, FREE_SPACE_EVERY_MS, UPGRADE_TIMEOUT_MS } from '../records/pageLimits.ts';
import type { Clock } from './clock.ts';
import { isFull } from './failure.ts';

export interface Database<S extends DBSchema> {
  /** Runs `work` in one transaction, on one snapshot. `work` may await only requests of that transaction. */
  read<T>(stores: readonly StoreNames<S>[], work: (tx: ReadTx<S>) => Promise<T>): Promise<T>;
  /**
   * The same for writing; rejects with nothing written. Resolves once all is on disk (strict durability, as L4 on the
   * server). `relaxed`: a power loss may undo the transaction, and all after it, but none before it: browsers append to one
   * log per database, which the next strict transaction flushes. For what the server sends again.
   */
  write<T>(
    stores: readonly StoreNames<S>[],
    work: (tx: WriteTx<S>) => Promise<T>,
    durability?: IDBTransactionDurability,
  ): Promise<T>;
  /** From now on transactions begin in the order of the queue, not as they are asked for. */
  queueBy(queue: TransactionQueue): void;
  /**
   * The page may be frozen from now on. A transaction that is frozen with it would block every other tab (S5), so open
   * transactions abort. They, and new ones, run after `resume`.
   */
  suspend(): void;
  resume(): void;
  close(): void;
}

/**
 * Begins a transaction when it may, and resolves with its result. `interrupted` rejects where the transaction is to be aborted
 * before its work is done; `begin` rejects with the same error, and the queue begins it again.
 */
export type TransactionQueue = <T>(
  stores: readonly unknown[],
  mode: IDBTransactionMode,
  durability: IDBTransactionDurability,
  begin: (interrupted?: Promise<never>) => Promise<T>,
) => Promise<T>;

export type ReadTx<S extends DBSchema> = IDBPTransaction<S, StoreNames<S>[], 'readonly'>;
export type WriteTx<S extends DBSchema> = IDBPTransaction<S, StoreNames<S>[], 'readwrite'>;

export interface DatabaseOptions<S extends DBSchema> {
  indexedDB: IDBFactory;
  clock: Clock;
  name: string;
  version: number;
  migrate(db: IDBPDatabase<S>, oldVersion: number, tx: IDBTransaction): void;
  /**
   * Deletes data that can be fetched again; resolves with false if there is none. Called when a write fails because the
   * device is full; the write then runs once more.
   */
  freeSpace?(db: Database<S>): Promise<boolean>;
  /** The browser deleted the database while the app was open. This is a new, empty one. */
  emptied?(): void;
}

export function openResilientDatabase<S extends DBSchema>(options: DatabaseOptions<S>): Database<S> {
  let handle: Promise<IDBPDatabase<S>> | undefined;
  let wasOpen = false;
  let closed = false;
  let queue: TransactionQueue = (_stores, _mode, _durability, begin) => begin();
  let suspension: { over: Promise<void>; end(): void } | undefined;
  /** The number of suspensions so far. */
  let suspensions = 0;
  const pending = new Set<PendingTransaction>();
  /** The time of the last event of an upgrade that has not finished, by `ticks`. */
  let upgradingAt: number | undefined;
  let freeing: Promise<boolean> | undefined;
  let freedAt = Number.NEGATIVE_INFINITY;

  async function run<T>(
    stores: readonly StoreNames<S>[],
    mode: IDBTransactionMode,
    work: (tx: never) => Promise<T>,
    durability: IDBTransactionDurability,
    interrupted?: Promise<never>,
    isRetry = false,
  ): Promise<T> {
    if (suspension) await suspension.over;
    const before = suspensions;
    try {
      return await attempt(stores, mode, work, durability, interrupted);
    } catch (error) {
      if (closed) throw error;
      if (suspensions !== before) return run(stores, mode, work, durability, interrupted, isRetry);
      const retries = !isRetry && (isHandleLost(error) || (isFull(error) && (await freedSpace())));
      if (retries) return run(stores, mode, work, durability, interrupted, true);
      throw error;
    }
  }

  /**
   * One run serves all writes that need space at the time. Its own transactions bypass the retry, and the queue, in which
   * those writes are: waiting for itself would be a deadlock.
   */
  async function freedSpace(): Promise<boolean> {
    const { freeSpace, clock } = options;
    if (!freeSpace || (!freeing && clock.ticks() - freedAt < FREE_SPACE_EVERY_MS)) return false;
    if (!freeing) freedAt = clock.ticks();
    freeing ??= freeSpace({
      ...database,
      read: (stores, work) => attempt(stores, 'readonly', work, 'relaxed'),
      write: (stores, work, durability = 'strict') => attempt(stores, 'readwrite', work, durability),
    }).finally(() => {
      freeing = undefined;
    });
    return freeing.catch((error) => {
      console.warn('no storage could be freed', error);
      return false;
    });
  }

  async function attempt<T>(
    stores: readonly StoreNames<S>[],
    mode: IDBTransactionMode,
    work: (tx: never) => Promise<T>,
    durability: IDBTransactionDurability,
    interrupted?: Promise<never>,
  ) {
    if (closed) throw new DatabaseClosed();
    const used = opened();
    const { clock } = options;
    const mine: PendingTransaction = { stores: stores as readonly string[], since: clock.ticks() };
    let hasFailed = false;
    pending.add(mine);
    try {
      return await unlessStalled(clock, deadlineOf(mine), async () => {
        const db = await used;
        if (hasFailed || suspension) throw new DatabaseStalled(); // the caller was told of a failure and may have retried (O4)
        const tx = db.transaction([...stores], mode, { durability });
        mine.tx = tx;
        mine.since = clock.ticks();
        const answered = () => {
          mine.answeredAt = clock.ticks();
        };
        for (const event of ['success', 'error']) tx.addEventListener(event, answered, true); // of its requests
        return await complete(tx, work, interrupted);
      });
    } catch (error) {
      hasFailed = true;
      if (mine.tx && isHandleLost(error)) abort(mine.tx);
      if (!mine.tx || isHandleLost(error)) release(used); // a handle that never opened is opened again the next time
      throw error;
    } finally {
      pending.delete(mine);
    }
  }

  /** By `ticks`. Moves on with each answered request of this transaction, or of one that uses a store of it. */
  function deadlineOf(mine: PendingTransaction): () => number {
    const sharesStore = ({ stores }: PendingTransaction) =>
      stores.some((store) => mine.stores.includes(store));
    return () => {
      if (!mine.tx && upgradingAt !== undefined) return upgradingAt + UPGRADE_TIMEOUT_MS;
      const answers = [...pending].filter(sharesStore).map(({ answeredAt = 0 }) => answeredAt);
      return Math.max(mine.since, ...answers) + DATABASE_TIMEOUT_MS;
    };
  }

  function opened(): Promise<IDBPDatabase<S>> {
    handle ??= open(options, { lost: release, deleted, upgrading, migrated });
    return handle;
  }

  /** The browser closed or deleted the database. It is reopened at once, so that the screen does not show deleted data. */
  function deleted(used: Promise<IDBPDatabase<S>>) {
    if (handle !== used) return;
    release(used);
    if (closed) return;
    const again = opened();
    again.catch(() => release(again)); // the next transaction gets the error
  }

  function upgrading() {
    upgradingAt = options.clock.ticks();
  }

  function migrated(oldVersion: number) {
    upgradingAt = undefined;
    if (oldVersion === 0 && wasOpen && !closed) options.emptied?.();
    wasOpen = true;
  }

  function release(used: Promise<IDBPDatabase<S>>) {
    if (handle === used) {
      handle = undefined;
      upgradingAt = undefined;
    }
    used.then(
      (db) => db.close(),
      () => {},
    );
  }

  function resume() {
    suspension?.end();
    suspension = undefined;
  }

  const database: Database<S> = {
    read: (stores, work) =>
      queue(stores, 'readonly', 'relaxed', (interrupted) =>
        run(stores, 'readonly', work, 'relaxed', interrupted),
      ),
    write: (stores, work, durability = 'strict') =>
      queue(stores, 'readwrite', durability, (interrupted) =>
        run(stores, 'readwrite', work, durability, interrupted),
      ),
    queueBy(next) {
      queue = next;
    },
    suspend() {
      if (suspension || closed) return;
      suspensions++;
      let end = () => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      suspension = { over, end };
      for (const { tx } of pending) if (tx) abort(tx);
      if (handle) release(handle); // else an upgrade by a newer app version in another tab would wait for it
    },
    resume,
    close() {
      closed = true;
      resume();
      if (handle) release(handle);
    },
  };
  return database;
}

/** Thrown after `close` was called. */
export class DatabaseClosed extends Error {
  constructor() {
    super('the database was closed');
    this.name = 'DatabaseClosed';
  }
}

/** Thrown when the database did not answer for too long. */
export class DatabaseStalled extends Error {
  constructor() {
    super('the database does not answer');
    this.name = 'DatabaseStalled';
  }
}

interface HandleEvents<S extends DBSchema> {
  /** The handle was closed. It is opened again with the next transaction. */
  lost(handle: Promise<IDBPDatabase<S>>): void;
  deleted(handle: Promise<IDBPDatabase<S>>): void;
  /** An upgrade runs, or waits for other tabs. */
  upgrading(): void;
  /** Opened; before, the database had this version (0: it did not exist). */
  migrated(oldVersion: number): void;
}

function open<S extends DBSchema>(
  { indexedDB, name, version, migrate }: DatabaseOptions<S>,
  { lost, deleted, upgrading, migrated }: HandleEvents<S>,
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
      console.warn(`an older version in another tab blocks ${name}`);
    };
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const db = request.result;
      db.onclose = () => deleted(handle);
      db.onversionchange = ({ newVersion }) => {
        db.close(); // a newer app version in another tab waits for this handle; or the database is being deleted
        if (newVersion === null) deleted(handle);
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

async function complete<S extends DBSchema, T>(
  tx: IDBPTransaction<S, StoreNames<S>[], IDBTransactionMode>,
  work: (tx: never) => Promise<T>,
  interrupted?: Promise<never>,
): Promise<T> {
  tx.done.catch(() => {}); // no "unhandled rejection" before it is awaited below
  try {
    const working = work(tx as never);
    const result = await (interrupted ? Promise.race([working, interrupted]) : working);
    await tx.done;
    return result;
  } catch (error) {
    abort(tx);
    throw tx.error ?? error; // the transaction's error has the cause (QuotaExceededError), the request's has not
  }
}

function abort(tx: { abort(): void }) {
  try {
    tx.abort();
  } catch {
    // it has already ended
  }
}

/** A transaction that was requested and has not ended. Times are by `ticks`. */
interface PendingTransaction {
  stores: readonly string[];
  /** When it was requested; after it has begun, when it began. */
  since: number;
  /** When a request of it was last answered. */
  answeredAt?: number;
  tx?: { abort(): void };
}

/** The result of `work`, or `DatabaseStalled` at the deadline, which may move on. `work` itself is not cancelled. */
async function unlessStalled<T>(clock: Clock, deadline: () => number, work: () => Promise<T>): Promise<T> {
  const working = work();
  let timer: ReturnType<Clock['setTimeout']> | undefined;
  const stalled = new Promise<never>((_, reject) => {
    const check = () => {
      const left = deadline() - clock.ticks();
      if (left <= 0) reject(new DatabaseStalled());
      else timer = clock.setTimeout(check, left);
    };
    check();
  });
  try {
    return await Promise.race([working, stalled]);
  } finally {
    clock.clearTimeout(timer!);
    working.catch(() => {}); // may still reject after the deadline
  }
}

/** InvalidStateError: the handle is closing. UnknownError: iOS lost its database process. AbortError: closed within a transaction. */
function isHandleLost(error: unknown): boolean {
  if (error instanceof DatabaseStalled) return true;
  return (
    error instanceof DOMException && ['InvalidStateError', 'UnknownError', 'AbortError'].includes(error.name)
  );
}
