/** Sends what waits while no page does: once, by HTTP, with the same machine and under the same lock as a tab's drain. */

import type { Acknowledgement, Item } from '../../shared/protocol/index.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase } from '../db/schema.ts';
import { WORKER_WITHIN_MS } from '../records/pageLimits.ts';
import { backoff } from '../transport/backoff.ts';
import { createDrain, type DrainDeps } from './drain.ts';
import type { DrainLock } from './lock.ts';
import { recover } from './mark.ts';
import type { Placed } from './store.ts';

/** `left`: the network did not last. `busy`: a tab sends, or has taken over. `stopped`: the session or the version. */
export type Drained = 'empty' | 'left' | 'busy' | 'stopped';

export interface WorkerDeps {
  db: UserDatabase;
  me: string;
  clock: Clock;
  random: () => number;
  newKey: () => string;
  locks: LockManager;
  lockName: string;
  /** `no`: nobody of ours answered. `refused`: not with this session, or not with this version. */
  reach(): Promise<'yes' | 'no' | 'refused'>;
  append(items: Item[], signal: AbortSignal): Promise<Acknowledgement<'append'> | undefined>;
  beat(holder: string): void;
  placed(placed: readonly Placed[]): void;
  changed: DrainDeps['changed'];
}

/**
 * Nothing is marked before the server has answered once: the browser wakes us when it believes in a network, and what was
 * tried in vain is neither `queued` any more nor can it be changed in place (O3, O4).
 */
export async function drainOnce(deps: WorkerDeps): Promise<Drained> {
  const { clock, locks, lockName } = deps;
  const holder = deps.newKey();
  const giveUp = new AbortController();
  const drained = await new Promise<Drained>((resolve) => {
    const lock = lockIfFree(locks, lockName, () => resolve('busy'), released);
    const drain = createDrain({
      ...deps,
      holder,
      lock,
      storage: { failed: () => {}, worked: () => {} },
      beat: () => deps.beat(holder),
      append: (items, answered) => void deps.append(items, giveUp.signal).then(answered),
      uploading: () => {},
      suspect: () => {},
      stopped: () => resolve('stopped'),
    });
    const deadline = clock.setTimeout(() => resolve('left'), WORKER_WITHIN_MS);
    let pause: Timer | undefined;
    giveUp.signal.addEventListener('abort', () => {
      clock.clearTimeout(deadline);
      if (pause !== undefined) clock.clearTimeout(pause);
      drain.close();
    });
    void knock(0);

    async function knock(failures: number): Promise<void> {
      const answer = await deps.reach();
      if (giveUp.signal.aborted) return;
      if (answer === 'yes') drain.up();
      else if (answer === 'refused') resolve('stopped');
      else pause = clock.setTimeout(() => void knock(failures + 1), backoff(failures, deps.random));
    }

    /** At the end, or for a rest: which of them shows when the machine has had its turn. */
    function released(): void {
      queueMicrotask(() => {
        if (!drain.busy()) resolve('empty');
      });
    }
  });
  giveUp.abort();
  if (drained === 'left') deps.changed(await recover(deps.db, holder), 'rows'); // what was under way is not sent any more (O3)
  return drained;
}

/** A worker steals from nobody and waits for nobody: who holds the lock sends. */
function lockIfFree(locks: LockManager, name: string, busy: () => void, released: () => void): DrainLock {
  let end = () => {};
  return {
    exclusive: true,
    take(held) {
      locks
        .request(name, { ifAvailable: true }, (lock) => {
          if (!lock) return busy();
          const ended = new Promise<void>((resolve) => {
            end = resolve;
          });
          held();
          return ended;
        })
        .catch(busy); // stolen: a worker, too, may stand still
    },
    release() {
      end();
      released();
    },
    heard() {},
    lost() {},
    async tryOnce() {},
    close: () => end(),
  };
}
