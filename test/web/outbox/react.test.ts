import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import { applyVerdicts } from '../../../web/outbox/applyVerdicts.ts';
import { react } from '../../../web/outbox/react.ts';
import { asAttempted, itemOf } from '../../../web/records/row.ts';
import { messageKey } from '../../../web/records/storedRecords.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { mint } from '../state/modelServer.ts';
import { ROOM } from './support.ts';

const [me, lin, target] = [mint(), mint(), mint()];
let db: UserDatabase;
beforeEach(() => {
  db = openUserDatabase(new IDBFactory(), createFakeClock(), me);
});
afterEach(() => db.close());

const to = { key: messageKey(lin, target), author: { id: lin }, serverOffset: 5 };
const tap = (emoji: string, on: boolean, key = mint()) =>
  react(db, { room: ROOM, to, key, at: 1 }, emoji, on);
const rows = () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
const meant = async () => (await rows()).map(({ fields }) => `${fields?.emoji} ${fields?.on}`);
const attempt = () =>
  db.write(['rows'], async (tx) => {
    for (const row of await tx.objectStore('rows').getAll())
      await tx.objectStore('rows').put(asAttempted(row));
  });

test('a reaction is queued with the key of its message, for a server that accepts reactions', async () => {
  const key = mint();
  expect(await tap(' ❤ ', true, key)).toBe(true);
  const [row] = await rows();
  expect(itemOf(row!)).toEqual({
    room: ROOM,
    clientOffset: key,
    kind: 'reaction',
    target: { author: lin, clientOffset: target },
    emoji: '❤️',
    on: true,
  });
  expect(row).toMatchObject({ feature: 'reactions', targetOffset: 5, state: { tag: 'queued' } });
});

test('O4 a hundred changes of mind are one row with the last of them; another emoji is another row', async () => {
  for (let i = 0; i < 100; i++) await tap('👍', i % 2 === 0);
  await tap('👍🏽', true);
  expect(await meant()).toEqual(['👍 false', '👍🏽 true']);
});

test('O4 what is under way is not changed: what was meant last is sent behind it', async () => {
  await tap('👍', true);
  await attempt();
  for (let i = 0; i < 11; i++) await tap('👍', i % 2 === 1);
  expect(await meant()).toEqual(['👍 true', '👍 false']);
});

test('O3 a refused reaction is kept as not sent, and replaced by the next one', async () => {
  await tap('👍', true);
  await attempt();
  const { clientOffset } = (await rows())[0]!;
  const error = { code: 'forbidden', message: '' };
  await applyVerdicts(db, me, [{ type: 'refused', clientOffset, error }], mint);
  expect(await rows()).toMatchObject([{ state: { tag: 'parked' } }]);
  await tap('👍', true);
  expect(await rows()).toMatchObject([{ state: { tag: 'queued' }, attempted: false }]);
});

test('what is no emoji is not queued', async () => {
  for (const text of ['', 'ok', '1', '👍👍']) expect(await tap(text, true)).toBe(false);
  expect(await rows()).toEqual([]);
});
