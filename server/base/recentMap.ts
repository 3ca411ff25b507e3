/**
 * A cache that holds what was used recently, and at most so many entries. Two generations: what is used is moved to the
 * younger one; the older one is dropped when the younger one is half of all, or after `keepMs`. So each call costs the same
 * whatever it holds, and an entry that is not used is gone after one to two times `keepMs` (once something is set, or is not
 * found among the young ones: what is used all the time does not read the clock).
 */
export interface RecentMap<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
  delete(key: Key): void;
  clear(): void;
  /** All that it holds, in no order. It counts as no use. */
  values(): Value[];
}

interface Options {
  maxEntries: number;
  keepMs: number;
  /** A monotonic clock in milliseconds. */
  now: () => number;
}

export function createRecentMap<Key, Value>({ maxEntries, keepMs, now }: Options): RecentMap<Key, Value> {
  let young = new Map<Key, Value>();
  let old = new Map<Key, Value>();
  let turnedAt = now();

  function turn(): void {
    const at = now();
    if (at - turnedAt < keepMs && young.size < maxEntries / 2) return;
    old = at - turnedAt < 2 * keepMs ? young : new Map();
    young = new Map();
    turnedAt = at;
  }

  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      turn();
      const older = old.get(key);
      if (older === undefined) return undefined;
      old.delete(key);
      young.set(key, older);
      return older;
    },
    set(key, value) {
      turn();
      old.delete(key);
      young.set(key, value);
    },
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
    clear() {
      young.clear();
      old.clear();
    },
    values: () => [...old.values(), ...young.values()],
  };
}
