import { expect, it, onTestFinished } from 'vitest';
import type { Committed } from '../../server/store/port.ts';
import {
  appendNew,
  type Harness,
  inDatabase,
  listen,
  newId,
  newRoom,
  text,
  upTo,
  wholeLog,
} from './support.ts';

export function tailCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  const bodies = (seen: Committed[]) => seen.map(({ entry }) => ('body' in entry ? entry.body : entry.kind));

  it('L2 delivers every entry once, in order per room, and none before it can be read', async () => {
    const [rooms, me] = [[await newRoom(db.store), await newRoom(db.store)], newId()];
    const readable: Promise<boolean>[] = [];
    const tail = await listen(db.store, undefined, ({ room, entry }) => {
      readable.push(db.store.log.heads([room]).then((heads) => heads.get(room)! >= entry.serverOffset));
      return true;
    });
    await Promise.all(
      upTo(20).map((n) =>
        appendNew(
          db.store,
          upTo(6).map((m) => text(rooms[m % 2]!, me, `${n}.${m}`)),
        ),
      ),
    );
    await tail.count(120);
    await tail.close();
    for (const room of rooms) {
      const shown = tail.seen.filter((committed) => committed.room === room).map(({ entry }) => entry);
      expect(shown).toEqual(await wholeLog(db.store, room));
    }
    expect(await Promise.all(readable)).not.toContain(false);
  });

  it('without a resume point it starts at the present', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    await appendNew(db.store, [text(room, me, 'before')]);
    const tail = await listen(db.store);
    onTestFinished(() => tail.close());
    await appendNew(db.store, [text(room, me, 'after')]);
    await tail.count(1);
    expect(bodies(tail.seen)).toEqual(['after']);
    expect(tail.gaps()).toBe(0);
  });

  it('resumes at a point, with no gap and no duplicate, while others write', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const before = await listen(db.store);
    await appendNew(db.store, [text(room, me, '1')]);
    await before.count(1);
    await before.close();
    for (const n of upTo(30))
      await appendNew(
        db.store,
        upTo(25).map((m) => text(room, me, `${n}.${m}`)),
      );
    const writing = upTo(10).map((n) =>
      appendNew(
        db.store,
        upTo(5).map((m) => text(room, me, `late ${n}.${m}`)),
      ),
    );
    const tail = await listen(db.store, before.point());
    onTestFinished(() => tail.close());
    await Promise.all(writing);
    await tail.count(30 * 25 + 50);
    expect(tail.seen.map(({ entry }) => entry)).toEqual((await wholeLog(db.store, room)).slice(1));
    expect(tail.gaps()).toBe(0);
  });

  it('resumes over reopening', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const before = await listen(db.store);
    await appendNew(db.store, [text(room, me, '1')]);
    await before.count(1);
    await before.close();
    await appendNew(db.store, [text(room, me, '2')]);
    await db.harness.reopen();
    const tail = await listen(db.store, before.point());
    onTestFinished(() => tail.close());
    await appendNew(db.store, [text(room, me, '3')]);
    await tail.count(2);
    expect(bodies(tail.seen)).toEqual(['2', '3']);
  });

  it.each(['', 'garbage', '-1', '1e9', '99999999999999999999', ':', '__proto__'])(
    'an invalid resume point (%j) means the present, and a gap is reported',
    async (point) => {
      const [room, me] = [await newRoom(db.store), newId()];
      await appendNew(db.store, [text(room, me, 'before')]);
      const tail = await listen(db.store, point);
      onTestFinished(() => tail.close());
      await appendNew(db.store, [text(room, me, 'after')]);
      await tail.count(1);
      expect(bodies(tail.seen)).toEqual(['after']);
      expect(tail.gaps()).toBe(1);
    },
  );

  it('a resume point of another database means the present, and a gap is reported', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const other = await open();
    onTestFinished(() => other.destroy());
    const there = await listen(other.store);
    await appendNew(other.store, [text('lobby', me, 'there')]);
    await there.count(1);
    await appendNew(db.store, [text(room, me, 'before')]);
    const tail = await listen(db.store, there.point());
    onTestFinished(() => tail.close());
    await appendNew(db.store, [text(room, me, 'after')]);
    await tail.count(1);
    expect(bodies(tail.seen)).toEqual(['after']);
    expect(tail.gaps()).toBe(1);
  });

  it('several tails deliver the same; a closed one, and a listener that throws, do not affect the others', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const [closed, one, two] = [await listen(db.store), await listen(db.store), await listen(db.store)];
    const throwing = await db.store.log.tail(undefined, {
      onBatch() {
        throw new Error('a listener with a mistake');
      },
      onGap: () => {},
    });
    onTestFinished(async () => void (await Promise.all([one.close(), two.close(), throwing.close()])));
    await closed.close();
    await appendNew(db.store, [text(room, me, 'a')]);
    await appendNew(db.store, [text(room, me, 'b')]);
    await Promise.all([one.count(2), two.count(2)]);
    expect(bodies(one.seen)).toEqual(['a', 'b']);
    expect(bodies(two.seen)).toEqual(['a', 'b']);
    expect(closed.seen).toEqual([]);
  });

  it('reports whether it is open', async () => {
    const tail = await db.store.log.tail(undefined, { onBatch: () => {}, onGap: () => {} });
    expect(tail.isOpen()).toBe(true);
    await tail.close();
    expect(tail.isOpen()).toBe(false);
  });
}
