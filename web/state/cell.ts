import type { Readable } from './model.ts';

export interface Cell<T> extends Readable<T> {
  set(value: T): void;
}

/** A value and who listens to it. `watched` hears when the first listener comes and when the last one goes. */
export function createCell<T>(initial: T, watched: (by: 'somebody' | 'nobody') => void = () => {}): Cell<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      const own = () => listener(); // the same function may subscribe twice
      listeners.add(own);
      if (listeners.size === 1) watched('somebody');
      return () => {
        if (listeners.delete(own) && listeners.size === 0) watched('nobody');
      };
    },
  };
}
