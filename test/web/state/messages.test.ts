import { expect, test } from 'vitest';
import type { Line } from '../../../shared/fold.ts';
import type { Row } from '../../../web/outbox/row.ts';
import { messagesOf, type Shown } from '../../../web/state/messages.ts';
import { deletion, edit, key, parked, text } from '../outbox/support.ts';

const me = { id: 'me', name: 'Mika' };
const line = (n: number, author = 'me'): Line => ({
  serverOffset: n,
  author,
  clientOffset: key(n),
  at: n,
  tag: 'text',
  body: `line ${n}`,
  edited: false,
});
const messages = (lines: Line[], rows: Row[], more: Partial<Shown> = {}) =>
  messagesOf({
    lines,
    rows,
    heldTargets: new Set(),
    me,
    nameOf: () => 'Lin',
    atEnd: true,
    limit: 150,
    ...more,
  });
const show = (...of: Parameters<typeof messages>) =>
  messages(...of).map(({ content, status, mine, author }) => [
    author.name,
    content.tag === 'text' ? content.body : content.tag,
    status.tag,
    mine,
  ]);

test('O3 what waits stands behind what is in the log, in the order of sending', () => {
  const rows = [text(7), parked(text(8)), { ...text(9), state: { tag: 'checking' as const } }];
  expect(show([line(1), line(2, 'lin')], rows)).toEqual([
    ['Lin', 'line 1', 'sent', true],
    ['Lin', 'line 2', 'sent', false],
    ['Mika', 'text 7', 'queued', true],
    ['Mika', 'text 8', 'not-sent', true],
    ['Mika', 'text 9', 'checking', true],
  ]);
  expect(show([line(1)], rows, { atEnd: false })).toHaveLength(1);
});

test('O3 a change that waits is shown as it will be, with its own state', () => {
  expect(show([line(1)], [edit(5, 1)])).toEqual([['Lin', 'edit 5', 'queued', true]]);
  expect(show([], [text(1), edit(5, 1)])).toEqual([['Mika', 'edit 5', 'queued', true]]);
  const [message] = messages([line(1)], [parked(edit(5, 1))]);
  expect(message).toMatchObject({ key: `me ${key(1)}`, clientOffset: key(5), status: { tag: 'not-sent' } });
});

test('one keeps its key when it is sent', () => {
  const [waiting] = messages([], [text(1)]);
  const [sent] = messages([line(1)], []);
  expect(waiting!.key).toBe(sent!.key);
});

test('O3 an edit whose text is not held is a message of its own at the end, with what can be done about it', () => {
  expect(show([line(1)], [edit(5, 3), text(6)])).toEqual([
    ['Lin', 'line 1', 'sent', true],
    ['Mika', 'edit 5', 'queued', true],
    ['Mika', 'text 6', 'queued', true],
  ]);
  const [orphan] = messages([], [parked(edit(5, 3))]);
  expect(orphan).toMatchObject({
    key: `me ${key(3)}`,
    clientOffset: key(5),
    pending: 'edit',
    status: { tag: 'not-sent' },
    can: { edit: false, remove: false },
  });
  expect(messages([], [edit(5, 3)])[0]).toMatchObject({
    clientOffset: key(3),
    pending: 'edit',
    can: { edit: true, remove: true },
  });
  expect(show([], [edit(5, 3)], { atEnd: false })).toEqual([]);
});

test('O3 a change of a text further up waits there, unless it was not sent; a deletion without a text waits unseen', () => {
  const heldTargets = new Set([key(3)]);
  expect(show([], [edit(5, 3)], { heldTargets })).toEqual([]);
  expect(show([], [parked(edit(5, 3))], { heldTargets })).toEqual([['Mika', 'edit 5', 'not-sent', true]]);
  expect(show([], [deletion(5, 3)])).toEqual([]);
  expect(show([], [parked(deletion(5, 3))])).toEqual([['Mika', 'deleted', 'not-sent', true]]);
});

test('O3 of several changes of a text that is not held the last one shows, once', () => {
  const rows = [{ ...edit(5, 3), attempted: true }, edit(6, 3), edit(7, 4)];
  expect(show([], rows).map(([, body]) => body)).toEqual(['edit 6', 'edit 7']);
});

test('O3 an edit behind a text that was not sent does not hide that', () => {
  const [message] = messages([], [parked(text(1)), edit(5, 1)]);
  expect(message).toMatchObject({
    clientOffset: key(1),
    content: { body: 'edit 5' },
    status: { tag: 'not-sent' },
    can: { edit: false, remove: false },
  });
});

test('O3 of what waits the newest are shown, as many as there may be', () => {
  expect(show([line(1)], [text(2), text(3), text(4)], { limit: 2 }).map(([, body]) => body)).toEqual([
    'line 1',
    'text 3',
    'text 4',
  ]);
});
