import { expect, it } from 'vitest';
import type { NewEntry } from '../../server/store/port.ts';
import {
  append,
  appendNew,
  edit,
  type Harness,
  inDatabase,
  item,
  join,
  newId,
  newRoom,
  remove,
  text,
} from './support.ts';

export function aboutRoomCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('a room has the name and the description of its newest changes, with the serverOffset of the last one', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    expect((await db.store.rooms.byId(room))?.about).toBeUndefined();
    await appendNew(db.store, [
      join(room, me),
      changeOf(room, me, { name: 'Ward 5' }),
      changeOf(room, me, { description: 'Where we hand over' }),
      text(room, me, 'hello'),
      changeOf(room, me, { name: 'Ward 6' }),
      changeOf(room, me, { unknownToThisVersion: 1 }),
    ]);
    await db.harness.reopen();
    const about = { upTo: 5, description: 'Where we hand over' };
    expect(await db.store.rooms.byId(room)).toMatchObject({ name: 'Ward 6', about, head: 6 });
    const [mine] = await db.store.rooms.ofUser(me);
    expect(mine?.room).toMatchObject({ name: 'Ward 6', about });
    const listed = (await db.store.rooms.listPublic(undefined, 100)).find(({ id }) => id === room);
    expect(listed).toMatchObject({ name: 'Ward 6', about });
    await appendNew(db.store, [changeOf(room, me, { description: '' })]);
    expect(await db.store.rooms.byId(room)).toMatchObject({ about: { upTo: 7, description: '' } });
    expect((await db.store.log.range(room, 2, 2, 1_000)).entries[0]).toMatchObject({
      kind: 'about',
      author: me,
      name: 'Ward 5',
    });
  });

  it('a repeated change is found by its key, and does not undo a later one', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const first = changeOf(room, me, { name: 'Ward 5' });
    await appendNew(db.store, [first, changeOf(room, me, { name: 'Ward 6' })]);
    expect((await append(db.store, [first]))[0]?.tag).toBe('repeat');
    expect(await db.store.rooms.byId(room)).toMatchObject({ name: 'Ward 6', about: { upTo: 2 } });
  });

  it('says alone what was changed of a room, for example that it is for announcements', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    expect(await db.store.rooms.about(room)).toBeUndefined();
    expect(await db.store.rooms.about(newId())).toBeUndefined();
    await appendNew(db.store, [changeOf(room, me, { announcements: true })]);
    expect(await db.store.rooms.about(room)).toEqual({ upTo: 1, announcements: true });
    await appendNew(db.store, [
      changeOf(room, me, { description: 'x' }),
      changeOf(room, me, { announcements: false }),
    ]);
    expect(await db.store.rooms.about(room)).toEqual({ upTo: 3, description: 'x', announcements: false });
  });

  it('the message that was pinned last is pinned, until it is unpinned or deleted', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const [first, second] = [text(room, you, 'first'), text(room, me, 'second')];
    const pinned = async () => (await db.store.rooms.about(room))?.pinned;
    await appendNew(db.store, [first, second, pinOf(first, me)]);
    expect(await pinned()).toBe(1);
    await appendNew(db.store, [pinOf(second, me), edit(first, 'changed'), remove(first)]);
    await db.harness.reopen();
    expect(await db.store.rooms.about(room)).toEqual({ upTo: 4, pinned: 2 });
    await appendNew(db.store, [pinOf(second, me, false)]);
    expect(await pinned()).toBe(0);
    await appendNew(db.store, [pinOf(second, me)]);
    expect(await pinned()).toBe(2);
    await appendNew(db.store, [remove(second)]);
    expect(await pinned()).toBe(0);
    expect((await db.store.log.range(room, 3, 3, 1_000)).entries[0]).toMatchObject({
      kind: 'pin',
      author: me,
      target: 1,
      on: true,
    });
  });

  it('a message that is deleted, or is none, cannot be pinned; a repeat of the pin stays one', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const [message, joined] = [text(room, me, 'first'), join(room, me)];
    const pin = pinOf(message, me);
    await appendNew(db.store, [joined, message, pin, remove(message)]);
    const results = await append(db.store, [
      pinOf(message, me),
      pin,
      pinOf(joined, me),
      pinOf(text(room, me, ''), me),
    ]);
    expect(results.map(({ tag }) => tag)).toEqual(['no-target', 'repeat', 'no-target', 'no-target']);
    const another = text(room, me, 'another');
    const together = await append(db.store, [another, remove(another), pinOf(another, me)]);
    expect(together.map(({ tag }) => tag)).toEqual(['appended', 'appended', 'no-target']);
    expect((await db.store.rooms.about(room))?.pinned).toBe(0);
  });

  it('a change concerns its own room alone', async () => {
    const [room, other, me] = [await newRoom(db.store), await newRoom(db.store), newId()];
    await appendNew(db.store, [changeOf(room, me, { name: 'Ward 5', description: 'x' })]);
    const untouched = await db.store.rooms.byId(other);
    expect(untouched).toMatchObject({ name: 'Deck' });
    expect(untouched?.about).toBeUndefined();
  });
}

export function changeOf(room: string, author: string, content: Record<string, unknown>): NewEntry {
  const bare = item({ room, author, clientOffset: newId() }, { kind: 'about' });
  return { ...bare, content, digest: `of ${JSON.stringify(content)}` };
}

export function pinOf(message: NewEntry, author: string, on = true): NewEntry {
  const { room, author: targetAuthor, clientOffset: target } = message;
  const bare = item({ room, author, clientOffset: newId() }, { kind: 'pin', target });
  return { ...bare, targetAuthor, content: { on }, digest: `of a pin ${on}` };
}
