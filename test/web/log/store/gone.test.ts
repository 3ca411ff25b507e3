import { expect, test } from 'vitest';
import { forgetExit, storeRoom, storeWelcome } from '../../../../web/log/store/applyFrames.ts';
import { ROOM } from '../../outbox/support.ts';

import { userOf, welcomeOf } from '../../welcome.ts';
import { emptyDatabase } from '../storedLog.ts';
import { me } from '../syncBench.ts';

test('a device that was away learns by the welcome that somebody has removed its user, and keeps that until it is seen', async () => {
  const db = emptyDatabase(me);
  const user = userOf(me, 'Mika');
  const room = { id: ROOM, kind: 'public', name: 'Deck', head: 0, from: 1, readUpTo: 0, members: 2 } as const;
  const stored = () => db.read(['rooms'], (tx) => tx.objectStore('rooms').get(ROOM));
  await storeWelcome(db, welcomeOf(user, [room]));
  await storeWelcome(db, welcomeOf(user, [], { gone: [{ id: ROOM, reason: 'out-banned' }] }));
  expect(await stored()).toMatchObject({ left: true, out: 'out-banned' });
  await storeWelcome(db, welcomeOf(user, []));
  expect(await stored()).toMatchObject({ left: true, out: 'out-banned' });
  await storeRoom(db, room);
  expect(await stored()).toEqual(expect.not.objectContaining({ out: expect.anything(), left: true }));
  await forgetExit(db, ROOM); // a member's room stays
  expect(await stored()).toBeDefined();
  await storeWelcome(db, welcomeOf(user, [], { gone: [{ id: ROOM, reason: 'out-removed' }] }));
  await forgetExit(db, ROOM);
  expect(await stored()).toBeUndefined();
});
