import { expect, test } from 'vitest';
import { type LogRow, logRows } from '../../../web/view/Log.tsx';
import { message } from '../../support/fakeClient.ts';

test('days are separated, and the author of a group is named once until a pause', () => {
  const at = (day: number, hour: number, minute: number) => new Date(2026, 2, day, hour, minute).getTime();
  const rows = logRows([
    message({ author: 'Mika', at: at(3, 23, 58), body: '1' }),
    message({ author: 'Mika', at: at(3, 23, 59), body: '2' }),
    message({ author: 'Mika', at: at(4, 0, 1), body: '3' }),
    message({ author: 'Ada', at: at(4, 0, 1), body: '4' }),
    message({ author: 'Ada', at: at(4, 0, 11), body: '5' }),
    message({ author: 'Ada', at: at(4, 0, 30), body: '6' }),
  ]);
  expect(
    rows.map((row) =>
      row.tag !== 'message' ? row.tag : `${bodyOf(row.message)}${row.first ? ' first' : ''}`,
    ),
  ).toEqual(['day', '1 first', '2', 'day', '3 first', '4 first', '5', '6 first']);
});

test('keys are unique even if a wrong clock goes back and forth by a day', () => {
  const at = (day: number) => new Date(2026, 2, day, 12).getTime();
  const rows = logRows([3, 2, 3, 2].map((day) => message({ author: 'Mika', at: at(day) })));
  expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length);
  expect(rows.filter((row) => row.tag === 'day')).toHaveLength(4);
});

test('unread messages are below a separator, and their author is named again', () => {
  const [old, fresh] = [1, 2].map((minute) =>
    message({ author: 'Mika', at: new Date(2026, 2, 3, 12, minute).getTime(), body: `${minute}` }),
  );
  const rows = logRows([old!, fresh!], { newSince: fresh!.key });
  expect(rows.map((row) => row.tag)).toEqual(['day', 'message', 'new', 'message']);
  expect(rows.at(-1)).toMatchObject({ first: true });
  expect(logRows([old!, fresh!], { newSince: 'not here' }).map((row) => row.tag)).toEqual([
    'day',
    'message',
    'message',
  ]);
});

test('joins and leaves are rows between the messages, above or below a gap; the author below is named again', () => {
  const at = new Date(2026, 2, 3, 12).getTime();
  const messages = [10, 20, 30].map((serverOffset) => ({ ...message({ author: 'Mika', at }), serverOffset }));
  const waiting = { ...message({ author: 'Ada', at }), serverOffset: undefined };
  const run = (from: number, to: number) => ({ from, to, at, people: undefined });
  const memberships = [run(3, 9), run(12, 12), run(17, 19), run(31, 40)];
  const rows = logRows([...messages, waiting], {
    memberships,
    gaps: [{ tag: 'gap', from: 14, to: 16 }],
  });
  const drawn = rows.map((row) =>
    row.tag === 'message' ? (row.first ? 'first' : 'message') : row.tag === 'people' ? row.run : row.tag,
  );
  expect(drawn).toEqual([
    'day',
    memberships[0],
    'first',
    memberships[1],
    'gap',
    memberships[2],
    'first',
    'message',
    memberships[3],
    'first',
  ]);
  expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
  expect(logRows([], { memberships }).map(({ tag }) => tag)).toEqual([
    'day',
    ...memberships.map(() => 'people'),
  ]);
});

test('the first message of a window is drawn as below the one above it: it keeps its height when that is loaded', () => {
  const at = (day: number, minute: number) => new Date(2026, 2, day, 12, minute).getTime();
  const [above, first, second] = [at(3, 0), at(3, 1), at(3, 2)].map((at) => message({ author: 'Mika', at }));
  const drawn = (row: LogRow) => (row.tag === 'message' ? [row.message, row.first] : row.tag);
  const loaded = logRows([above!, first!, second!]).slice(2).map(drawn);
  const { author, at: aboveAt } = above!;
  const before = (at: number, by = author.id) => logRows([first!, second!], { above: { author: by, at } });
  expect(before(aboveAt).map(drawn)).toEqual(loaded);
  expect(before(at(2, 1))[0]?.tag).toBe('day');
  expect(before(aboveAt, 'another')[0]).toMatchObject({ tag: 'message', first: true });

  const named = new Set([first!.key]);
  expect(logRows([above!, first!, second!], { named }).slice(2).map(drawn)).toEqual([
    [first, true],
    [second, false],
  ]);
});

function bodyOf({ content }: ReturnType<typeof message>): string {
  return content.tag === 'text' ? content.body : '';
}
