/**
 * Background sending in the service worker, while no page does: one run over HTTP, with the same drain and under the same
 * lock as a tab.
 */
import type { Acknowledgement, Item } from '../../shared/protocol/index.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import type { UncoveredAck } from '../records/change.ts';
import { WORKER_WITHIN_MS } from '../records/pageLimits.ts';
import { backoff } from '../transport/backoff.ts';
import { createDrain, type DrainDeps } from './drain.ts';
import type { DrainLock } from './drainLock.ts';
import { recoverUnanswered } from './markBatch.ts';

/**
 * `empty`: nothing is left to send. `left`: there was no connection before the outbox was empty. `busy`: a tab sends, or has taken over. `stopped`: the
 * server refused the session or the app's version.
 */
export type BackgroundResult = 'empty' | 'left' | 'busy' | 'stopped';

export interface BackgroundDrainDeps {
  db: UserDatabase;
  me: string;
  clock: Clock;
  random: () => number;
  newKey: () => string;
  locks: LockManager;
  lockName: string;
  /** Checks the session with the server. `no`: no answer. `refused`: it refused the session or the app's version. */
  reach(): Promise<'yes' | 'no' | 'refused'>;
  append(items: Item[], signal: AbortSignal): Promise<Acknowledgement<'append'> | undefined>;
  lockHeartbeat(fenceToken: string): void;
  placed(placed: readonly UncoveredAck[]): void;
  changed: DrainDeps['changed'];
}

/**
 * No row is marked before the server has answered once. The browser may wake the worker without a working network, and a
 * row that was attempted in vain is no longer `queued` and cannot be changed in place (O3, O4).
 */
export async function drainInBackground(deps: BackgroundDrainDeps): Promise<BackgroundResult> {
  const { clock, locks, lockName } = deps;
  const fenceToken = deps.newKey();
  const giveUp = new AbortController();
  const drained = await new Promise<BackgroundResult>((resolve) => {
    const lock = lockIfFree(locks, lockName, () => resolve('busy'), released);
    const drain = createDrain({
      ...deps,
      fenceToken,
      lock,
      storage: { failed: () => {}, worked: () => {} },
      lockHeartbeat: () => deps.lockHeartbeat(fenceToken),
      append: (items, answered) => void deps.append(items, giveUp.signal).then(answered),
      hearsOfRows: false,
      echo: () => undefined,
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
    void checkServer(0);

    async function checkServer(failures: number): Promise<void> {
      const answer = await deps.reach();
      if (giveUp.signal.aborted) return;
      if (answer === 'yes') drain.up();
      else if (answer === 'refused') resolve('stopped');
      else pause = clock.setTimeout(() => void checkServer(failures + 1), backoff(failures, deps.random));
    }

    /** The drain has ended, or pauses before a retry: known after the reducer has handled the event. */
    function released(): void {
      queueMicrotask(() => {
        if (!drain.busy()) resolve('empty');
      });
    }
  });
  giveUp.abort();
  if (drained === 'left') deps.changed(await recoverUnanswered(deps.db, fenceToken), 'rows'); // rows in flight become `checking` (O3)
  return drained;
}

/** The worker never steals the lock or waits for it: if a tab holds it, the tab sends. */
function lockIfFree(locks: LockManager, name: string, busy: () => void, released: () => void): DrainLock {
  let end = () => {};
  return {
    exclusive: true,
    acquire(onAcquired) {
      locks
        .request(name, { ifAvailable: true }, (lock) => {
          if (!lock) return busy();
          const ended = new Promise<void>((resolve) => {
            end = resolve;
          });
          onAcquired();
          return ended;
        })
        .catch(busy); // stolen: a worker can be frozen, too
    },
    release() {
      end();
      released();
    },
    extendWait() {},
    onLost() {},
    async tryOnce() {},
    close: () => end(),
  };
}
