/**
 * The sync in a chunk of its own: what is held shows without it, and nothing comes before there is a connection. It is
 * fetched for the first handshake, beside socket.io-client; where it cannot be had that is a connection that failed, and
 * is tried again like one.
 */
import type { Sync, SyncDeps } from './sync.ts';

export function createLazySync(deps: SyncDeps): Sync {
  let loading: Promise<Sync> | undefined;
  let sync: Sync | undefined;
  let closed = false;

  /** A fetch that is slow and one for the next connection are the same one. */
  function load(): Promise<Sync> {
    loading ??= begin().catch((error) => {
      loading = undefined;
      throw error;
    });
    return loading;
  }

  async function begin(): Promise<Sync> {
    const { createSync } = await import('./sync.ts');
    sync = createSync(deps);
    if (closed) sync.close();
    return sync;
  }

  return {
    handshake: async () => (await load()).handshake(),
    frame: (frame) => sync?.frame(frame),
    unreadable: (room) => sync?.unreadable(room),
    down: () => sync?.down(),
    joined: async (room) => (await load()).joined(room),
    left: async (room) => (await load()).left(room),
    older: async (room, from) => (await sync?.older(room, from)) ?? false,
    newer: async (room, to) => (await sync?.newer(room, to)) ?? false,
    around: async (room, offset) => (await sync?.around(room, offset)) ?? false,
    freshen: async (room, seen) => (await sync?.freshen(room, seen)) ?? 'no way',
    check: (room, serverOffset) => sync?.check(room, serverOffset), // else each welcome looks up all that is kept so
    failing: () => sync?.failing() ?? NONE_FAILING,
    offsetOfClock: () => sync?.offsetOfClock() ?? 0,
    catchingUp: () => sync?.catchingUp() ?? false,
    close() {
      closed = true;
      sync?.close();
    },
  };
}

const NONE_FAILING: ReturnType<Sync['failing']> = new Map();
