/** Entries of test kinds, one for each class of the table of kinds, with fields that no store knows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewEntry } from '../../server/store/port.ts';
import { useProductKinds, useTestKinds } from '../support/testKinds.ts';
import {
  append,
  appendNew,
  edit,
  type Harness,
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

export function grownCases(open: () => Promise<Harness>): void {
  const db = {} as { store: Harness['store']; harness: Harness };
  beforeAll(async () => {
    useTestKinds();
    db.harness = await open();
    Object.defineProperty(db, 'store', { get: () => db.harness.store });
  });
  afterAll(async () => {
    await db.harness.destroy();
    useProductKinds();
  });

  const message = (room: string, author: string, words: string) =>
    of(room, author, 'test-message', { words });
  const on = (author: string, target: NewEntry, kind: string, content?: Record<string, unknown>) =>
    of(target.room, author, kind, content, {
      target: target.clientOffset,
      ...(target.author === author ? {} : { targetAuthor: target.author }),
    });

  it('an entry of an unknown form is returned unchanged: by range, by tail, after reopening', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const tail = await listen(db.store, undefined, (committed) => committed.room === room);
    const content = { words: 'héllo', nested: { a: [1, null, 'x'], b: { c: true } } };
    const entries = [
      of(room, me, 'test-message', content),
      of(room, me, 'test-silent', { note: 'n' }),
      of(room, you, 'test-removed', undefined, { subject: me }),
    ];
    await appendNew(db.store, entries, 7);
    const expected = entries.map(({ author, clientOffset, kind, subject, content = {} }, i) => ({
      serverOffset: i + 1,
      author,
      clientOffset,
      at: 7,
      kind,
      ...(subject === undefined ? {} : { subject }),
      ...content,
    }));
    await tail.count(3);
    await tail.close();
    expect(tail.seen.map(({ entry }) => entry)).toEqual(expected);
    await db.harness.reopen();
    expect(await wholeLog(db.store, room)).toEqual(expected);
    expect((await append(db.store, entries)).map(({ tag }) => tag)).toEqual(['repeat', 'repeat', 'repeat']);
  });

  it('a text keeps a field that this version does not know', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const mine = { ...text(room, me, 'a'), content: { replyTo: { author: me, clientOffset: newId() } } };
    await appendNew(db.store, [mine]);
    expect(await wholeLog(db.store, room)).toMatchObject([{ kind: 'text', body: 'a', ...mine.content }]);
  });

  it('an aggregate may target anybody’s message, and does not change it', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const [mine, theirs] = [text(room, me, 'a'), message(room, you, 'b')];
    await appendNew(db.store, [mine, theirs]);
    await appendNew(db.store, [
      on(you, mine, 'test-reaction', { emoji: '👍', on: true }),
      on(you, theirs, 'test-reaction', { emoji: '👍', on: true }),
    ]);
    expect(await wholeLog(db.store, room)).toMatchObject([
      { body: 'a' },
      { words: 'b' },
      { kind: 'test-reaction', target: 1, emoji: '👍', on: true },
      { kind: 'test-reaction', target: 2 },
    ]);
    expect((await db.store.log.range(room, 1, 2, 100_000)).amendments).toEqual([]);
  });

  it('a target must be a message of the same room: not an edit, not an entry without a line', async () => {
    const [room, elsewhere, me, you] = [await newRoom(db.store), await newRoom(db.store), newId(), newId()];
    const [mine, far] = [text(room, me, 'a'), text(elsewhere, me, 'b')];
    const [changed, silent] = [edit(mine, 'A'), of(room, me, 'test-silent', { note: 'n' })];
    await appendNew(db.store, [mine, changed, silent, far]);
    const wrong = [changed, silent, { ...far, room }, { ...mine, author: you }];
    const results = await append(
      db.store,
      wrong.map((target) => on(me, target, 'test-reaction', { emoji: 'x', on: true })),
    );
    expect(results.map(({ tag }) => tag)).toEqual(Array(4).fill('no-target'));
  });

  it('a removal by another user redacts the message and its replacements, with all their fields', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const [mine, note] = [text(room, me, SECRET), message(room, me, SECRET)];
    await appendNew(db.store, [{ ...mine, content: { hint: SECRET } }, edit(mine, SECRET), note]);
    await appendNew(db.store, [on(you, mine, 'test-erase'), on(you, note, 'test-erase'), edit(mine, SECRET)]);
    const log = await wholeLog(db.store, room);
    expect(log).toMatchObject([
      { kind: 'text', deleted: true },
      { kind: 'edit', deleted: true, target: 1 },
      { kind: 'test-message', deleted: true },
      { kind: 'test-erase', author: you, target: 1 },
      { kind: 'test-erase', author: you, target: 3 },
      { kind: 'edit', deleted: true },
    ]);
    expect(JSON.stringify(log)).not.toContain(SECRET);
    const { amendments } = await db.store.log.range(room, 1, 3, 100_000);
    expect(amendments.map(({ serverOffset }) => serverOffset)).toEqual([4, 5]);
  });

  it('an entry with a subject ends the membership of the subject, not of the author', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    await appendNew(db.store, [join(room, me), join(room, you)]);
    await appendNew(db.store, [of(room, me, 'test-removed', undefined, { subject: you })]);
    expect([await db.store.rooms.isMember(room, me), await db.store.rooms.isMember(room, you)]).toEqual([
      true,
      false,
    ]);
    expect((await db.store.rooms.byId(room))!.members).toBe(1);
    await appendNew(db.store, [join(room, you)]);
    expect(await db.store.rooms.isMember(room, you)).toBe(true);
  });

  describe('messages', () => {
    it('S3 are found by count, whatever other entries lie between them', async () => {
      const [room, me] = [await newRoom(db.store), newId()];
      const gone = text(room, me, 'x');
      await appendNew(db.store, [
        text(room, me, 'a'), // 1
        join(room, me), // 2
        message(room, me, 'b'), // 3
        gone, // 4, deleted by 5
        remove(gone),
        of(room, me, 'test-silent', { note: 'n' }), // 6
        text(room, me, 'c'), // 7
        join(room, newId()), // 8
      ]);
      const at = (upTo: number, count: number) => db.store.log.messageAt(room, upTo, count);
      expect(await Promise.all([at(8, 1), at(8, 2), at(8, 3), at(8, 10), at(6, 1), at(2, 5)])).toEqual([
        7, 3, 1, 1, 3, 1,
      ]);
      const from = (offset: number, to = 8) => db.store.log.messageFrom(room, offset, to);
      expect(
        await Promise.all([from(1), from(2), from(4), from(7), from(8), from(2, 2), from(4, 6)]),
      ).toEqual([1, 3, 7, 7, ...[undefined, undefined, undefined]]);
      const empty = await newRoom(db.store);
      expect(await db.store.log.messageFrom(empty, 1, 10)).toBeUndefined();
      expect(await db.store.log.messageAt(empty, 10, 1)).toBeUndefined();
      await appendNew(db.store, [join(empty, me)]);
      expect(await db.store.log.messageAt(empty, 10, 1)).toBeUndefined();
    });

    it('of other users after a mark are counted up to a limit, without deleted ones and entries without a line', async () => {
      const [room, me, you] = [await newRoom(db.store), newId(), newId()];
      const [gone, note] = [text(room, you, 'x'), message(room, you, 'y')];
      await appendNew(db.store, [text(room, me, 'a'), text(room, you, 'b'), gone, note, join(room, you)]);
      const unread = (after: number, most = 100) => db.store.log.unread(room, me, after, most);
      expect(await Promise.all([unread(0), unread(2), unread(3), unread(5), unread(0, 2)])).toEqual([
        3, 2, 1, 0, 2,
      ]);
      await appendNew(db.store, [remove(gone), on(you, note, 'test-erase')]);
      expect(await unread(0)).toBe(1);
    });
  });
}

function of(
  room: string,
  author: string,
  kind: string,
  content?: Record<string, unknown>,
  more: Partial<NewEntry> = {},
): NewEntry {
  const base = item({ room, author, clientOffset: newId() }, { kind, ...more });
  return { ...base, ...more, ...(content === undefined ? {} : { content }) };
}
