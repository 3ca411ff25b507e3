/**
 * Whom keepers have suspended: they cannot sign in, connect, read or write, on any process within seconds. Nothing of theirs is
 * changed, so that lifting it brings everything back. docs/SECURITY.md, "Keepers".
 *
 * The answer to them is `unavailable` with a reason. Any other code would make an app give up: it would park what waits, or sign in
 * anew. So every client, also an older one, keeps what waits and tries again.
 */
import { RefusedError } from '../base/refusal.ts';
import { SUSPENDED_CACHED_MS, SUSPENDED_CHECK_MS, SUSPENDED_RETRY_MS } from '../base/serverLimits.ts';
import type { KeeperStore } from '../store/port.ts';

export interface Suspensions {
  /** May be SUSPENDED_CACHED_MS old; on the process that has changed it, it is not. */
  isSuspended(user: string): Promise<boolean>;
  /** Throws the answer to somebody who is suspended. */
  check(user: string): Promise<void>;
  /** Suspends the user and ends all their connections, on every process; or lifts that. */
  set(user: string, isSuspended: boolean): Promise<void>;
  /** Ends the connections to this process of those who are suspended elsewhere, from now on. */
  start(): void;
  stop(): void;
}

interface Deps {
  store: Pick<KeeperStore, 'suspend' | 'lift' | 'suspended'>;
  /** The wall clock in milliseconds. */
  now: () => number;
  /** A monotonic clock in milliseconds. */
  ticks: () => number;
  /** Ends the connections of this user to every process. */
  disconnect: (user: string) => void;
  /** The same of these users, to this process alone. */
  disconnectHere: (users: Iterable<string>) => void;
}

export function createSuspensions({ store, now, ticks, disconnect, disconnectHere }: Deps): Suspensions {
  let cached: { at: number; users: Promise<ReadonlySet<string>> } | undefined;
  let timer: NodeJS.Timeout | undefined;

  function read(): Promise<ReadonlySet<string>> {
    const users = store.suspended().then((all) => new Set(all));
    const reading = { at: ticks(), users };
    cached = reading;
    users.catch(() => {
      if (cached === reading) cached = undefined;
    });
    return users;
  }

  async function isSuspended(user: string): Promise<boolean> {
    const isFresh = cached && ticks() - cached.at <= SUSPENDED_CACHED_MS;
    return (await (isFresh ? cached!.users : read())).has(user);
  }

  return {
    isSuspended,
    async check(user) {
      if (await isSuspended(user)) throw suspended();
    },
    async set(user, suspends) {
      if (suspends) await store.suspend(user, now());
      else await store.lift(user);
      cached = undefined;
      if (suspends) disconnect(user);
    },
    start() {
      timer = setInterval(
        () => read().then(disconnectHere, () => {}), // the store is away: the next round
        SUSPENDED_CHECK_MS,
      ).unref();
    },
    stop: () => clearInterval(timer),
  };
}

function suspended(): RefusedError {
  return new RefusedError(
    'unavailable',
    'A keeper of this server has suspended this account.',
    SUSPENDED_RETRY_MS,
    'out-suspended',
  );
}
