import { expect, test } from 'vitest';
import type { Line } from '../../../shared/fold.ts';
import { messagesOf } from '../../../web/state/messages.ts';
import { edit, key, parked, text } from '../outbox/support.ts';

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
const show = (lines: Line[], rows: Parameters<typeof messagesOf>[1], atEnd = true) =>
  messagesOf(lines, rows, me, () => 'Lin', atEnd).map(({ content, status, mine, author }) => [
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
  expect(show([line(1)], rows, false)).toHaveLength(1);
});

test('O3 a change that waits is shown as it will be, with its own state', () => {
  expect(show([line(1)], [edit(5, 1)])).toEqual([['Lin', 'edit 5', 'queued', true]]);
  expect(show([], [text(1), edit(5, 1)])).toEqual([['Mika', 'edit 5', 'queued', true]]);
  const [message] = messagesOf([line(1)], [parked(edit(5, 1))], me, () => '', true);
  expect(message).toMatchObject({ key: `me ${key(1)}`, clientOffset: key(5), status: { tag: 'not-sent' } });
});

test('one keeps its key when it is sent', () => {
  const [waiting] = messagesOf([], [text(1)], me, () => '', true);
  const [sent] = messagesOf([line(1)], [], me, () => '', true);
  expect(waiting!.key).toBe(sent!.key);
});
