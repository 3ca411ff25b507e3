import { expect, it } from 'vitest';
import { changeOf, pinOf } from '../aboutRooms.ts';
import { appendNew, newId, newRoom, remove, type SharedHarness, text } from '../support.ts';
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

  it('a message that was deleted is not pinned, whichever of the two is applied last', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const [first, second] = [text(room, me, 'first'), text(room, me, 'second')];
    await appendNew(db.store, [first, second]);
    await db.harness.interrupted(pinOf(first, me), 5);
    await appendNew(db.stores[1], [remove(first)]); // is applied before the pin
    await appendNew(db.stores[1], [pinOf(second, me)]);
    await db.harness.interrupted(remove(second), 6);
    await db.harness.another();
    await expect.poll(() => db.harness.unfinished(room), { timeout: 8_000 }).toBe(0);
    for (const store of db.stores) expect((await store.rooms.about(room))?.pinned).toBe(0);
  });

  it('a pin that is applied after the deletion of its message does not hold', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const message = text(room, me, 'first');
    await appendNew(db.store, [message]);
    await db.harness.interrupted(pinOf(message, me), 5);
    await appendNew(db.stores[1], [remove(message)]);
    await db.harness.another();
    await expect.poll(() => db.harness.unfinished(room), { timeout: 8_000 }).toBe(0);
    for (const store of db.stores) expect((await store.rooms.about(room))?.pinned).toBe(0);
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
