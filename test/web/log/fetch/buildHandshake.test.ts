import { expect, test } from 'vitest';
import { buildHandshake } from '../../../../web/log/fetch/buildHandshake.ts';
import { newRow } from '../../../../web/records/row.ts';
import { ROOM } from '../../outbox/support.ts';
import { emptyDatabase } from '../storedLog.ts';
import { me } from '../syncBench.ts';

const MINUTE_MS = 60_000;

test('the handshake says for how many minutes the oldest message waits that is to be sent, and nothing where none waits', async () => {
  const db = emptyDatabase(me);
  const waiting = async (now: number) => (await buildHandshake(db, me, undefined, now)).handshake.waiting;
  const rowAt = (at: number, state: 'queued' | 'parked') => {
    const row = newRow({ kind: 'text', body: 'x', room: ROOM, clientOffset: `${at}`.padEnd(22, 'x'), at });
    return state === 'queued'
      ? row
      : { ...row, state: { tag: 'parked' as const, reason: 'not-sent' as never, uncertain: false } };
  };
  const add = (at: number, state: 'queued' | 'parked') =>
    db.write(['rows'], (tx) => tx.objectStore('rows').add(rowAt(at, state) as never));

  expect(await waiting(0)).toBeUndefined();
  await add(1 * MINUTE_MS, 'parked'); // it waits for the person
  expect(await waiting(100 * MINUTE_MS)).toBeUndefined();
  await add(10 * MINUTE_MS, 'queued');
  await add(50 * MINUTE_MS, 'queued');
  expect(await waiting(100 * MINUTE_MS)).toBe(90);
  expect(await waiting(0)).toBe(0); // the clock was set back
});
