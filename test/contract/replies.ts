import { expect, it } from 'vitest';
import type { EntryKey, NewEntry } from '../../server/store/port.ts';
import {
  appendNew,
  edit,
  type Harness,
  inDatabase,
  newId,
  newRoom,
  remove,
  text,
  wholeLog,
} from './support.ts';

const SECRET = 'the combination is 31-7-22';

export function replyCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  it('a reply names anybody’s message by its key, and gets its serverOffset, also within one batch', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const first = text(room, me, 'first');
    await appendNew(db.store, [first]);
    const second = text(room, you, 'second');
    await appendNew(db.store, [
      second,
      reply(text(room, you, 'to one'), first),
      reply(text(room, me, 'to both'), second),
    ]);
    expect((await wholeLog(db.store, room)).slice(2)).toMatchObject([
      { body: 'to one', target: 1, replyTo: { author: me, clientOffset: first.clientOffset } },
      { body: 'to both', target: 2, replyTo: { author: you, clientOffset: second.clientOffset } },
    ]);
  });

  it('O2 a reply to what is no message of the log is appended, with the key alone', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const mine = text(room, me, 'mine');
    const changed = edit(mine, 'changed');
    await appendNew(db.store, [mine, changed]);
    const elsewhere = text(await newRoom(db.store), me, 'elsewhere');
    await appendNew(db.store, [elsewhere]);
    const missing = [text(room, me, 'never sent'), changed, elsewhere, { ...mine, author: you }];
    await appendNew(
      db.store,
      missing.map((key) => reply(text(room, you, 'reply'), key)),
    );
    const replies = (await wholeLog(db.store, room)).slice(2);
    expect(replies.map((entry) => 'target' in entry)).toEqual([false, false, false, false]);
    expect(replies.map((entry) => entry)).toMatchObject(
      missing.map(({ author, clientOffset }) => ({ body: 'reply', replyTo: { author, clientOffset } })),
    );
  });

  it('a reply neither changes its message nor is changed with it; deleted, it keeps no key', async () => {
    const [room, me, you] = [await newRoom(db.store), newId(), newId()];
    const mine = text(room, me, 'mine');
    const answer = reply(text(room, you, 'answer'), mine);
    await appendNew(db.store, [mine, answer]);
    expect((await db.store.log.range(room, 1, 1, 10_000)).amendments).toEqual([]);
    await appendNew(db.store, [remove(mine)]);
    const late = reply(text(room, you, 'late'), mine);
    await appendNew(db.store, [late, remove(answer)]);
    const log = await wholeLog(db.store, room);
    expect(log).toMatchObject([
      { deleted: true },
      { deleted: true, target: 1 },
      {},
      { body: 'late', target: 1 },
      {},
    ]);
    expect(log[1]).not.toHaveProperty('replyTo');
  });

  it('S3 single entries come with the last edit of each message, or its first deletion, and without deleted text', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const [edited, gone, untouched] = [text(room, me, 'a'), text(room, me, SECRET), text(room, me, 'c')];
    await appendNew(db.store, [edited, gone, untouched]);
    await appendNew(db.store, [
      edit(edited, 'a1'),
      edit(gone, SECRET),
      edit(edited, 'a2'),
      remove(gone),
      remove(gone),
    ]);
    const found = await db.store.log.entriesAt(room, [3, 1, 2, 99]);
    expect(found).toMatchObject({
      entries: [
        { serverOffset: 1, body: 'a' },
        { serverOffset: 2, deleted: true },
        { serverOffset: 3, body: 'c' },
      ],
      amendments: [{ serverOffset: 6, body: 'a2' }, { serverOffset: 7 }],
      head: 8,
    });
    expect(JSON.stringify(found)).not.toContain(SECRET);
    expect((await db.store.log.entriesAt(room, [6, 1])).amendments).toEqual([]);
    expect(await db.store.log.entriesAt(newId(), [1])).toEqual({ entries: [], amendments: [], head: 0 });
  });
}

/** The item as a reply to the message with this key. */
export function reply(item: NewEntry, { author, clientOffset }: EntryKey): NewEntry {
  const replyTo = { author, clientOffset };
  return {
    ...item,
    target: clientOffset,
    targetAuthor: author,
    content: { replyTo },
    digest: `${item.digest.slice(0, 20)} ${clientOffset}`,
  };
}
