import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createEngine } from '../../../web/engine/engine.ts';
import { CONNECT_WITHIN_MS, HIDDEN_CLOSE_MS } from '../../../web/records/pageLimits.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { turns } from '../db/until.ts';
import { emptyDatabase } from '../log/storedLog.ts';
import { me } from '../log/syncBench.ts';
import { mint } from '../state/modelServer.ts';

const closing: { close(): void }[] = [];
beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterEach(() => {
  vi.restoreAllMocks();
  for (const each of closing.splice(0)) each.close();
});

/** On a hidden page, with a server that cannot be reached. Resolves with how often it tried after HIDDEN_CLOSE_MS. */
async function attemptsWhileHidden(hasUnsent: boolean): Promise<number> {
  const clock = createFakeClock();
  const db = emptyDatabase(me);
  let attempts = 0;
  const engine = createEngine({
    db,
    me,
    clock,
    random: () => 0.5,
    newKey: mint,
    locks: undefined,
    async loadIo() {
      attempts++;
      throw new TypeError('Failed to fetch');
    },
    fetch: () => Promise.reject(new TypeError('Failed to fetch')),
    page: { visible: false, online: true, listen: () => () => {} },
    storage: { failed() {}, worked() {} },
    opened: () => undefined,
    hasUnsent: () => hasUnsent,
    changed() {},
    shown: () => undefined,
    statusChanged() {},
    progressed() {},
  });
  closing.push(engine, db);
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      clock.pass(1_000);
      await turns(3);
    }
  };
  await pass(HIDDEN_CLOSE_MS + CONNECT_WITHIN_MS);
  const before = attempts;
  await pass(4 * CONNECT_WITHIN_MS);
  expect(before).toBeGreaterThan(0);
  return attempts - before;
}

test('O2 rows that waited before the engine was there keep a hidden page connecting', async () => {
  expect(await attemptsWhileHidden(true)).toBeGreaterThan(0);
});

test('S4 a hidden page where nothing waits stops connecting', async () => {
  expect(await attemptsWhileHidden(false)).toBe(0);
});
