import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import type { Line } from '../../../shared/fold.ts';
import { openUserDatabase } from '../../../web/db/userDatabase.ts';
import type { Row } from '../../../web/records/row.ts';
import { messagesOf } from '../../../web/state/messages.ts';
import { readOutboxView, rowsAt } from '../../../web/state/readSnapshot.ts';
import { createFakeClock } from '../db/fakeClock.ts';
import { deletion, edit, key, parked, ROOM, text } from '../outbox/support.ts';
import { userOf } from '../welcome.ts';

const me = userOf('me', 'Mika');
const line = (n: number, author = 'me'): Line => ({
  serverOffset: n,
  author,
  clientOffset: key(n),
  at: n,
  tag: 'text',
  body: `line ${n}`,
  edited: false,
});
/** The messages after these lines, with all rows in the window; `held`: entries that are stored outside of it. */
async function messages(lines: Line[], rows: Row[], held: number[] = []) {
  const db = openUserDatabase(new IDBFactory(), createFakeClock(), 'me');
  await db.write(['rows', 'log'], async (tx) => {
    for (const row of rows) await tx.objectStore('rows').put(row);
    for (const n of held) {
      const entry = {
        serverOffset: n,
        author: 'me',
        clientOffset: key(n),
        at: n,
        kind: 'text',
        body: 'x',
      } as const;
      await tx.objectStore('log').put({ ...entry, room: ROOM });
    }
  });
  const { waiting, changes } = await db.read(['rows', 'log', 'detached'], async (tx) => {
    const queue = await readOutboxView(tx, ROOM);
    return { waiting: await rowsAt(tx, queue.seqs), changes: queue.changes };
  });
  db.close();
  return messagesOf({ lines, waiting, changes, me, nameOf: () => 'Lin' });
}
const show = async (...of: Parameters<typeof messages>) =>
  (await messages(...of)).map(({ content, status, mine, author }) => [
    author.name,
    content.tag === 'text' ? content.body : content.tag,
    status.tag,
    mine,
  ]);
const at = (row: Row, targetOffset: number) => ({ ...row, targetOffset }) as Row;

test('O3 queued messages are shown after the log, in the order of sending', async () => {
  const rows = [text(7), parked(text(8)), { ...text(9), state: { tag: 'checking' as const } }];
  expect(await show([line(1), line(2, 'lin')], rows)).toEqual([
    ['Lin', 'line 1', 'sent', true],
    ['Lin', 'line 2', 'sent', false],
    ['Mika', 'text 7', 'queued', true],
    ['Mika', 'text 8', 'not-sent', true],
    ['Mika', 'text 9', 'checking', true],
  ]);
});

test('O3 a queued amendment is shown as if it was applied, with its own status', async () => {
  expect(await show([line(1)], [edit(5, 1)])).toEqual([['Lin', 'edit 5', 'queued', true]]);
  expect(await show([], [text(1), edit(5, 1)])).toEqual([['Mika', 'edit 5', 'queued', true]]);
  const [message] = await messages([line(1)], [parked(edit(5, 1))]);
  expect(message).toMatchObject({ key: `me ${key(1)}`, clientOffset: key(5), status: { tag: 'not-sent' } });
});

test('a message keeps its key when it is sent', async () => {
  const [waiting] = await messages([], [text(1)]);
  const [sent] = await messages([line(1)], []);
  expect(waiting!.key).toBe(sent!.key);
});

test('O3 an edit whose text is not stored is a message of its own at the end, with its possible actions', async () => {
  expect(await show([line(1)], [edit(5, 3), text(6)])).toEqual([
    ['Lin', 'line 1', 'sent', true],
    ['Mika', 'edit 5', 'queued', true],
    ['Mika', 'text 6', 'queued', true],
  ]);
  const [orphan] = await messages([], [parked(edit(5, 3))]);
  expect(orphan).toMatchObject({
    key: `me ${key(3)}`,
    clientOffset: key(5),
    pending: 'edit',
    status: { tag: 'not-sent' },
    can: { edit: false, remove: false },
  });
  expect((await messages([], [edit(5, 3)]))[0]).toMatchObject({
    clientOffset: key(3),
    pending: 'edit',
    can: { edit: true, remove: true },
  });
});

test('O3 an amendment of a text outside the window is shown there, unless it was not sent; a deletion without a text is not shown', async () => {
  expect(await show([], [at(edit(5, 3), 3)], [3])).toEqual([]);
  expect(await show([], [parked(at(edit(5, 3), 3))], [3])).toEqual([['Mika', 'edit 5', 'not-sent', true]]);
  expect(await show([], [deletion(5, 3)])).toEqual([]);
  expect(await show([], [parked(deletion(5, 3))])).toEqual([['Mika', 'deleted', 'not-sent', true]]);
});

test('O3 of several amendments of a text that is not stored only the last one is shown', async () => {
  const rows = [{ ...edit(5, 3), attempted: true }, edit(6, 3), edit(7, 4)];
  expect((await show([], rows)).map(([, body]) => body)).toEqual(['edit 6', 'edit 7']);
});

test('O3 an edit behind a text that was not sent does not hide its status', async () => {
  const [message] = await messages([], [parked(text(1)), edit(5, 1)]);
  expect(message).toMatchObject({
    clientOffset: key(1),
    content: { body: 'edit 5' },
    status: { tag: 'not-sent' },
    can: { edit: false, remove: false },
  });
});
