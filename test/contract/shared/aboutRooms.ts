import { expect, it } from 'vitest';
import { changeOf } from '../aboutRooms.ts';
import { appendNew, newId, newRoom, type SharedHarness } from '../support.ts';
import { inSharedDatabase } from './stores.ts';

export function sharedAboutRoomCases(open: () => Promise<SharedHarness>): void {
  const db = inSharedDatabase(open);

  it('of several changes of one field, that with the greatest serverOffset holds, whichever is applied last', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    await db.harness.interrupted(changeOf(room, me, { name: 'first' }), 5);
    await db.harness.interrupted(changeOf(room, me, { description: 'kept' }), 5);
    await appendNew(db.stores[1], [changeOf(room, me, { name: 'second' })]);
    const late = await db.harness.another(); // applies what the dead process left
    await expect.poll(() => db.harness.unfinished(room), { timeout: 8_000 }).toBe(0);
    for (const store of [...db.stores, late])
      expect(await store.rooms.byId(room)).toMatchObject({
        name: 'second',
        about: { upTo: 3, description: 'kept' },
      });
  });

  it('changes at several stores at the same moment end in one value at all of them', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const offsets = await Promise.all(
      db.stores.map((store, i) => appendNew(store, [changeOf(room, me, { name: `of store ${i}` })])),
    );
    const newest = offsets.flat().indexOf(Math.max(...offsets.flat()));
    for (const store of db.stores)
      expect(await store.rooms.byId(room)).toMatchObject({ name: `of store ${newest}`, about: { upTo: 3 } });
  });
}
