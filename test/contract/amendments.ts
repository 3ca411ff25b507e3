import { expect, it } from 'vitest';
import {
  append,
  appendNew,
  edit,
  type Harness,
  inDatabase,
  item,
  join,
  listen,
  newId,
  newRoom,
  remove,
  text,
  wholeLog,
} from './support.ts';

const SECRET = 'the combination is 31-7-22';

export function amendmentCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('a deletion redacts its target and all its edits; they keep their serverOffsets', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const [mine, other] = [text(room, me, 'mine'), text(room, me, 'other')];
    const changed = edit(mine, 'changed');
    await appendNew(db.store, [mine, other, changed, edit(other, 'stays')], 5);
    const gone = remove(mine);
    await appendNew(db.store, [gone], 6);
    const common = { author: me, at: 5 };
    expect((await wholeLog(db.store, room)).toSpliced(3, 1)).toEqual([
      { ...common, serverOffset: 1, clientOffset: mine.clientOffset, kind: 'text', deleted: true },
      { ...common, serverOffset: 2, clientOffset: other.clientOffset, kind: 'text', body: 'other' },
      {
        ...common,
        serverOffset: 3,
        clientOffset: changed.clientOffset,
        kind: 'edit',
        target: 1,
        deleted: true,
      },
      { author: me, at: 6, serverOffset: 5, clientOffset: gone.clientOffset, kind: 'delete', target: 1 },
    ]);
  });

  it('an edit after the deletion is stored redacted; a second deletion is one more entry', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const mine = text(room, me, 'mine');
    await appendNew(db.store, [mine, remove(mine)]);
    await appendNew(db.store, [edit(mine, SECRET), remove(mine)]);
    const log = await wholeLog(db.store, room);
    expect(log).toMatchObject([
      { deleted: true },
      { kind: 'delete' },
      { kind: 'edit', target: 1, deleted: true },
      { kind: 'delete', target: 1 },
    ]);
    expect(JSON.stringify(log)).not.toContain(SECRET);
  });

  it('after a deletion no method returns the text, not even a tail that starts before it', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const early = await listen(db.store);
    await appendNew(db.store, [join(room, me)]);
    await early.count(1);
    await early.close();
    const mine = text(room, me, SECRET);
    await appendNew(db.store, [mine, edit(mine, `${SECRET}!`)]);
    await appendNew(db.store, [remove(mine), edit(mine, `${SECRET}?`)]);
    const late = await listen(db.store, early.point());
    await late.count(4);
    await late.close();
    const read = [
      await db.store.log.range(room, 1, 100, 100_000),
      await db.store.log.find([mine]),
      late.seen,
    ];
    expect(JSON.stringify(read)).not.toContain(SECRET);
  });

  it('a text deleted in its own batch is never shown by the tail', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const tail = await listen(db.store, undefined, (committed) => committed.room === room);
    const mine = text(room, me, SECRET);
    await appendNew(db.store, [mine, remove(mine)]);
    await tail.count(2);
    await tail.close();
    expect(tail.seen.map(({ entry }) => entry)).toEqual(await wholeLog(db.store, room));
    expect(JSON.stringify(tail.seen)).not.toContain(SECRET);
  });

  it('only an own text in the same room can be amended; otherwise no-target', async () => {
    const [room, elsewhere, me, you] = [await newRoom(db.store), await newRoom(db.store), newId(), newId()];
    const [mine, theirs, far] = [text(room, me, 'a'), text(room, you, 'b'), text(elsewhere, me, 'c')];
    const [changed, came] = [edit(mine, 'A'), join(room, me)];
    await appendNew(db.store, [mine, theirs, far, changed, came]);
    const key = () => ({ room, author: me, clientOffset: newId() });
    const at = (target: string) => item(key(), { kind: 'delete', target });
    const results = await append(db.store, [
      item(key(), { kind: 'edit', target: theirs.clientOffset, body: 'x' }),
      at(theirs.clientOffset),
      at(far.clientOffset),
      at(changed.clientOffset),
      at(came.clientOffset),
      at(newId()),
      item(key(), { kind: 'edit', body: 'x' }),
    ]);
    expect(results.map((result) => result.tag)).toEqual(Array(7).fill('no-target'));
    expect((await wholeLog(db.store, room)).map((entry) => entry.serverOffset)).toEqual([1, 2, 3, 4]);
  });

  it('a target later in the batch is not found', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const mine = text(room, me, 'a');
    expect((await append(db.store, [edit(mine, 'A'), mine])).map((result) => result.tag)).toEqual([
      'no-target',
      'appended',
    ]);
  });
}
