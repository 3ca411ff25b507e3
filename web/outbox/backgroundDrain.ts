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
 * `empty`: nothing is left to send. `left`: there was no connection, or a tab was sending, until the time was over.
 * `taken-over`: by a tab. `stopped`: the server refused the session or the app's version.
 */
export type BackgroundResult = 'empty' | 'left' | 'taken-over' | 'stopped';

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
  const { clock } = deps;
  const fenceToken = deps.newKey();
  const giveUp = new AbortController();
  const drained = await new Promise<BackgroundResult>((resolve) => {
    const lock = lockWhenFree(deps, () => resolve('taken-over'), released);
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

/**
 * The worker never steals the lock, and no tab ever waits because the worker was in line before it: while a tab holds the lock,
 * the tab sends. The worker looks again until it is free, since the tab may be suspended or closed before it has sent, and a
 * worker that gives up is woken again only after minutes: Chromium ignores a new registration of a tag whose sync has failed
 * (RegisterDidAskForPermission in its background_sync_manager.cc).
 */
function lockWhenFree(
  { locks, lockName, clock, random }: BackgroundDrainDeps,
  lost: () => void,
  released: () => void,
): DrainLock {
  let end = () => {};
  let pause: Timer | undefined;
  let closed = false;

  function request(onAcquired: () => void, looked: number): void {
    locks
      .request(lockName, { ifAvailable: true }, (lock) => {
        if (closed) return;
        if (!lock) {
          pause = clock.setTimeout(() => request(onAcquired, looked + 1), backoff(looked, random));
          return;
        }
        const ended = new Promise<void>((resolve) => {
          end = resolve;
        });
        onAcquired();
        return ended;
      })
      .catch(lost); // stolen: a worker can be frozen, too
  }

  return {
    exclusive: true,
    acquire: (onAcquired) => request(onAcquired, 0),
    release() {
      end();
      released();
    },
    extendWait() {},
    onLost() {},
    async tryOnce() {},
    close() {
      closed = true;
      if (pause !== undefined) clock.clearTimeout(pause);
      end();
    },
  };
}
