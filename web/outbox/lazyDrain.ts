/**
 * The drain in a chunk of its own: nothing is sent before there is a connection, and what shows first waits for nothing.
 * As with socket.io-client, it is fetched beside the first paint.
 */

import type { Timer } from '../db/clock.ts';
import { RETRY_MAX_MS } from '../records/pageLimits.ts';
import type { Drain, DrainDeps } from './drain.ts';

/** Begins once `first` resolves. */
export function createLazyDrain(deps: DrainDeps, first: Promise<unknown>): Omit<Drain, 'busy'> {
  let drain: Drain | undefined;
  let isUp = false;
  let closed = false;
  let again: Timer | undefined;

  async function load(): Promise<void> {
    if (closed) return;
    try {
      const { createDrain } = await import('./drain.ts');
      if (closed) return;
      drain = createDrain(deps);
      if (isUp) drain.up();
    } catch (error) {
      console.warn('what sends could not be fetched', error);
      again = deps.clock.setTimeout(load, RETRY_MAX_MS);
    }
  }

  void first.then(load, () => {});

  return {
    up() {
      isUp = true;
      drain?.up();
    },
    down() {
      isUp = false;
      drain?.down();
    },
    rows: () => drain?.rows(),
    close() {
      closed = true;
      if (again !== undefined) deps.clock.clearTimeout(again);
      if (drain) drain.close();
      else deps.lock.close();
    },
  };
}
