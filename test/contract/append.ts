import { expect, it } from 'vitest';
import {
  append,
  appendNew,
  edit,
  type Harness,
  inDatabase,
  newId,
  newRoom,
  remove,
  text,
  upTo,
  wholeLog,
} from './support.ts';

export function appendCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('L1 numbers each room by itself, from 1 to its head, without a gap', async () => {
    const [a, b, me] = [await newRoom(db.store), await newRoom(db.store), newId()];
    expect(await appendNew(db.store, [text(a, me, '1'), text(b, me, '1'), text(a, me, '2')])).toEqual([
      1, 1, 2,
    ]);
    expect(await appendNew(db.store, [text(b, me, '2'), text(a, me, '3')])).toEqual([2, 3]);
    expect((await wholeLog(db.store, a)).map((e) => e.serverOffset)).toEqual([1, 2, 3]);
    expect(await db.store.log.heads([a, b])).toEqual(
      new Map([
        [a, 3],
        [b, 2],
      ]),
    );
  });

  it('L1 has no gap and no repeat under concurrent batches', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const batches = upTo(20).map((n) => upTo(5).map((m) => text(room, me, `${n}.${m}`)));
    const offsets = await Promise.all(batches.map((batch) => appendNew(db.store, batch)));
    expect(offsets.flat().toSorted((x, y) => x - y)).toEqual(upTo(100));
    for (const batch of offsets) expect(batch).toEqual(batch.toSorted((x, y) => x - y)); // L5
    expect((await wholeLog(db.store, room)).map((e) => e.serverOffset)).toEqual(upTo(100));
  });

  it('L4 acknowledged entries are there after reopening, and numbering continues', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const first = text(room, me, 'kept');
    await appendNew(db.store, [first], 77);
    await db.harness.reopen();
    expect(await wholeLog(db.store, room)).toEqual([
      { serverOffset: 1, author: me, clientOffset: first.clientOffset, at: 77, kind: 'text', body: 'kept' },
    ]);
    expect(await appendNew(db.store, [text(room, me, 'next')])).toEqual([2]);
  });

  it('stores a body unchanged: emoji, newlines, quotes, and 4,000 code points', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const bodies = ['a\n"b"\t\\', '👩‍👩‍👧‍👦 é é', `'; DROP TABLE entries; --`, '𝒳'.repeat(4_000)];
    await appendNew(
      db.store,
      bodies.map((body) => text(room, me, body)),
    );
    expect((await wholeLog(db.store, room)).map((e) => 'body' in e && e.body)).toEqual(bodies);
  });

  it('L5 new, repeated, conflicting, refused and failing items over several rooms in one batch: each has its own result', async () => {
    const [a, b, me, you] = [await newRoom(db.store), await newRoom(db.store), newId(), newId()];
    const [old, theirs] = [text(a, me, 'old'), text(a, you, 'theirs')];
    await appendNew(db.store, [old, theirs], 5);
    const fresh = text(b, me, 'fresh');
    const results = await append(
      db.store,
      [
        text(a, me, 'new'),
        old,
        { ...old, digest: 'another' },
        text(newId(), me, 'no such room'),
        edit({ ...theirs, author: me }, 'mine now'),
        db.harness.poisoned({ room: a, author: me, clientOffset: newId() }),
        fresh,
        fresh,
        edit(fresh, 'fresher'),
        text(a, me, 'last'),
      ],
      9,
    );
    expect(results).toEqual([
      { tag: 'appended', serverOffset: 3, at: 9 },
      { tag: 'repeat', serverOffset: 1, at: 5 },
      { tag: 'conflict' },
      { tag: 'no-room' },
      { tag: 'no-target' },
      { tag: 'failed', message: expect.any(String) },
      { tag: 'appended', serverOffset: 1, at: 9 },
      { tag: 'repeat', serverOffset: 1, at: 9 },
      { tag: 'appended', serverOffset: 2, at: 9 },
      { tag: 'appended', serverOffset: 4, at: 9 },
    ]);
    expect((await wholeLog(db.store, a)).map((e) => 'body' in e && e.body)).toEqual([
      'old',
      'theirs',
      'new',
      'last',
    ]);
    expect((await wholeLog(db.store, b)).map((e) => e.kind)).toEqual(['text', 'edit']);
  });

  it('an item that the database refuses leaves no trace, and its key stays free', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const bad = db.harness.poisoned({ room, author: me, clientOffset: newId() });
    expect(await append(db.store, [bad])).toEqual([{ tag: 'failed', message: expect.any(String) }]);
    expect(await db.store.log.find([bad])).toEqual([undefined]);
    expect(
      await appendNew(db.store, [{ ...text(room, me, 'good'), clientOffset: bad.clientOffset }]),
    ).toEqual([1]);
  });

  it('`at` is never earlier than that of the newest entry of the room, whatever the clock says', async () => {
    const [a, b, me] = [await newRoom(db.store), await newRoom(db.store), newId()];
    const first = text(a, me, 'before the machine lost its clock');
    await appendNew(db.store, [first], 5_000);
    const results = await append(db.store, [text(a, me, 'in 1970'), first, text(b, me, 'another room')], 7);
    expect(results).toEqual([
      { tag: 'appended', serverOffset: 2, at: 5_000 },
      { tag: 'repeat', serverOffset: 1, at: 5_000 },
      { tag: 'appended', serverOffset: 1, at: 7 },
    ]);
    await db.harness.reopen();
    expect(await append(db.store, [text(a, me, 'started again'), text(a, me, 'and again')], 8)).toEqual([
      { tag: 'appended', serverOffset: 3, at: 5_000 },
      { tag: 'appended', serverOffset: 4, at: 5_000 },
    ]);
    await appendNew(db.store, [text(a, me, 'the clock is right again')], 6_000);
    expect((await wholeLog(db.store, a)).map((e) => e.at)).toEqual([5_000, 5_000, 5_000, 5_000, 6_000]);
  });

  it('an empty batch has no effect', async () => {
    expect(await append(db.store, [])).toEqual([]);
  });

  it('an edit or deletion may target an earlier text of its batch', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const [one, two] = [text(room, me, 'one'), text(room, me, 'two')];
    await appendNew(db.store, [one, edit(one, 'ONE'), two, remove(two)]);
    expect(await wholeLog(db.store, room)).toMatchObject([
      { kind: 'text', body: 'one' },
      { kind: 'edit', target: 1, body: 'ONE' },
      { kind: 'text', deleted: true },
      { kind: 'delete', target: 3 },
    ]);
  });

  it('finds entries by key, in the order of the keys, and times by serverOffset', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const [one, two] = [text(room, me, 'one'), text(room, me, 'two')];
    await appendNew(db.store, [one], 11);
    await appendNew(db.store, [two], 22);
    expect(await db.store.log.find([two, text(room, me, 'never'), one])).toEqual([
      { serverOffset: 2, at: 22, digest: two.digest },
      undefined,
      { serverOffset: 1, at: 11, digest: one.digest },
    ]);
    const points = [2, 3, 1, 0].map((serverOffset) => ({ room, serverOffset }));
    expect(await db.store.log.timesAt([...points, { room: newId(), serverOffset: 1 }])).toEqual([
      22,
      undefined,
      11,
      undefined,
      undefined,
    ]);
    const nowhere = newId();
    expect(await db.store.log.heads([nowhere, room])).toEqual(
      new Map([
        [nowhere, 0],
        [room, 2],
      ]),
    );
  });
}
