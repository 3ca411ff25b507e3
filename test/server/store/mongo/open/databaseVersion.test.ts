/** How a running process learns that the least version was raised. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { META_ID, type MetaDocument, VERSION } from '../../../../../server/store/mongo/base/collections.ts';
import { createCallGuard } from '../../../../../server/store/mongo/callGuard.ts';
import { watchVersion } from '../../../../../server/store/mongo/open/databaseVersion.ts';
import { Unavailable } from '../../../../../server/store/port.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MINUTE_MS = 60_000;

function scene(schemaVersion: number, minVersion?: number) {
  let now: MetaDocument | Error = metaOf(schemaVersion, minVersion);
  const said: unknown[] = [];
  const log = { warn: (what: unknown) => said.push(what), error: (what: unknown) => said.push(what) };
  const guard = createCallGuard(log);
  const meta = {
    findOne: async () => {
      if (now instanceof Error) throw now;
      return now;
    },
  };
  const watch = watchVersion({
    collections: { meta: meta as never },
    address: { hosts: 'host', database: 'chat' },
    meta: metaOf(schemaVersion, minVersion),
    guard,
    log,
  });
  return {
    watch,
    guard,
    said,
    is: (is: MetaDocument | Error) => {
      now = is;
    },
  };
}

function metaOf(schemaVersion: number, minVersion?: number): MetaDocument {
  return { _id: META_ID, epoch: 'e', createdAt: 1, schemaVersion, ...(minVersion && { minVersion }) };
}

it('new kinds are accepted within a minute after the end of an upgrade, and not before', async () => {
  const { watch, said, is } = scene(1);
  await vi.advanceTimersByTimeAsync(3 * MINUTE_MS);
  expect(watch.takesNewKinds()).toBe(false);
  is(new Unavailable('away'));
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(watch.takesNewKinds()).toBe(false);
  is(metaOf(VERSION, VERSION));
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(watch.takesNewKinds()).toBe(true);
  expect(said).toEqual(['the upgrade is finished']);
  watch.close();
  expect(vi.getTimerCount()).toBe(0);
});

it('a database of this version accepts them at once', () => {
  const { watch } = scene(VERSION, VERSION);
  expect(watch.takesNewKinds()).toBe(true);
  watch.close();
});

it('a process that is too old for the database refuses all calls, and says why', async () => {
  const { watch, guard, said, is } = scene(VERSION, VERSION);
  expect(await guard.pass(async () => 'an answer')).toBe('an answer');
  is(metaOf(VERSION + 1, VERSION + 1));
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  const sentence = expect.stringMatching(/"chat" at host was written by a newer version of Holdfast/);
  await expect(guard.pass(async () => 'an answer')).rejects.toMatchObject({ message: sentence });
  await vi.advanceTimersByTimeAsync(3 * MINUTE_MS);
  expect(said).toEqual([sentence]);
  watch.close();
});
