import { expect, test, vi } from 'vitest';
import type { DrainDeps } from '../../../web/outbox/drain.ts';
import { createLazyDrain } from '../../../web/outbox/lazyDrain.ts';

const drain = { up: vi.fn(), down: vi.fn(), rows: vi.fn(), busy: () => false, close: vi.fn() };
const createDrain = vi.fn(() => drain);
vi.mock('../../../web/outbox/drain.ts', () => ({ createDrain: () => createDrain() }));

const lock = { close: vi.fn() };
const deps = { lock } as unknown as DrainDeps;

test('O2 a way to the server that was there before the drain was fetched is told to it then', async () => {
  const painted = Promise.withResolvers<void>();
  const lazy = createLazyDrain(deps, painted.promise);
  lazy.up();
  lazy.rows();
  expect(createDrain).not.toHaveBeenCalled();
  painted.resolve();
  await vi.waitFor(() => expect(drain.up).toHaveBeenCalledOnce());
  lazy.rows();
  lazy.down();
  lazy.close();
  expect([drain.rows, drain.down, drain.close].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
  expect(lock.close).not.toHaveBeenCalled();
});

test('O5 one that was closed before never drains, and lets its lock go', async () => {
  createDrain.mockClear();
  const lazy = createLazyDrain(deps, Promise.resolve());
  lazy.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(createDrain).not.toHaveBeenCalled();
  expect(lock.close).toHaveBeenCalledOnce();
});
