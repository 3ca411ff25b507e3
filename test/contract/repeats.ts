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
  leave,
  newId,
  newRoom,
  remove,
  text,
  upTo,
} from './support.ts';

export function repeatCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  async function written(): Promise<NewEntry> {
    const first = text(await newRoom(db.store), newId(), 'once');
    await appendNew(db.store, [first], 100);
    return first;
  }

  async function isRepeat(first: NewEntry): Promise<void> {
    expect(await append(db.store, [first], 200)).toEqual([{ tag: 'repeat', serverOffset: 1, at: 100 }]);
  }

  it('L3 a repeat gets the original serverOffset and time', async () => {
    await isRepeat(await written());
  });

  it('L3 concurrent repeats result in one entry', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const one = text(room, me, 'once');
    const results = await Promise.all(upTo(12).map((at) => append(db.store, [one], at)));
    const won = results.flat().find((result) => result.tag === 'appended');
    expect(won).toBeDefined();
    for (const [result] of results) expect([won, { ...won, tag: 'repeat' }]).toContainEqual(result);
    expect(results.flat().filter((result) => result.tag === 'appended')).toHaveLength(1);
    expect(await db.store.log.heads([room])).toEqual(new Map([[room, 1]]));
  });

  it('L3 a repeat after reopening', async () => {
    const first = await written();
    await db.harness.reopen();
    await isRepeat(first);
  });

  it('L3 a repeat after the entry was edited', async () => {
    const first = await written();
    await appendNew(db.store, [edit(first, 'twice')]);
    await isRepeat(first);
  });

  it('L3 a repeat after the entry was deleted: redaction keeps the digest', async () => {
    const first = await written();
    const edited = edit(first, 'twice');
    const removed = remove(first);
    await appendNew(db.store, [edited, removed], 150);
    await isRepeat(first);
    expect(await append(db.store, [edited, removed], 200)).toEqual([
      { tag: 'repeat', serverOffset: 2, at: 150 },
      { tag: 'repeat', serverOffset: 3, at: 150 },
    ]);
    expect(await append(db.store, [{ ...first, digest: 'another' }])).toEqual([{ tag: 'conflict' }]);
  });

  it('L3 a repeat after the author left, and a repeated join changes nothing', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const [came, said, left] = [join(room, me), text(room, me, 'bye'), leave(room, me)];
    await appendNew(db.store, [came, said, left], 100);
    expect((await append(db.store, [said, came], 200)).map((result) => result.tag)).toEqual([
      'repeat',
      'repeat',
    ]);
    expect(await db.store.rooms.isMember(room, me)).toBe(false);
    expect((await db.store.rooms.byId(room))?.members).toBe(0);
  });

  it('L3 the same key with other content is a conflict, and changes nothing', async () => {
    const first = await written();
    const other = item(first, { kind: 'text', body: 'another' });
    expect(await append(db.store, [other])).toEqual([{ tag: 'conflict' }]);
    expect((await db.store.log.range(first.room, 1, 10, 10_000)).entries).toMatchObject([{ body: 'once' }]);
  });

  it('a key belongs to one author in one room: the same clientOffset elsewhere is another entry', async () => {
    const first = await written();
    const [elsewhere, you] = [await newRoom(db.store), newId()];
    expect(
      await appendNew(db.store, [
        { ...first, author: you },
        { ...first, room: elsewhere },
      ]),
    ).toEqual([2, 1]);
  });
}
