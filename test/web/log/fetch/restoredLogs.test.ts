/** Logs that were restored by hand. Cases found by the simulation (test/web/simulation). */
import { expect, test } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import { storeDetached } from '../../../../web/log/store/storeEntries.ts';
import { amend, bench, grow, me, spans, text } from '../syncBench.ts';

test('S1 O3 an own message beyond the stored spans, of a log that was restored to before it, is deleted', async () => {
  const log: Entry[] = [];
  grow(log, 3);
  const { db, connect, records, sync } = bench({ lobby: log });
  await connect();
  // acknowledged before the entries between arrived; then the log was restored to the end of the span
  const own = text(9, 'mine', me);
  await db.write(['detached', 'log', 'logSpans'], (tx) => storeDetached(tx as never, 'lobby', [own]));
  sync.down();
  await connect();
  expect(await records()).not.toContain('mine');
  expect(await spans(db)).toMatchObject([{ from: 1, to: 3 }]);
});

test('S1 an own deletion beyond the stored spans, of a log that was restored to before it and has grown past it: nothing of the old log is left', async () => {
  const log: Entry[] = [];
  grow(log, 2);
  log.push(text(3, 'text 3', me));
  const { db, connect, records, sync } = bench({ lobby: log });
  await connect();
  // acknowledged, and its frame lost with the connection; the restored log does not contain it
  const deletion: Entry = {
    serverOffset: 4,
    author: me,
    clientOffset: 'mine',
    at: 999,
    kind: 'delete',
    target: 3,
  };
  await db.write(['detached', 'log', 'logSpans'], (tx) => storeDetached(tx as never, 'lobby', [deletion]));
  expect(await records()).not.toContain('text 3'); // the deletion applies here
  grow(log, 300);
  amend(log, 'delete', 2);
  sync.down();
  await connect();
  expect(await spans(db)).toMatchObject([{ from: 254, to: 304 }]);
  expect(await records()).not.toContain('mine');
  await sync.older('lobby', 254);
  await sync.older('lobby', 154);
  await sync.older('lobby', 54);
  expect(await spans(db)).toMatchObject([{ from: 1, to: 304 }]);
  expect(await records()).toContain('"text 3"');
});

test('S2 entries missing before an own acknowledged entry arrive with the next connection, whatever follows it', async () => {
  const log: Entry[] = [];
  grow(log, 32);
  const { db, connect, sync, asked } = bench({ lobby: log });
  await connect();
  sync.down();
  grow(log, 40);
  const own = text(73, 'mine', me); // sent by the service worker while no page was open
  log.push(own);
  await db.write(['detached', 'log', 'logSpans'], (tx) => storeDetached(tx as never, 'lobby', [own]));
  grow(log, 10);
  await connect();
  expect(await spans(db)).toMatchObject([{ from: 1, to: 83 }]);
  expect(asked).toEqual([]);
});
