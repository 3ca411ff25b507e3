/** A database as a value: its stores with their indexes, and the records of each. */
import { LEGACY_LOG_STORES, LOG_STORES } from '../../../../web/db/userDatabase.ts';

export interface Dump {
  name: string;
  version: number;
  stores: DumpedStore[];
}

export interface DumpedStore {
  name: string;
  keyPath: string | string[] | null;
  autoIncrement: boolean;
  indexes: { name: string; keyPath: string | string[]; unique: boolean }[];
  /** With the keys, for a store without a key path. */
  records: { key?: IDBValidKey | undefined; value: unknown }[];
}

/** Dumps the database as it is now. */
export async function dumpOf(factory: IDBFactory, name: string): Promise<Dump> {
  const db = await resultOf(factory.open(name));
  const names = [...db.objectStoreNames];
  const tx = db.transaction(names);
  const stores: DumpedStore[] = [];
  for (const store of names.map((each) => tx.objectStore(each))) {
    const [keys, values] = [await resultOf(store.getAllKeys()), await resultOf(store.getAll())];
    stores.push({
      name: store.name,
      keyPath: store.keyPath,
      autoIncrement: store.autoIncrement,
      indexes: [...store.indexNames].map((each) => {
        const { keyPath, unique } = store.index(each);
        return { name: each, keyPath, unique };
      }),
      records: values.map((value, i) => (store.keyPath === null ? { key: keys[i]!, value } : { value })),
    });
  }
  const { version } = db;
  db.close();
  return { name, version, stores };
}

/** The same dump in the stores of `older`, of version 3: the logs in the stores that version 3 had for them. */
export function asVersion3({ name, stores }: Dump, older: Dump): Dump {
  const held = new Map<string, string>(LEGACY_LOG_STORES.map((unmoved, i) => [unmoved, LOG_STORES[i]!]));
  const recordsOf = (store: string) => stores.find((each) => each.name === store)!.records;
  const withoutLine = ({ key, value }: DumpedStore['records'][number]) => {
    if (typeof value !== 'object') return { key, value };
    const { line: _, ...rest } = value as { line?: number };
    return { key, value: rest };
  };
  const asOlder = (store: DumpedStore) => ({
    ...store,
    records: recordsOf(held.get(store.name) ?? store.name).map(withoutLine),
  });
  return { name, version: older.version, stores: older.stores.map(asOlder) };
}

/** Creates the database, which must not exist, and closes it. Uses nothing outside itself, so it also runs in a page. */
export async function restore(
  { name, version, stores }: Dump,
  factory: IDBFactory = indexedDB,
): Promise<void> {
  const opening = factory.open(name, version);
  opening.onupgradeneeded = () => {
    for (const { name: store, keyPath, autoIncrement, indexes } of stores) {
      const made = opening.result.createObjectStore(store, { keyPath, autoIncrement });
      for (const index of indexes) made.createIndex(index.name, index.keyPath, { unique: index.unique });
    }
  };
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  const tx = db.transaction(
    stores.map((store) => store.name),
    'readwrite',
  );
  for (const { name: store, records } of stores)
    for (const { key, value } of records) tx.objectStore(store).put(value, key);
  await new Promise((resolve, reject) => {
    tx.oncomplete = resolve;
    tx.onabort = () => reject(tx.error);
  });
  db.close();
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
