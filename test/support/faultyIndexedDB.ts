/**
 * Fault injection for IndexedDB: it hangs, runs full, loses its connections, commits what the app has given up, or deletes
 * everything, as browsers do. It patches internals of fake-indexeddb, which has no API for this.
 */
import { forceCloseDatabase } from 'fake-indexeddb';

export interface FaultyIndexedDB {
  indexedDB: IDBFactory;
  /** While true, `open` does not finish. */
  hangOpen(on: boolean): void;
  /** While true, no request of a transaction finishes. */
  hangRequests(on: boolean): void;
  /** The browser closes all connections; their transactions fail. */
  killHandles(): void;
  /** How many more bytes can be stored than now. Deleting frees space. */
  quota(bytesLeft: number | undefined): void;
  /** While true, commits are under way: they cannot be aborted, and `complete` does not fire. */
  lateCommits(on: boolean): void;
  /** The browser deletes everything while connections are open. */
  deleteAll(): Promise<void>;
  /** Called before each step of each transaction, with the number of steps so far. */
  onStep(callback: ((count: number) => void) | undefined): void;
}

/** The internals that are patched. */
interface Inside extends IDBTransaction {
  _start(): void;
  _started: boolean;
  _abort(name: string): void;
  _state: 'active' | 'inactive' | 'committing' | 'finished';
  _requests: unknown[];
  db: IDBDatabase & { _rawDatabase: RawDatabase };
}
interface RawDatabase {
  rawObjectStores: Map<string, { records: { values(): Iterable<{ value: unknown }> } }>;
}

export function faultyIndexedDB(real: IDBFactory): FaultyIndexedDB {
  const handles = new Set<IDBDatabase>();
  const raws = new Set<RawDatabase>();
  const sizes = new WeakMap<object, number>();
  const opening = createGate();
  const requests = createGate();
  const commits = createGate();
  let most: number | undefined;
  let steps = 0;
  let stepped: ((count: number) => void) | undefined;

  const indexedDB = new Proxy(real, {
    get(target, name) {
      if (name === 'open') return open;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

  function open(name: string, version?: number): IDBOpenDBRequest {
    if (!opening.isShut()) return watch(real.open(name, version));
    const hung = {} as Record<string, unknown>;
    opening.pass(() => {
      const request = watch(real.open(name, version));
      for (const event of ['onupgradeneeded', 'onsuccess', 'onerror', 'onblocked'] as const)
        request[event] = (said: Event) => {
          Object.assign(hung, { result: readResult(request), error: request.error });
          (hung[event] as ((said: Event) => void) | undefined)?.(said);
        };
    });
    return hung as unknown as IDBOpenDBRequest;
  }

  function watch(request: IDBOpenDBRequest): IDBOpenDBRequest {
    request.addEventListener('success', () => {
      const db = request.result;
      handles.add(db);
      raws.add((db as Inside['db'])._rawDatabase);
      const transaction = db.transaction.bind(db);
      db.transaction = (...wanted: Parameters<typeof transaction>) =>
        faulty(transaction(...wanted) as unknown as Inside);
    });
    return request;
  }

  function faulty(tx: Inside): IDBTransaction {
    const start = tx._start.bind(tx);
    tx._start = () => {
      tx._started = true; // or it would be started again while it is held
      requests.pass(() => {
        if (tx._state === 'finished') return start();
        stepped?.(++steps);
        const isOver = tx._requests.length === 0 && tx.mode === 'readwrite';
        if (!isOver || !commits.isShut()) return start();
        tx._state = 'committing'; // from here on `abort` throws
        commits.pass(start);
      });
    };
    const objectStore = tx.objectStore.bind(tx);
    let gross = 0;
    tx.objectStore = (name) => {
      const store = objectStore(name);
      for (const method of ['put', 'add'] as const) {
        const write = Object.getPrototypeOf(store)[method];
        store[method] = function (this: IDBObjectStore, value: unknown, ...key: IDBValidKey[]) {
          const request = write.call(store, value, ...key);
          gross += sizeOf(value);
          if (most !== undefined && used() + gross > most) queueMicrotask(() => overflow(tx));
          return request;
        };
      }
      return store;
    };
    return tx;
  }

  function used(): number {
    let sum = 0;
    for (const raw of raws)
      for (const { records } of raw.rawObjectStores.values())
        for (const { value } of records.values()) sum += sizeOf(value);
    return sum;
  }

  function sizeOf(value: unknown): number {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value)?.length ?? 0;
    const known = sizes.get(value) ?? JSON.stringify(value).length;
    sizes.set(value, known);
    return known;
  }

  return {
    indexedDB,
    hangOpen: opening.shut,
    hangRequests: requests.shut,
    lateCommits: commits.shut,
    killHandles() {
      for (const handle of handles) {
        handles.delete(handle);
        for (const tx of transactionsOf(handle)) if (tx._state !== 'finished') tx._abort('AbortError');
        forceCloseDatabase(handle as never);
      }
    },
    quota(bytesLeft) {
      most = bytesLeft === undefined ? undefined : used() + bytesLeft;
    },
    async deleteAll() {
      const names = (await real.databases()).map(({ name }) => name!);
      await Promise.all(
        names.map((name) => new Promise((resolve) => (real.deleteDatabase(name).onsuccess = resolve))),
      );
      raws.clear();
    },
    onStep(callback) {
      steps = 0;
      stepped = callback;
    },
  };
}

function overflow(tx: Inside): void {
  if (tx._state !== 'finished') tx._abort('QuotaExceededError');
}

function transactionsOf(handle: IDBDatabase): Inside[] {
  const raw = (handle as unknown as { _rawDatabase: { transactions: Inside[] } })._rawDatabase;
  return raw.transactions.filter((tx) => tx.db === handle);
}

function readResult(request: IDBOpenDBRequest): IDBDatabase | undefined {
  return request.error ? undefined : request.result;
}

/** Holds calls while it is shut. */
function createGate() {
  let waiting: (() => void)[] | undefined;
  return {
    isShut: () => waiting !== undefined,
    pass: (work: () => void) => (waiting ? void waiting.push(work) : work()),
    shut(on: boolean) {
      if (on) {
        waiting ??= [];
        return;
      }
      const late = waiting ?? [];
      waiting = undefined;
      for (const work of late) work();
    },
  };
}
