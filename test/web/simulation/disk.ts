/** The databases of the simulated browser, read without the client. Knows which tab each open transaction belongs to, to abort it with its tab. */
import 'fake-indexeddb/auto';
import { LEGACY_LOG_STORES, LOG_STORES } from '../../../web/db/userDatabase.ts';
import { type FaultyIndexedDB, faultyIndexedDB } from '../../support/faultyIndexedDB.ts';

export interface Disk {
  faults: FaultyIndexedDB;
  /** The IndexedDB of one tab. `abort` aborts the tab's transactions, and stops all further events. */
  forTab(): { indexedDB: IDBFactory; abort(): void };
  /** The names of the databases. */
  names(): string[];
  read<T>(database: string, store: string): T[];
  readAt<T>(database: string, store: string, key: string): T | undefined;
  /** False during a write transaction, which may still be aborted. */
  isClean(database: string): boolean;
  /**
   * Moves all stored log entries to the stores of the previous version, as if the app had just been updated. Returns false
   * during a write transaction, or if entries of the last call are still there.
   */
  age(database: string): boolean;
  /** `commit` was called and the transaction has not completed: it cannot be aborted any more. */
  isCommitting(): boolean;
}

/** The internals of fake-indexeddb that this file uses. */
interface RawDatabase {
  transactions: RawTransaction[];
  rawObjectStores: Map<string, RawStore>;
}
interface RawStore {
  records: { values(): Iterable<{ key: unknown; value: unknown }> };
  storeRecord(record: { key: unknown; value: unknown }, noOverwrite: boolean): void;
  clear(): void;
}
interface RawTransaction {
  mode: string;
  _started: boolean;
  _state: string;
  _abort(name: string): void;
  db: IDBDatabase;
}

/** `committed` is called after each write transaction. */
export function createDisk(committed: (database: string) => void): Disk {
  const real = new IDBFactory();
  const faults = faultyIndexedDB(real);
  const raws = (real as unknown as { _databases: Map<string, RawDatabase> })._databases;

  function records(database: string, store: string) {
    const { records } = raws.get(database)?.rawObjectStores.get(store) ?? {};
    return records ? [...records.values()] : [];
  }

  const isClean = (database: string) =>
    !raws
      .get(database)
      ?.transactions.some((tx) => tx.mode !== 'readonly' && tx._started && tx._state !== 'finished');

  function age(database: string): boolean {
    const { rawObjectStores } = raws.get(database)!;
    const isMade = LOG_STORES.every((store) => rawObjectStores.has(store));
    const isMoving = LEGACY_LOG_STORES.some((store) => records(database, store).length > 0);
    if (!isClean(database) || !isMade || isMoving) return false;
    for (const [i, name] of LOG_STORES.entries()) {
      const before = rawObjectStores.get(LEGACY_LOG_STORES[i]!)!;
      for (const { key, value } of records(database, name)) {
        const { line: _, ...older } = value as { line?: number };
        before.storeRecord({ key, value: older }, false);
      }
      rawObjectStores.get(name)!.clear();
    }
    return true;
  }

  function forTab() {
    const handles = new Set<IDBDatabase>();
    let isGone = false;
    const indexedDB = new Proxy(faults.indexedDB, {
      get(target, name) {
        if (name !== 'open') return Reflect.get(target, name);
        return (...args: [string, number]) =>
          isGone ? {} : watch(target.open(...args), handles, () => isGone);
      },
    });
    return {
      indexedDB,
      abort() {
        isGone = true;
        for (const handle of handles)
          for (const tx of (handle as unknown as { _rawDatabase: RawDatabase })._rawDatabase.transactions)
            if (tx.db === handle && tx._state !== 'finished' && tx._state !== 'committing')
              tx._abort('AbortError');
      },
    };
  }

  function watch(
    request: IDBOpenDBRequest,
    handles: Set<IDBDatabase>,
    isGone: () => boolean,
  ): IDBOpenDBRequest {
    request.addEventListener?.('success', () => {
      const db = request.result;
      handles.add(db);
      const transaction = db.transaction.bind(db);
      db.transaction = (...wanted: Parameters<typeof transaction>) => {
        if (isGone()) throw new DOMException('the tab is gone', 'InvalidStateError');
        const tx = transaction(...wanted);
        if (tx.mode === 'readwrite') tx.addEventListener('complete', () => committed(db.name));
        return tx;
      };
    });
    return request;
  }

  return {
    faults,
    forTab,
    names: () => [...raws.keys()],
    read: <T>(database: string, store: string) => records(database, store).map(({ value }) => value as T),
    readAt: <T>(database: string, store: string, key: string) =>
      records(database, store).find((record) => record.key === key)?.value as T | undefined,
    isCommitting: () =>
      [...raws.values()].some(({ transactions }) => transactions.some((tx) => tx._state === 'committing')),
    isClean,
    age,
  };
}
