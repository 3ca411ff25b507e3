import { expect, test } from 'vitest';
import type { UserDatabase } from '../../../../web/db/userDatabase.ts';
import { buildHandshake } from '../../../../web/log/fetch/buildHandshake.ts';
import { applyFrames, storeRoom, storeWelcome } from '../../../../web/log/store/applyFrames.ts';
import { storeDetached } from '../../../../web/log/store/storeEntries.ts';
import { createFakeClock } from '../../db/fakeClock.ts';
import { ROOM } from '../../outbox/support.ts';
import { userOf, welcomeOf } from '../../welcome.ts';
import { emptyDatabase } from '../storedLog.ts';
import { lin, me, text } from '../syncBench.ts';

const room = { id: ROOM, kind: 'public', name: 'r', head: 1, from: 1, readUpTo: 0, members: 2 } as const;
const user = userOf(me, 'Mika');
const first = text(1);

const nameOf = (db: UserDatabase, id: string) =>
  db.read(['users'], async (tx) => (await tx.objectStore('users').get(id))?.name);

const sinceOf = async (db: UserDatabase) => (await buildHandshake(db, me, undefined, 0)).handshake.usersSince;

const hear = (db: UserDatabase, name: string, rev: number) =>
  applyFrames(
    db,
    me,
    [
      {
        run: { room: ROOM, entries: [first], amendments: [], amendedTo: 1, opens: true },
        users: { [lin]: { name, rev } },
      },
    ],
    undefined,
    createFakeClock(),
  );

test('the name with the greatest revision wins, however late an older one arrives', async () => {
  const db = emptyDatabase(me);
  await hear(db, 'Lin', 0);
  expect(await hear(db, 'Linnea', 7)).toMatchObject({ renamed: [lin] });
  expect(await hear(db, 'Lin', 0)).toMatchObject({ renamed: [] });
  expect(await hear(db, 'Linn', 5)).toMatchObject({ renamed: [] });
  expect(await nameOf(db, lin)).toBe('Linnea');
});

test('a user stored by version 0.1 has no revision, so any name that arrives wins', async () => {
  const db = emptyDatabase(me);
  await db.write(['users'], (tx) => tx.objectStore('users').put({ id: lin, name: 'Lin' } as never));
  expect(await hear(db, 'Linnea', 0)).toMatchObject({ renamed: [lin] });
  expect(await nameOf(db, lin)).toBe('Linnea');
});

test('a handshake asks for names changed since the last known revision; a new database does not ask', async () => {
  const db = emptyDatabase(me);
  expect(await sinceOf(db)).toBeUndefined();
  await storeWelcome(db, welcomeOf(user, [room], { usersUpTo: 4 }));
  expect(await sinceOf(db)).toBe(4);
  const users = { [lin]: { name: 'Linnea', rev: 6 } };
  await storeWelcome(db, welcomeOf(user, [room], { users, usersUpTo: 9 }));
  expect(await sinceOf(db)).toBe(9);
  expect(await nameOf(db, lin)).toBe('Linnea');
});

test('a database of version 0.1 asks for all changes', async () => {
  const db = emptyDatabase(me);
  await db.write(['meta'], (tx) => tx.objectStore('meta').put('one', 'epoch'));
  expect(await sinceOf(db)).toBe(0);
});

test.each([
  ['another epoch', { epoch: 'two', usersUpTo: 12 }, [room], 0],
  ['a room whose log was put back', { usersUpTo: 12 }, [{ ...room, reset: true as const }], 0],
  ['fewer changes than were known', { usersUpTo: 3 }, [room], 3],
])('S1 after %s revisions are given again: what the server says holds', async (_, more, rooms, since) => {
  const db = emptyDatabase(me);
  await storeWelcome(db, welcomeOf(user, [room], { usersUpTo: 9 }));
  await hear(db, 'Linnea', 8);
  await storeWelcome(db, welcomeOf(user, rooms, more));
  expect(await sinceOf(db)).toBe(since);
  await hear(db, 'Lin', 2);
  expect(await nameOf(db, lin)).toBe('Lin');
});

test('S1 a room that is described as restored later resets the revisions, too', async () => {
  const db = emptyDatabase(me);
  await storeWelcome(db, welcomeOf(user, [room], { usersUpTo: 9 }));
  await hear(db, 'Linnea', 8);
  await storeRoom(db, { ...room, reset: true });
  expect(await sinceOf(db)).toBe(0);
  await hear(db, 'Lin', 2);
  expect(await nameOf(db, lin)).toBe('Lin');
});

test('S2 the cursor is the end of the newest span; a detached entry beyond it is sent as a proof', async () => {
  const db = emptyDatabase(me);
  await hear(db, 'Lin', 0);
  await db.write(['log', 'logSpans', 'detached'], async (tx) => {
    await storeDetached(tx as never, ROOM, [text(5, 'mine', me), text(9, 'mine', me)]);
    await storeDetached(tx as never, 'elsewhere', [text(3, 'mine', me)]);
  });
  const { handshake, ends } = await buildHandshake(db, me, ROOM, 0);
  expect(handshake).toMatchObject({
    features: ['entries2', 'direct'],
    cursors: { [ROOM]: [1, 1] },
    open: ROOM,
  });
  expect(handshake.cursors).not.toHaveProperty('elsewhere');
  expect(handshake.proofs).toEqual({ [ROOM]: [9, 9], elsewhere: [3, 3] });
  expect(ends).toEqual(
    new Map([
      [ROOM, 9],
      ['elsewhere', 3],
    ]),
  );
});
