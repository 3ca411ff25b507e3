import { beforeEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../../shared/entry.ts';
import { openUserDatabase, type UserDatabase } from '../../../web/db/userDatabase.ts';
import { applyFrame } from '../../../web/log/store/applyFrames.ts';
import { amend, discard, edit as editText, removeMessage, retry } from '../../../web/outbox/amendText.ts';
import type { Verdict } from '../../../web/outbox/appendBatch.ts';
import { applyVerdicts } from '../../../web/outbox/applyVerdicts.ts';
import { enqueue } from '../../../web/outbox/enqueue.ts';
import type { Row } from '../../../web/records/row.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { mint } from '../state/modelServer.ts';
import { deletion, edit, key, parked, ROOM, text } from './support.ts';

import 'fake-indexeddb/auto';

const me = mint();
const KEY = key(1);
let db: UserDatabase;

const put = (...rows: Row[]) =>
  db.write(['rows'], async (tx) => {
    for (const row of rows) await tx.objectStore('rows').put(row);
  });

const rows = () => db.read(['rows'], (tx) => tx.objectStore('rows').getAll());
const detached = () => db.read(['detached'], (tx) => tx.objectStore('detached').getAll());

const hold = (...entries: Entry[]) =>
  applyFrame(db, me, { room: ROOM, entries, amendments: [], amendedTo: entries.length, opens: true }, {});

const entry = (serverOffset: number, content: object, author = me): Entry =>
  ({ serverOffset, author, clientOffset: key(serverOffset), at: 1, ...content }) as Entry;

const sent = () => hold(entry(1, { kind: 'text', body: 'text 1' }));

const change = (targetOffset?: number, target = KEY) => ({
  room: ROOM,
  target,
  targetOffset,
  key: key('new'),
  at: 9,
});

const edited = (body: string, hint?: number) => editText(db, me, change(hint), body);
const removed = (hint?: number) => removeMessage(db, me, change(hint));
const store = (...verdicts: Verdict[]) => applyVerdicts(db, me, verdicts, mint);

const refused = (clientOffset: string, code = 'forbidden'): Verdict => ({
  type: 'refused',
  clientOffset,
  error: { code, message: '' },
});

const acknowledged = (clientOffset: string, serverOffset: number): Verdict => ({
  type: 'acknowledged',
  clientOffset,
  serverOffset,
  at: 9,
});

/** As `kind body [key] (state)`; the key only if it is not the one of its number. */
async function shows(): Promise<string[]> {
  return (await rows()).map((row) => {
    const what = row.kind === 'delete' ? 'delete' : `${row.kind} ${row.body}`;
    const place = row.kind !== 'text' && row.targetOffset !== undefined ? ` @${row.targetOffset}` : '';
    return `${what}${place}${row.clientOffset === key('new') ? ' new' : ''} (${row.state.tag})`;
  });
}

beforeEach(() => {
  db = openUserDatabase(new IDBFactory(), createFakeClock(), me);
});

const checking = (row: Row): Row => ({ ...row, attempted: true, state: { tag: 'checking' } });
const again = (row: Row): Row => ({ ...row, attempted: true, state: { tag: 'queued' } });
type Case = [what: string, given: () => Row[], edit: string[], remove: string[]];

describe('a text that is in the outbox', () => {
  test.each<Case>([
    ['never attempted', () => [text(1)], ['text better (queued)'], []],
    ['never attempted, with an edit behind it', () => [text(1), edit(2, 1)], ['text better (queued)'], []],
    [
      'under way',
      () => [checking(text(1))],
      ['text text 1 (checking)', 'edit better new (queued)'],
      ['text text 1 (checking)', 'delete new (queued)'],
    ],
    [
      'queued again',
      () => [again(text(1))],
      ['text text 1 (queued)', 'edit better new (queued)'],
      ['text text 1 (queued)', 'delete new (queued)'],
    ],
    [
      'under way, with an edit that never was',
      () => [checking(text(1)), edit(2, 1)],
      ['text text 1 (checking)', 'edit better (queued)'],
      ['text text 1 (checking)', 'delete new (queued)'],
    ],
    [
      'under way, and its edit too',
      () => [checking(text(1)), checking(edit(2, 1))],
      ['text text 1 (checking)', 'edit edit 2 (checking)', 'edit better new (queued)'],
      ['text text 1 (checking)', 'edit edit 2 (checking)', 'delete new (queued)'],
    ],
    [
      'parked, perhaps in the log',
      () => [parked(text(1), true)],
      ['text text 1 (queued)', 'edit better new (queued)'],
      ['text text 1 (parked)', 'delete new (queued)'],
    ],
    ['refused', () => [parked(text(1))], ['text better new (queued)'], []],
    [
      'refused, with an edit behind it',
      () => [parked(text(1)), edit(2, 1)],
      ['text better new (queued)'],
      [],
    ],
  ])('O4 edit and delete of a text: %s', async (_, given, edit, remove) => {
    await put(...given());
    expect(await edited('better')).toBe(true);
    expect(await shows()).toEqual(edit);
    await db.write(['rows'], (tx) => tx.objectStore('rows').clear());
    await put(...given());
    expect(await removed()).toBe(true);
    expect(await shows()).toEqual(remove);
  });

  test('O4 an edit to the same text queues nothing', async () => {
    await put(checking(text(1)));
    expect(await edited('text 1')).toBe(true);
    expect(await shows()).toEqual(['text text 1 (checking)']);
    await edited('b');
    await edited('b');
    expect(await shows()).toHaveLength(2);
    await edited('text 1');
    expect(await shows()).toEqual(['text text 1 (checking)', 'edit text 1 new (queued)']);
  });

  test('O4 an edit of a text with a queued deletion is refused, and the new text stays in the field', async () => {
    await put(checking(text(1)), deletion(2, 1));
    expect(await edited('b')).toBe(false);
    expect(await removed()).toBe(true);
    expect(await shows()).toEqual(['text text 1 (checking)', 'delete (queued)']);
  });

  test('O4 an edit that is too long is parked', async () => {
    await put(checking(text(1)));
    expect(await edited('x'.repeat(4_001))).toBe(true);
    expect((await rows())[1]).toMatchObject({ kind: 'edit', state: { reason: { code: 'too-large' } } });
    await edited('short');
    expect(await shows()).toEqual(['text text 1 (checking)', 'edit short new (queued)']);
  });

  test('O4 a text is found only in its own room', async () => {
    await put(text(1));
    expect(await editText(db, me, { ...change(), room: mint() }, 'b')).toBe(false);
    expect(await shows()).toEqual(['text text 1 (queued)']);
  });

  test('O4 a text that is edited a thousand times while in flight has one queued edit', async () => {
    await put(checking(text(1)));
    for (let i = 0; i < 1_000; i++) await editText(db, me, { ...change(), key: mint() }, `version ${i}`);
    expect(await shows()).toEqual(['text text 1 (checking)', 'edit version 999 (queued)']);
  });

  test('O4 a key that was replaced after a conflict stays', async () => {
    await put({ ...text(1), rekeyed: true });
    await edited('b');
    expect(await rows()).toMatchObject([{ clientOffset: KEY, rekeyed: true, body: 'b' }]);
  });
});

describe('a text that is in the log', () => {
  test('O4 edit and delete of a text: queued with its offset, whether or not the screen knew it', async () => {
    await sent();
    await edited('b', 1);
    expect(await shows()).toEqual(['edit b @1 new (queued)']);
    await removed();
    expect(await shows()).toEqual(['delete @1 new (queued)']);
  });
  test('O4 an edit of a sent text to its current text queues nothing', async () => {
    await hold(entry(1, { kind: 'text', body: 'a' }), entry(2, { kind: 'edit', target: 1, body: 'b' }));
    expect(await edited('b', 1)).toBe(true);
    expect(await shows()).toEqual([]);
    expect(await edited('a', 1)).toBe(true);
    expect(await shows()).toEqual(['edit a @1 new (queued)']);
  });
  test('O4 edit and delete of a text: deleted already', async () => {
    await hold(entry(1, { kind: 'text', body: 'a' }), entry(2, { kind: 'delete', target: 1 }));
    expect([await edited('b', 1), await removed(1), await shows()]).toEqual([false, true, []]);
  });
  test("O4 edit and delete of a text: another's, or nobody's", async () => {
    await hold(entry(1, { kind: 'text', body: 'a' }, mint()));
    expect([await edited('b', 1), await edited('b'), await removed(1), await removed()]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(await shows()).toEqual([]);
  });
  test('O4 an edit of a text that was shown and is no longer stored refers to its key', async () => {
    expect([await edited('b', 7), await shows()]).toEqual([true, ['edit b new (queued)']]);
  });
  test('O4 a refused edit is replaced by the next one; so is one that may be in the log', async () => {
    await sent();
    await put(parked({ ...edit(2, 1), seq: 5 }));
    await edited('b', 1);
    expect(await shows()).toEqual(['edit b new (queued)']);
    await db.write(['rows'], (tx) => tx.objectStore('rows').clear());
    await put(parked(edit(2, 1), true));
    await edited('b', 1);
    expect(await shows()).toEqual(['edit b @1 new (queued)']);
  });
  test('O4 a refused deletion: Delete retries it, Edit discards it', async () => {
    await sent();
    await put(parked(deletion(2, 1)));
    await removed(1);
    expect(await shows()).toEqual(['delete (queued)']);
    await put(parked(deletion(2, 1)));
    expect(await edited('b', 1)).toBe(true);
    expect(await shows()).toEqual(['edit b @1 new (queued)']);
  });
});

describe('what a user does with a parked amendment', () => {
  test('O4 Edit of a refused edit is that edit under a new key; Delete leaves the text as the log has it', async () => {
    await sent();
    await put(parked(edit(2, 1)));
    expect(await amend(db, key(2), 'b', key('new'), 9)).toBeDefined();
    expect(await shows()).toEqual(['edit b new (queued)']);
    await put(parked(edit(3, 1)));
    expect(await discard(db, key(3), mint(), 9)).toBeDefined();
    expect(await shows()).toEqual(['edit b new (queued)']);
  });
  test('O4 Edit of a refused deletion is an edit; of one that may be in the log it is refused', async () => {
    await put(parked(deletion(2, 1)), parked({ ...deletion(3, 9), clientOffset: key(3) }, true));
    expect(await amend(db, key(2), 'b', key('new'), 9)).toBeDefined();
    expect(await amend(db, key(3), 'b', key('other'), 9)).toBeUndefined();
    expect(await shows()).toEqual(['edit b new (queued)', 'delete (parked)']);
  });
  test('O4 Edit of a text with a queued deletion is refused', async () => {
    await put(parked(text(1), true), deletion(2, 1));
    expect(await amend(db, KEY, 'b', key('new'), 9)).toBeUndefined();
  });
  test('O4 Try again of a text also retries its edits that were refused because it was missing', async () => {
    await put(parked(text(1), true), parked(edit(2, 1)));
    await retry(db, KEY);
    expect(await shows()).toEqual(['text text 1 (queued)', 'edit edit 2 (queued)']);
  });
});

describe('the verdicts of an amendment', () => {
  test('O3 an edit without a target offset finds its text in the stored log', async () => {
    await sent();
    await put(checking(edit(5, 1)));
    expect(await store(acknowledged(key(5), 4))).toMatchObject({ placed: [{ serverOffset: 4 }] });
    expect(await detached()).toMatchObject([{ kind: 'edit', target: 1, serverOffset: 4, body: 'edit 5' }]);
    expect(await shows()).toEqual([]);
  });
  test('O3 an edit whose text is not stored is settled all the same, and reported as uncovered', async () => {
    await put(checking(edit(5, 1)));
    expect(await store(acknowledged(key(5), 4))).toMatchObject({ placed: [{ serverOffset: 4 }] });
    expect([await detached(), await shows()]).toEqual([[], []]);
  });
  test('O3 a deletion without a target offset redacts the stored message', async () => {
    await sent();
    await put(checking(deletion(5, 1)));
    await store(acknowledged(key(5), 4));
    expect(JSON.stringify(await db.read(['log'], (tx) => tx.objectStore('log').getAll()))).not.toContain(
      'text 1',
    );
  });
  test('O3 a deletion of a text that never arrived deletes all its rows', async () => {
    await put(parked(text(1), true), parked(edit(2, 1)), checking(deletion(3, 1)), text(4));
    await store(refused(key(3), 'not-found'));
    expect(await shows()).toEqual(['text text 4 (queued)']);
  });
  test('O3 a deletion is sent again if its text was retried meanwhile', async () => {
    await put(again(text(1)), checking(deletion(3, 1)));
    await store(refused(key(3), 'not-found'));
    expect(await shows()).toEqual(['text text 1 (queued)', 'delete (queued)']);
  });
  test('O3 a refused text with a queued deletion is deleted', async () => {
    await put(checking(text(1)), deletion(3, 1));
    await store(refused(KEY));
    expect(await shows()).toEqual([]);
  });
  test('O3 a deletion whose text is not in the log is settled; if the text is on the screen, it parks', async () => {
    await put(checking(deletion(3, 1)));
    await store(refused(key(3), 'not-found'));
    expect(await shows()).toEqual([]);
    await sent();
    await put(checking(deletion(3, 1)));
    await store(refused(key(3), 'not-found'));
    expect(await shows()).toEqual(['delete (parked)']);
  });
  test('O4 an edit in a log without its text is kept', async () => {
    await put(checking(edit(3, 1)));
    await store(refused(key(3), 'not-found'));
    expect(await shows()).toEqual(['edit edit 3 (parked)']);
  });
  test('O3 a refused edit is deleted if a later amendment is queued', async () => {
    await put(checking(edit(3, 1)), checking(edit(4, 2)), edit(5, 1), deletion(6, 2));
    await store(refused(key(3)), refused(key(4)));
    expect(await shows()).toEqual(['edit edit 5 (queued)', 'delete (queued)']);
  });
  test('O3 an acknowledged deletion also deletes the edits queued before it', async () => {
    await sent();
    await put(again(edit(3, 1)), checking(deletion(4, 1)));
    await store(acknowledged(key(4), 5));
    expect(await shows()).toEqual([]);
  });
  test('O4 an acknowledged edit deletes the edits queued before it, which would undo it', async () => {
    await sent();
    await put(again(edit(3, 1)), parked(edit(4, 1), true), checking(edit(5, 1)), edit(6, 1));
    await store(acknowledged(key(5), 2));
    expect(await shows()).toEqual(['edit edit 6 (queued)']);
    await put(again(edit(3, 1)), checking({ ...edit(7, 1), clientOffset: key(2) }));
    await hold(
      entry(1, { kind: 'text', body: 'text 1' }),
      entry(2, { kind: 'edit', target: 1, body: 'edit 7' }),
    );
    expect(await shows()).toEqual([]);
  });
  test('after a second conflict a row is parked, and its followers refer to the last key', async () => {
    await put(checking(text(1)), edit(2, 1));
    await store(refused(KEY, 'conflict'));
    const [rekeyed] = await rows();
    await put(checking(rekeyed!));
    await store(refused(rekeyed!.clientOffset, 'conflict'));
    expect(await rows()).toMatchObject([
      { state: { tag: 'parked' }, clientOffset: rekeyed!.clientOffset },
      { kind: 'edit', target: rekeyed!.clientOffset },
    ]);
    await amend(db, rekeyed!.clientOffset, 'b', key('new'), 9);
    expect(await shows()).toEqual(['text b new (queued)']);
  });
  test('after a conflict an edit is sent once under a new key', async () => {
    await put(checking(edit(2, 1)));
    await store(refused(key(2), 'conflict'));
    const [row] = await rows();
    expect(row).toMatchObject({ kind: 'edit', attempted: false, rekeyed: true });
    await put(checking(row!));
    await store(refused(row!.clientOffset, 'conflict'));
    expect(await shows()).toEqual(['edit edit 2 (parked)']);
  });
  test('L3 an echo of the old key after a conflict is another message: both stay', async () => {
    await put(checking(text(1)));
    await store(refused(KEY, 'conflict'));
    await sent();
    expect(await shows()).toEqual(['text text 1 (queued)']);
  });
});

test('O1 the same key twice is one row', async () => {
  const draft = { kind: 'text', body: 'a', room: ROOM, clientOffset: KEY, at: 1 } as const;
  await enqueue(db, draft);
  await enqueue(db, draft);
  expect(await shows()).toEqual(['text a (queued)']);
});
