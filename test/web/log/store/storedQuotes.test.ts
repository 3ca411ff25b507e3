import { expect, test } from 'vitest';
import type { Entry } from '../../../../shared/entry.ts';
import type { Quote } from '../../../../shared/protocol/index.ts';
import { openUserDatabase, type UserDatabase } from '../../../../web/db/userDatabase.ts';
import { readQuotes } from '../../../../web/log/read/readQuotes.ts';
import { applyFrame } from '../../../../web/log/store/applyFrames.ts';
import { createFakeClock } from '../../db/fakeClock.ts';
import { ROOM } from '../../outbox/support.ts';
import { mint } from '../../state/modelServer.ts';

import 'fake-indexeddb/auto';

const [me, lin] = [mint(), mint()];
const SECRET = 'the combination is 31-7-22';
const answered = { author: lin, clientOffset: mint() };

/** Entry 20 answers entry 5, which lies in a hole. */
const reply: Entry = {
  serverOffset: 20,
  author: me,
  clientOffset: mint(),
  at: 20,
  kind: 'text',
  body: 'a reply',
  target: 5,
  replyTo: answered,
};
const about = (kind: 'edit' | 'delete', serverOffset: number, body?: string): Entry =>
  ({
    serverOffset,
    author: lin,
    clientOffset: mint(),
    at: 20,
    kind,
    target: 5,
    ...(body && { body }),
  }) as Entry;

async function apply(db: UserDatabase, entries: Entry[], quotes: Quote[] = [], amendments: Entry[] = []) {
  const amendedTo = entries.at(-1)!.serverOffset;
  await applyFrame(db, me, { room: ROOM, entries, amendments, amendedTo, opens: true, quotes }, {});
}

async function quoted(db: UserDatabase) {
  const lines = await db.read(['log', 'detached'], (tx) =>
    readQuotes(tx, ROOM, [{ ...answered, serverOffset: 5, by: 20 }]),
  );
  return lines.get(5);
}

const stored = (db: UserDatabase) =>
  db.read(['log', 'detached'], async (tx) =>
    JSON.stringify([await tx.objectStore('log').getAll(), await tx.objectStore('detached').getAll()]),
  );

const open = () => openUserDatabase(new IDBFactory(), createFakeClock(), me);

test('S3 a reply to a message in a hole quotes it as the frame had it, then as later edits do', async () => {
  const db = open();
  await apply(db, [reply], [{ serverOffset: 5, body: 'second', replacedBy: 9 }]);
  expect(await quoted(db)).toMatchObject({ tag: 'text', body: 'second', author: lin });
  await apply(db, [about('edit', 21, 'third')]);
  expect(await quoted(db)).toMatchObject({ body: 'third' });
  await apply(db, [reply], [{ serverOffset: 5, body: 'second', replacedBy: 9 }]); // of an older answer
  expect(await quoted(db)).toMatchObject({ body: 'third' });
});

test('the message itself counts more than a quote, unless the quote is of a later edit', async () => {
  const db = open();
  const message: Entry = { ...answered, serverOffset: 5, at: 5, kind: 'text', body: 'first' };
  await apply(db, [reply], [{ serverOffset: 5, body: 'first' }]);
  await apply(db, [message], [], [about('edit', 9, 'second')]);
  expect(await quoted(db)).toMatchObject({ body: 'second' });
  await apply(db, [reply], [{ serverOffset: 5, body: 'later', replacedBy: 12 }]);
  expect(await quoted(db)).toMatchObject({ body: 'later' });
});

test.each([
  ['live', (db: UserDatabase) => apply(db, [about('delete', 21)])],
  [
    'as an amendment',
    (db: UserDatabase) =>
      apply(db, [{ ...reply, serverOffset: 30, clientOffset: mint() }], [], [about('delete', 29)]),
  ],
  [
    'as a redacted copy',
    (db: UserDatabase) => apply(db, [{ ...answered, serverOffset: 5, at: 5, kind: 'text', deleted: true }]),
  ],
])(
  'once a message is deleted, %s, no quote of it is stored, nor comes back with an older answer',
  async (_, remove) => {
    const db = open();
    await apply(db, [reply], [{ serverOffset: 5, body: SECRET }]);
    await remove(db);
    expect(await stored(db)).not.toContain(SECRET);
    expect(await quoted(db)).toMatchObject({ tag: 'deleted' });
    await apply(db, [reply], [{ serverOffset: 5, body: SECRET }]);
    expect(await stored(db)).not.toContain(SECRET);
    expect(await quoted(db)).toMatchObject({ tag: 'deleted' });
  },
);

test('a deleted reply keeps no quote', async () => {
  const db = open();
  await apply(db, [reply], [{ serverOffset: 5, body: SECRET }]);
  await apply(db, [{ ...about('delete', 21), author: me, target: 20 } as Entry]);
  expect(await stored(db)).not.toContain(SECRET);
});

test('S1 a quote is of the message with the right key: a log that was restored has another one at that serverOffset', async () => {
  const db = open();
  await apply(db, [
    { serverOffset: 5, author: lin, clientOffset: mint(), at: 5, kind: 'text', body: 'another' },
  ]);
  const lines = await db.read(['log', 'detached'], (tx) =>
    readQuotes(tx, ROOM, [{ ...answered, serverOffset: 5, by: undefined }]),
  );
  expect([...lines.values()]).toEqual([]);
});
