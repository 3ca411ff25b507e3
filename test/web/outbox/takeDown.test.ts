import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import { takeDown } from '../../../web/outbox/takeDown.ts';
import { applyRowEvent, itemOf } from '../../../web/records/row.ts';
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
const rows = () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll());

test('O1 a moderator’s deletion is queued once, with the key of its message, for a server that accepts it; one that was refused is tried again', async () => {
  const key = mint();
  await takeDown(db, { room: ROOM, to, key, at: 1 });
  await takeDown(db, { room: ROOM, to, key: mint(), at: 2 });
  const [row, ...others] = await rows();
  expect(others).toEqual([]);
  const { room, clientOffset, kind, target: named } = itemOf(row!);
  expect({ room, clientOffset, kind, named }).toEqual({
    room: ROOM,
    clientOffset: key,
    kind: 'takedown',
    named: { author: lin, clientOffset: target },
  });
  expect(row).toMatchObject({ feature: 'takedown', targetOffset: 5 });
  const error = { code: 'forbidden', message: '', reason: 'role-needed' };
  const refused = applyRowEvent(row!, { type: 'refused', error, newKey: mint() });
  expect(refused.state).toMatchObject({ tag: 'parked', reason: { code: 'role-needed' } });
  await db.write(['rows'], (tx) => tx.objectStore('rows').put(refused));
  await takeDown(db, { room: ROOM, to, key: mint(), at: 3 });
  expect((await rows()).map(({ state, clientOffset: its }) => [state.tag, its])).toEqual([['queued', key]]);
});
