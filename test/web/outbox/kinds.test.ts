/** Rows of kinds that this version cannot show: queued, sent, delayed and settled like all others. */
import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Item } from '../../../shared/protocol/index.ts';
import { openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import { storeDetached } from '../../../web/log/store/storeEntries.ts';
import { discard, removeMessage } from '../../../web/outbox/amendText.ts';
import { nextBatch } from '../../../web/outbox/appendBatch.ts';
import { applyVerdicts } from '../../../web/outbox/applyVerdicts.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import { itemOf } from '../../../web/records/row.ts';
import { countRows, readOutboxView } from '../../../web/state/readSnapshot.ts';
import { TEST_FEATURE, useProductKinds, useTestKinds } from '../../support/testKinds.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { mint } from '../state/modelServer.ts';
import { key, newItemOf, parked, ROOM, rowOf, text, WHOLE_BATCH } from './support.ts';

const [me, lin] = [mint(), mint()];
let db: UserDatabase;

beforeEach(() => {
  useTestKinds();
  db = openUserDatabase(new IDBFactory(), createFakeClock(), me);
});
afterEach(() => {
  db.close();
  useProductKinds();
});

const item = (kind: string, content: Record<string, unknown> = {}): Item => ({
  room: ROOM,
  clientOffset: mint(),
  kind,
  ...content,
});
const queue = async (...items: Item[]) => {
  for (const each of items) await enqueue(db, newItemOf(each));
};
const rows = () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
const detached = () => db.read(['detached'], (tx) => tx.objectStore('detached').getAll());
const queued = () => db.read(['rows', 'log', 'detached'], (tx) => readOutboxView(tx, ROOM));
const acknowledge = (...items: Item[]) =>
  applyVerdicts(
    db,
    me,
    items.map(({ clientOffset }, i) => ({ type: 'acknowledged', clientOffset, serverOffset: i + 5, at: 9 })),
    mint,
  );
const refuse = ({ clientOffset }: Item, code = 'forbidden') =>
  applyVerdicts(db, me, [{ type: 'refused', clientOffset, error: { code, message: '' } }], mint);

test('O4 the item sent is exactly the one that was queued, whatever its kind and fields', async () => {
  const theirs = { author: lin, clientOffset: mint() };
  const items = [
    item('text', { body: 'a' }),
    item('test-message', { words: 'two', at: 7, state: { tag: 'sent' }, seq: [1] }), // fields with the names of a row's own fields
    item('test-silent', { value: { deep: [null, true] } }),
    item('test-reaction', { target: theirs, emoji: '👍' }),
    item('test-erase', { target: mint() }),
    item('of a later version', { target: theirs, body: 'b', more: 1 }),
  ];
  await queue(...items);
  expect((await rows()).map(itemOf)).toEqual(items);
});

test('O3 an acknowledged row of any kind leaves its entry, with all fields, in the log', async () => {
  const message = item('test-message', { words: 'two', more: { x: 1 } });
  const reaction = item('test-reaction', { target: message.clientOffset, emoji: '👍' });
  await queue(message, reaction);
  await acknowledge(message);
  expect((await rows())[0]).toMatchObject({ kind: 'test-reaction', targetOffset: 5 });
  await applyVerdicts(
    db,
    me,
    [{ type: 'acknowledged', clientOffset: reaction.clientOffset, serverOffset: 6, at: 9 }],
    mint,
  );
  expect(await rows()).toEqual([]);
  const placed = { author: me, at: 9, room: ROOM };
  expect(await detached()).toEqual([
    { ...placed, ...message, serverOffset: 5 },
    { ...placed, ...reaction, target: 5, serverOffset: 6 },
  ]);
});

test('O3 an acknowledged message whose target is not stored shows all the same', async () => {
  const answer = item('test-message', { words: 'two', target: { author: lin, clientOffset: mint() } });
  await queue(answer);
  await acknowledge(answer);
  expect(await detached()).toMatchObject([{ serverOffset: 5, words: 'two' }]);
});

test('O3 an acknowledged deletion deletes the rows queued about its message, but no messages', async () => {
  const message = item('test-message', { words: 'two' });
  await db.write(['log', 'logSpans', 'detached'], (tx) =>
    storeDetached(tx as never, ROOM, [
      { ...message, room: undefined, author: me, serverOffset: 3, at: 1 } as never,
    ]),
  );
  const about = { target: message.clientOffset };
  const [reaction, answer] = [item('test-reaction', { ...about, emoji: '👍' }), item('test-message', about)];
  await queue(reaction, answer);
  const change = { room: ROOM, target: message.clientOffset, targetOffset: 3, key: mint(), at: 1 };
  expect(await removeMessage(db, me, change)).toBe(true);
  const deletion = (await rows()).at(-1)!;
  expect(deletion).toMatchObject({ kind: 'delete', targetOffset: 3 });
  await acknowledge(itemOf(deletion));
  expect((await rows()).map(({ clientOffset }) => clientOffset)).toEqual([answer.clientOffset]);
  expect(await detached()).toMatchObject([{ serverOffset: 3, deleted: true }, { serverOffset: 5 }]);
  expect(JSON.stringify(await detached())).not.toContain('two');
});

test('O3 a deletion of another user’s message settles if the message does not exist, and stays if it is on the screen', async () => {
  const theirs = { author: lin, clientOffset: mint() };
  const erase = item('test-erase', { target: theirs });
  await queue(erase);
  await db.write(['log', 'logSpans', 'detached'], (tx) =>
    storeDetached(tx as never, ROOM, [
      { ...theirs, serverOffset: 2, at: 1, kind: 'text', body: 'here' } as never,
    ]),
  );
  await refuse(erase, 'not-found');
  expect((await rows())[0]).toMatchObject({ state: { tag: 'parked' } });
  const other = item('test-erase', { target: { author: lin, clientOffset: mint() } });
  await queue(other);
  await refuse(other, 'not-found');
  expect(await rows()).toHaveLength(1);
});

test('O3 a row that changes nothing visible is not shown while it waits, and shows as a message once sending failed', async () => {
  const [silent, reaction] = [
    item('test-silent', { value: 1 }),
    item('test-reaction', { target: mint(), emoji: '👍' }),
  ];
  await queue(item('text', { body: 'a' }), silent, reaction);
  expect((await queued()).seqs).toEqual([1]);
  expect(await db.read(['rows'], (tx) => countRows(tx, ROOM))).toEqual({
    messages: 1,
    waiting: 3,
    notSent: 0,
  });
  await refuse(silent);
  await refuse(reaction);
  expect((await queued()).seqs).toEqual([1, 2, 3]);
  expect(await db.read(['rows'], (tx) => countRows(tx, ROOM))).toEqual({
    messages: 1,
    waiting: 1,
    notSent: 2,
  });
  for (const { clientOffset } of [silent, reaction]) await discard(db, clientOffset, mint(), 1);
  expect((await queued()).seqs).toEqual([1]);
});

describe('a feature that the server lacks', () => {
  const news = (seq: number, room?: string) =>
    rowOf(seq, { kind: TEST_FEATURE, words: 'x', ...(room && { room }) });
  const keys = (...args: Parameters<typeof nextBatch>) =>
    nextBatch(...args).map(({ clientOffset }) => clientOffset);
  const lacking = { features: new Set<string>(), rooms: new Set<string>() };
  const having = { ...lacking, features: new Set([TEST_FEATURE]) };

  test('L5 delays its row and all later rows of its room; other rooms go on', () => {
    const waiting = [text(1), news(2), text(3), rowOf(4, { kind: 'text', body: 'd', room: 'other' })];
    expect(keys(waiting, WHOLE_BATCH, lacking)).toEqual([key(1), key(4)]);
    expect(keys(waiting, WHOLE_BATCH, having)).toEqual([key(1), key(2), key(3), key(4)]);
    expect(keys([parked(news(1)), text(2)], WHOLE_BATCH, lacking)).toEqual([key(2)]);
  });

  test('is known of a row by a version that does not know its kind', () => {
    const waiting = [news(1), text(2)];
    useProductKinds();
    expect(keys(waiting, WHOLE_BATCH, lacking)).toEqual([]);
    expect(keys(waiting, WHOLE_BATCH, having)).toEqual([key(1), key(2)]);
    expect(keys([rowOf(1, { kind: 'of a later version' })], WHOLE_BATCH, lacking)).toEqual([key(1)]);
  });
});
