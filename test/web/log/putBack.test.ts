/** Logs that were put back by hand, as the seeded runs of whole clients found them (test/web/simulation). */
import { expect, test } from 'vitest';
import type { Entry } from '../../../shared/entry.ts';
import { holdLoose } from '../../../web/log/hold.ts';
import { amend, bench, grow, me, spans, text } from './syncSupport.ts';

test('S1 O3 an own message beyond all that is held, of a log that was put back to before it, shows no more', async () => {
  const log: Entry[] = [];
  grow(log, 3);
  const { db, connect, records, sync } = bench({ lobby: log });
  await connect();
  // acknowledged while what lies between was not here yet; then the log was put back to where the span ends
  const own = text(9, 'mine', me);
  await db.write(['detached', 'log', 'logSpans'], (tx) => holdLoose(tx as never, 'lobby', [own]));
  sync.down();
  await connect();
  expect(await records()).not.toContain('mine');
  expect(await spans(db)).toMatchObject([{ from: 1, to: 3 }]);
});

test('S1 an own deletion beyond what is held, of a log that was put back to before it and has grown past it: none of the log that was is left', async () => {
  const log: Entry[] = [];
  grow(log, 2);
  log.push(text(3, 'text 3', me));
  const { db, connect, records, sync } = bench({ lobby: log });
  await connect();
  // acknowledged, and its frame lost with the connection; the log that was put back never knew it
  const deletion: Entry = {
    serverOffset: 4,
    author: me,
    clientOffset: 'mine',
    at: 999,
    kind: 'delete',
    target: 3,
  };
  await db.write(['detached', 'log', 'logSpans'], (tx) => holdLoose(tx as never, 'lobby', [deletion]));
  expect(await records()).not.toContain('text 3'); // it holds here
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

test('S2 what lies before an own entry that was acknowledged ahead of it is asked for at once where nothing is behind it, else when looked at', async () => {
  const log: Entry[] = [];
  grow(log, 3);
  const { db, connect, sync } = bench({ lobby: log });
  await connect();
  for (const ahead of [6, 10]) {
    grow(log, ahead - 1 - log.length);
    const own = text(ahead, 'mine', me);
    log.push(own);
    await db.write(['detached', 'log', 'logSpans'], (tx) => holdLoose(tx as never, 'lobby', [own]));
    if (ahead === 10) grow(log, 1);
    sync.down();
    await connect();
    if (ahead === 6) expect(await spans(db)).toMatchObject([{ from: 1, to: 6 }]);
  }
  expect(await spans(db)).toMatchObject([
    { from: 1, to: 6 },
    { from: 10, to: 11 },
  ]);
  await sync.older('lobby', 10);
  expect(await spans(db)).toMatchObject([{ from: 1, to: 11 }]);
});
