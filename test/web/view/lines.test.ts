import { expect, test } from 'vitest';
import { linesOf } from '../../../web/view/lines.ts';
import { message } from '../../support/fakeClient.ts';

test('days are parted, and a run of one author is named once until a pause', () => {
  const at = (day: number, hour: number, minute: number) => new Date(2026, 2, day, hour, minute).getTime();
  const lines = linesOf([
    message({ author: 'Mika', at: at(3, 23, 58), body: '1' }),
    message({ author: 'Mika', at: at(3, 23, 59), body: '2' }),
    message({ author: 'Mika', at: at(4, 0, 1), body: '3' }),
    message({ author: 'Ada', at: at(4, 0, 1), body: '4' }),
    message({ author: 'Ada', at: at(4, 0, 11), body: '5' }),
    message({ author: 'Ada', at: at(4, 0, 30), body: '6' }),
  ]);
  expect(
    lines.map((line) =>
      line.tag !== 'message' ? line.tag : `${bodyOf(line.message)}${line.first ? ' first' : ''}`,
    ),
  ).toEqual(['day', '1 first', '2', 'day', '3 first', '4 first', '5', '6 first']);
});

test('keys are unique even when a wrong clock goes back a day and forth', () => {
  const at = (day: number) => new Date(2026, 2, day, 12).getTime();
  const lines = linesOf([3, 2, 3, 2].map((day) => message({ author: 'Mika', at: at(day) })));
  expect(new Set(lines.map((line) => line.key)).size).toBe(lines.length);
  expect(lines.filter((line) => line.tag === 'day')).toHaveLength(4);
});

test('what is new stands below a line of its own, and its author is named there again', () => {
  const [old, fresh] = [1, 2].map((minute) =>
    message({ author: 'Mika', at: new Date(2026, 2, 3, 12, minute).getTime(), body: `${minute}` }),
  );
  const lines = linesOf([old!, fresh!], fresh!.key);
  expect(lines.map((line) => line.tag)).toEqual(['day', 'message', 'new', 'message']);
  expect(lines.at(-1)).toMatchObject({ first: true });
  expect(linesOf([old!, fresh!], 'not here').map((line) => line.tag)).toEqual(['day', 'message', 'message']);
});

function bodyOf({ content }: ReturnType<typeof message>): string {
  return content.tag === 'text' ? content.body : '';
}
