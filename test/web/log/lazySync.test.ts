import { beforeEach, expect, test, vi } from 'vitest';
import { createLazySync } from '../../../web/log/lazySync.ts';
import type { SyncDeps } from '../../../web/log/sync.ts';

const handshake = { protocol: 1, as: 'me', cursors: {} };
const sync = { handshake: async () => handshake, frame: vi.fn(), older: async () => true, close: vi.fn() };
const createSync = vi.fn();
vi.mock('../../../web/log/sync.ts', () => ({ createSync: () => createSync() }));

const deps = {} as SyncDeps;
const NOW = { event: 'heads', payload: {} } as const;

beforeEach(() => {
  vi.clearAllMocks();
  createSync.mockReturnValue(sync);
});

test('before there is a connection it has no answer and fetches nothing', async () => {
  const lazy = createLazySync(deps);
  expect(await lazy.older('lobby', 7)).toBe(false);
  expect(await lazy.freshen('lobby', { from: 1, to: 2 })).toBe('no way');
  expect([lazy.catchingUp(), lazy.offsetOfClock()]).toEqual([false, 0]);
  lazy.down();
  expect(createSync).not.toHaveBeenCalled();
});

test('S2 one of it serves all connections, and has what each of them brings', async () => {
  const lazy = createLazySync(deps);
  expect(await Promise.all([lazy.handshake(), lazy.handshake()])).toEqual([handshake, handshake]);
  lazy.frame(NOW);
  expect(await lazy.older('lobby', 7)).toBe(true);
  expect(createSync).toHaveBeenCalledOnce();
  expect(sync.frame).toHaveBeenCalledWith(NOW);
});

test('O2 where it could not be had the connection fails, and the next one has it', async () => {
  createSync.mockImplementationOnce(() => {
    throw new TypeError('Failed to fetch dynamically imported module');
  });
  const lazy = createLazySync(deps);
  await expect(lazy.handshake()).rejects.toThrow('Failed to fetch');
  expect(await lazy.handshake()).toBe(handshake);
});

test('O5 one that is closed meanwhile is closed as soon as it is there', async () => {
  const lazy = createLazySync(deps);
  const begun = lazy.handshake();
  lazy.close();
  await begun;
  expect(sync.close).toHaveBeenCalledOnce();
});
