/** Logs that were put back by hand, as the seeded runs of whole clients found them (test/web/simulation). */
import { expect, test } from 'vitest';
import type { Entry } from '../../../shared/entry.ts';
import { holdLoose } from '../../../web/log/hold.ts';
import { bench, grow, me, spans, text } from './syncSupport.ts';

test('S1 O3 an own message beyond all that is held, of a log that was put back to before it, shows no more', async () => {
  const log: Entry[] = [];
  grow(log, 3);
  const { db, connect, records, sync } = bench({ lobby: log });
  await connect();
  // acknowledged while what lies between was not here yet; then the log was put back to where the span ends
  const own = text(9, 'mine', me);
  await db.write(['loose', 'entries', 'spans'], (tx) => holdLoose(tx as never, 'lobby', [own]));
  sync.down();
  await connect();
  expect(await records()).not.toContain('mine');
  expect(await spans(db)).toMatchObject([{ from: 1, to: 3 }]);
});
