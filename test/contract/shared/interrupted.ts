/**
 * A process died between the commit of an entry and its side effects. The entry is the source of truth: readers apply it at
 * once, and a process that tails it, gets it as a repeat, or opens the database later applies the side effects.
 */
import { expect, it, onTestFinished } from 'vitest';
import type { NewEntry } from '../../../server/store/port.ts';
import { waitFor } from '../../support/waitFor.ts';
import { creation } from '../creation.ts';
import {
  append,
  appendNew,
  edit,
  HEARD_WITHIN_MS,
  join,
  leave,
  listen,
  newId,
  newRoom,
  remove,
  type SharedHarness,
  text,
  wholeLog,
} from '../support.ts';
import { inSharedDatabase } from './stores.ts';

const SECRET = 'the combination is 31-7-22';

export function interruptedCases(open: () => Promise<SharedHarness>): void {
  const db = inSharedDatabase(open);

  /** A text, its edit, and at 3 their deletion, committed but not applied. */
  async function halfDeleted() {
    const [room, me] = [await newRoom(db.store), newId()];
    const mine = text(room, me, SECRET);
    const gone = remove(mine);
    await appendNew(db.store, [mine, edit(mine, `${SECRET}!`)], 100);
    expect(await db.harness.interrupted(gone, 150)).toBe(3);
    expect(await db.harness.unfinished(room)).toBe(1);
    expect(await db.harness.stored(room)).toContain(SECRET);
    return { room, me, mine, gone };
  }

  const finished = (room: string) =>
    waitFor(
      'what follows from the entries of the room is done',
      async () => (await db.harness.unfinished(room)) === 0,
      HEARD_WITHIN_MS,
    );

  it('a range applies a deletion at once, at every store and from any offset', async () => {
    const { room } = await halfDeleted();
    for (const store of db.stores) {
      for (const from of [1, 2, 3])
        expect(JSON.stringify(await store.log.range(room, from, 9, 10_000))).not.toContain(SECRET);
      for (const at of [1, 2])
        expect(JSON.stringify(await store.log.range(room, at, at, 10_000))).not.toContain(SECRET);
      const { entries, amendments } = await store.log.range(room, 1, 1, 10_000);
      expect(entries).toMatchObject([{ kind: 'text', deleted: true }]);
      expect(amendments).toMatchObject([{ serverOffset: 3, kind: 'delete' }]);
    }
  });

  it('an edit after it is stored redacted', async () => {
    const { room, mine } = await halfDeleted();
    const before = await db.harness.stored(room);
    await appendNew(db.stores[1], [edit(mine, 'not to be kept')]);
    expect(await wholeLog(db.store, room)).toMatchObject([{}, {}, {}, { kind: 'edit', deleted: true }]);
    expect(before).not.toContain('not to be kept');
    expect(await db.harness.stored(room)).not.toContain('not to be kept');
  });

  it('L3 a repeat applies a deletion before it is answered', async () => {
    const { room, gone } = await halfDeleted();
    expect(await append(db.stores[1], [gone], 200)).toEqual([{ tag: 'repeat', serverOffset: 3, at: 150 }]);
    expect(await db.harness.stored(room)).not.toContain(SECRET);
    expect(await db.harness.unfinished(room)).toBe(0);
  });

  it('a store that opens later applies a deletion', async () => {
    const { room } = await halfDeleted();
    await db.harness.another();
    await finished(room);
    expect(await db.harness.stored(room)).not.toContain(SECRET);
  });

  it('a store that tails it applies a deletion, and shows nothing of what it redacts', async () => {
    const early = await listen(db.stores[1]);
    await appendNew(db.store, [text(await newRoom(db.store), newId(), 'a point to resume at')]);
    await early.count(1);
    await early.close();
    const { room } = await halfDeleted();
    const tail = await listen(db.stores[2], early.point());
    onTestFinished(() => tail.close());
    await tail.count(3);
    await finished(room);
    expect(await db.harness.stored(room)).not.toContain(SECRET);
    expect(JSON.stringify(tail.seen)).not.toContain(SECRET);
  });

  it('L3 a repeat applies a join and a leave before it is answered', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const came = join(room, me);
    expect(await db.harness.interrupted(came, 100)).toBe(1);
    expect(await append(db.stores[1], [came], 200)).toEqual([{ tag: 'repeat', serverOffset: 1, at: 100 }]);
    expect(await members(room, me)).toEqual([1, true]);
    const left = leave(room, me);
    expect(await db.harness.interrupted(left, 100)).toBe(2);
    expect(await append(db.stores[2], [left], 200)).toEqual([{ tag: 'repeat', serverOffset: 2, at: 100 }]);
    expect(await members(room, me)).toEqual([0, false]);
  });

  it('a store that opens later applies a join', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    await db.harness.interrupted(join(room, me), 100);
    await db.harness.another();
    await finished(room);
    expect(await members(room, me)).toEqual([1, true]);
  });

  it('a store that tails it applies a join', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const tail = await listen(db.stores[1]);
    onTestFinished(() => tail.close());
    await db.harness.interrupted(join(room, me), 100);
    await tail.count(1);
    await finished(room);
    expect(await members(room, me)).toEqual([1, true]);
  });

  it('a room whose maker died right after the commit is there for every store, and its maker a member after a repeat', async () => {
    for (const finish of [
      (made: NewEntry) => append(db.stores[1], [made], 200),
      () => db.harness.another(),
    ]) {
      const made = creation({ name: 'Galley' });
      const { room, author } = made;
      expect(await db.harness.interrupted(made, 100)).toBe(1);
      for (const store of db.stores)
        expect(await store.rooms.byId(room)).toMatchObject({ name: 'Galley', createdBy: author, head: 1 });
      expect(await append(db.stores[2], [creation({ author, room })])).toEqual([{ tag: 'room-exists' }]);
      await finish(made);
      await finished(room);
      expect(await members(room, author)).toEqual([1, true]);
      expect(await appendNew(db.stores[2], [text(room, author, 'hello')])).toEqual([2]);
    }
  });

  it('L3 a repeat of an entry that made a room makes the room, where its maker died right after the commit', async () => {
    const made = creation({});
    await db.harness.interrupted(made, 100);
    expect(await append(db.stores[1], [made], 200)).toEqual([{ tag: 'repeat', serverOffset: 1, at: 100 }]);
    expect(await members(made.room, made.author)).toEqual([1, true]);
  });

  it('the greatest serverOffset wins: a join that is applied late does not undo a leave', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const came = join(room, me);
    await db.harness.interrupted(came, 100);
    await appendNew(db.stores[1], [leave(room, me), join(room, you)]);
    expect(await members(room, me)).toEqual([1, false]);
    await append(db.stores[2], [came], 200);
    await db.harness.another();
    await finished(room);
    expect(await members(room, me)).toEqual([1, false]);
    expect(await members(room, you)).toEqual([1, true]);
  });

  /** The number of members, and whether the user is one; the same at every store. */
  async function members(room: string, user: string): Promise<[number | undefined, boolean]> {
    const said = await Promise.all(
      db.stores.map(
        async (store): Promise<[number | undefined, boolean]> => [
          (await store.rooms.byId(room))?.members,
          await store.rooms.isMember(room, user),
        ],
      ),
    );
    for (const other of said) expect(other).toEqual(said[0]);
    return said[0]!;
  }
}
