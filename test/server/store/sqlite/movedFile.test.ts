/** What the writer's thread notices of a move. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openWriter } from '../../../../server/store/sqlite/connections.ts';
import { watchMove } from '../../../../server/store/sqlite/movedFile.ts';
import { openMoveSource } from '../../../../server/store/sqlite/moveSource.ts';
import { temporaryFolder } from '../../../support/tmp.ts';

const LOOK_MS = 1_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a watch that begins after a move was given up says so: the one before, whose thread has died, said that there is one', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'holdfast.db');
  const { db } = openWriter(file, { isKnownWhole: true });
  const said: string[] = [];
  const watch = (name: string) =>
    watchMove(db, file, {
      onMoving: (isMoving) => said.push(`${name}: ${isMoving}`),
      onMoved: () => said.push('moved'),
    });
  const source = await openMoveSource(file);
  try {
    source.begin('a place');
    watch('first');
    vi.advanceTimersByTime(2 * LOOK_MS);
    expect(said).toEqual(['first: true']);
    vi.clearAllTimers(); // the thread dies
    source.cancel();
    watch('second');
    vi.advanceTimersByTime(2 * LOOK_MS);
    expect(said).toEqual(['first: true', 'second: false']);
  } finally {
    source.close();
    db.close();
  }
});
