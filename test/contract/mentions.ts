import { expect, it } from 'vitest';
import type { NewEntry } from '../../server/store/port.ts';
import { appendNew, type Harness, inDatabase, newId, newRoom, remove, text, wholeLog } from './support.ts';

export function mentionCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('messages that mention a user are found beyond an offset, ascending, up to a limit, and not their own', async () => {
    const [room, another] = [await newRoom(db.store), await newRoom(db.store)];
    const [me, you] = [newId(), newId()];
    await appendNew(db.store, [
      mentioning(text(room, you, 'a'), me),
      text(room, you, 'b'),
      mentioning(text(room, you, 'c'), you, me, me),
      mentioning(text(room, me, 'd'), me, you),
      mentioning(text(room, you, 'e'), me),
      mentioning(text(another, you, 'f'), me),
    ]);
    await db.harness.reopen();
    const { mentions } = db.store.log;
    expect(await mentions(room, me, 0, 10)).toEqual([1, 3, 5]);
    expect(await mentions(room, me, 1, 10)).toEqual([3, 5]);
    expect(await mentions(room, me, 0, 2)).toEqual([1, 3]);
    expect(await mentions(room, me, 5, 10)).toEqual([]);
    expect(await mentions(room, you, 0, 10)).toEqual([4]);
    expect(await mentions(another, me, 0, 10)).toEqual([1]);
    expect(await mentions(room, newId(), 0, 10)).toEqual([]);
    expect((await wholeLog(db.store, room))[0]).toMatchObject({ mentions: [{ user: me, name: 'Somebody' }] });
  });

  it('a deleted message mentions nobody', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const [gone, kept] = [mentioning(text(room, you, 'a'), me), mentioning(text(room, you, 'b'), me)];
    await appendNew(db.store, [gone, kept]);
    await appendNew(db.store, [remove(gone)]);
    expect(await db.store.log.mentions(room, me, 0, 10)).toEqual([2]);
    expect(JSON.stringify((await wholeLog(db.store, room))[0])).not.toContain(me);
    await appendNew(db.store, [remove(kept)]);
    await db.harness.reopen();
    expect(await db.store.log.mentions(room, me, 0, 10)).toEqual([]);
  });

  it('a mention many entries back is found', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    await appendNew(db.store, [mentioning(text(room, you, 'a'), me)]);
    for (let i = 0; i < 5; i++)
      await appendNew(
        db.store,
        Array.from({ length: 100 }, (_, n) => text(room, you, `${i} ${n}`)),
      );
    expect(await db.store.log.mentions(room, me, 0, 10)).toEqual([1]);
  });
}

function mentioning(item: NewEntry, ...users: string[]): NewEntry {
  const mentions = users.map((user) => ({ user, name: 'Somebody' }));
  return { ...item, content: { mentions }, digest: `${item.digest.slice(0, 20)} ${users.length}` };
}
