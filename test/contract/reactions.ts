import { expect, it } from 'vitest';
import type { NewEntry } from '../../server/store/port.ts';
import {
  append,
  appendNew,
  edit,
  type Harness,
  inDatabase,
  item,
  newId,
  newRoom,
  remove,
  text,
} from './support.ts';

export function reactionCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('reactions are counted by message and emoji: of each person the newest entry with an emoji', async () => {
    const [room, me, you, third] = [await newRoom(db.store), newId(), newId(), newId()];
    const [first, second] = [text(room, me, 'a'), text(room, you, 'b')];
    await appendNew(db.store, [first, second, edit(first, 'A')]);
    await appendNew(db.store, [
      reaction(me, first, '👍'), // 4
      reaction(you, first, '❤️'),
      reaction(you, first, '👍'),
      reaction(you, first, '👍'), // the same again
      reaction(third, first, '👍', false), // never was
      reaction(me, second, '👍🏽'),
      reaction(me, second, '👍'),
      reaction(me, second, '👍', false), // 11
      reaction(third, first, '🎉'),
      reaction(third, first, '🎉', false),
      reaction(third, first, '🎉'), // 14
    ]);
    expect(await db.store.log.reactionsTo(room, [3, 2, 1, 99], me)).toEqual([
      {
        target: 1,
        asOf: 14,
        counts: [
          { emoji: '👍', count: 2, by: [me, you] },
          { emoji: '❤️', count: 1, by: [you] },
          { emoji: '🎉', count: 1, by: [third] },
        ],
        mine: ['👍'],
      },
      { target: 2, asOf: 11, counts: [{ emoji: '👍🏽', count: 1, by: [me] }], mine: ['👍🏽'] },
    ]);
    await appendNew(db.store, [reaction(me, second, '👍🏽', false)]);
    expect(await db.store.log.reactionsTo(room, [2], undefined)).toEqual([
      { target: 2, asOf: 15, counts: [] },
    ]);
    expect(await db.store.log.reactionsTo(await newRoom(db.store), [1], me)).toEqual([]);
  });

  it('counts name the first three people and list the twenty most frequent emoji; all people are asked for', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const message = text(room, me, 'a');
    await appendNew(db.store, [message]);
    const people = Array.from({ length: 30 }, newId);
    const rare = Array.from({ length: 25 }, (_, i) => String.fromCodePoint(0x1f600 + i));
    await appendNew(
      db.store,
      rare.map((emoji) => reaction(me, message, emoji)),
    );
    await appendNew(
      db.store,
      people.map((author) => reaction(author, message, '👍')),
    );
    const [found] = await db.store.log.reactionsTo(room, [1], me);
    expect(found!.counts).toHaveLength(20);
    expect(found!.counts.at(-1)).toEqual({ emoji: '👍', count: 30, by: people.slice(0, 3) });
    expect(found!.mine).toEqual(rare);
    const all = await db.store.log.reactors(room, 1, 1_000);
    expect(all.filter(({ emoji }) => emoji === '👍').map(({ user }) => user)).toEqual(people);
    expect(await db.store.log.reactors(room, 1, 26)).toEqual([
      ...rare.map((emoji) => ({ user: me, emoji })),
      { user: people[0], emoji: '👍' },
    ]);
  });

  it('O2 a reaction to what is no message of the room is refused alone; one to a deleted message is stored', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const message = text(room, me, 'a');
    await appendNew(db.store, [message, remove(message)]);
    const missing = text(room, me, 'never sent');
    const results = await append(db.store, [
      reaction(you, missing, '👍'),
      reaction(you, message, '👍'),
      text(room, you, 'behind'),
    ]);
    expect(results.map(({ tag }) => tag)).toEqual(['no-target', 'appended', 'appended']);
  });
}

function reaction(
  author: string,
  { room, author: targetAuthor, clientOffset }: NewEntry,
  emoji: string,
  on = true,
) {
  const kind = 'reaction';
  const bare = item({ room, author, clientOffset: newId() }, { kind, target: clientOffset });
  return { ...bare, targetAuthor, content: { emoji, on } };
}
