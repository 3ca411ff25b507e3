import { beforeEach, expect, test, vi } from 'vitest';
import type { EngineDeps } from '../../../web/engine/engine.ts';
import { createEngineLoader } from '../../../web/engine/loadEngine.ts';
import { RETRY_MAX_MS } from '../../../web/records/pageLimits.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { turns } from '../db/until.ts';

const engine = { connection: { status: () => 'live' }, close: vi.fn() };
const createEngine = vi.fn();
const loadEngine = vi.fn(async () => ({ createEngine }));

const clock = createFakeClock();
const page = { visible: true, online: true };
const progressed = vi.fn();
const deps = { clock, random: () => 0.5, page, progressed } as unknown as EngineDeps;

beforeEach(() => {
  vi.clearAllMocks();
  createEngine.mockReturnValue(engine);
  page.online = true;
});

test('before the first paint nothing is fetched, and the status is what the browser believes', () => {
  const loader = createEngineLoader(loadEngine, deps);
  expect([loader.current, loader.status()]).toEqual([undefined, 'connecting']);
  page.online = false;
  expect(loader.status()).toBe('offline');
  expect(loadEngine).not.toHaveBeenCalled();
});

test('S2 one engine serves all connections', async () => {
  const loader = createEngineLoader(loadEngine, deps);
  loader.load();
  await vi.waitFor(() => expect(loader.current).toBe(engine));
  expect(loader.status()).toBe('live');
  loader.close();
  expect(createEngine.mock.calls).toEqual([[deps]]);
  expect(engine.close).toHaveBeenCalledOnce();
});

test('O2 a chunk that could not be fetched is fetched again, and meanwhile the app is offline', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  loadEngine.mockRejectedValueOnce(new TypeError('Failed to fetch dynamically imported module'));
  const loader = createEngineLoader(loadEngine, deps);
  loader.load();
  await vi.waitFor(() => expect(progressed).toHaveBeenCalledOnce());
  expect([loader.current, loader.status()]).toEqual([undefined, 'offline']);
  clock.pass(RETRY_MAX_MS);
  await vi.waitFor(() => expect(loader.current).toBe(engine));
  expect(loader.status()).toBe('live');
});

test('O5 a user who left before the chunk arrived is not connected, and nothing is sent for them', async () => {
  const loader = createEngineLoader(loadEngine, deps);
  loader.load();
  loader.close();
  await turns(20);
  expect(createEngine).not.toHaveBeenCalled();

  vi.spyOn(console, 'warn').mockImplementation(() => {});
  loadEngine.mockRejectedValueOnce(new TypeError('Failed to fetch dynamically imported module'));
  const failing = createEngineLoader(loadEngine, deps);
  failing.load();
  await turns(20);
  failing.close();
  clock.pass(RETRY_MAX_MS);
  await turns(20);
  expect(loadEngine).toHaveBeenCalledTimes(2);
  expect(createEngine).not.toHaveBeenCalled();
});
