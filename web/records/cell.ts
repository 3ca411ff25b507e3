/** Observable values: how state reaches the screen. */

/** A value that changes over time. `subscribe` calls `listener` after each change and returns a function that unsubscribes. */
export interface Readable<T> {
  get(): T;
  subscribe(listener: () => void): () => void;
}

export interface Cell<T> extends Readable<T> {
  set(value: T): void;
}

/**
 * A value with listeners, which `set` calls one after the other, unless the value is the same. `watched` is called when the first listener subscribes and
 * when the last one unsubscribes.
 */
export function createCell<T>(initial: T, watched: (by: 'somebody' | 'nobody') => void = () => {}): Cell<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  return {
    get: () => value,
    set(next) {
      if (Object.is(value, next)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      const own = () => listener(); // a Set would drop a function that subscribes a second time
      listeners.add(own);
      if (listeners.size === 1) watched('somebody');
      return () => {
        if (listeners.delete(own) && listeners.size === 0) watched('nobody');
      };
    },
  };
}
