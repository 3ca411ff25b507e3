import { afterEach, expect, test, vi } from 'vitest';
import { speak, t } from '../../../web/i18n/index.ts';
import { formatCount } from '../../../web/view/CappedCount.tsx';

afterEach(async () => {
  await speak('en');
  vi.unstubAllGlobals();
});

const pill = (count: number) => {
  const { seen, heard } = formatCount(count);
  return [t.log.unseen(count, seen), t.log.unseen(count, heard)];
};
const tag = (count: number) => [formatCount(count).seen, t.rooms.unread(formatCount(count).heard)];

test('O3 from the cap on, no number is shown or read out that is too small', async () => {
  vi.stubGlobal('document', { documentElement: { lang: '' } });
  await speak('en');
  expect([1, 99, 100, 250].map(pill)).toEqual([
    ['1 new message', '1 new message'],
    ['99 new messages', '99 new messages'],
    ['99+ new messages', 'more than 99 new messages'],
    ['99+ new messages', 'more than 99 new messages'],
  ]);
  expect([7, 100].map(tag)).toEqual([
    ['7', '7 unread'],
    ['99+', 'more than 99 unread'],
  ]);
  await speak('zh');
  expect([99, 100].map(pill)).toEqual([
    ['99 条新消息', '99 条新消息'],
    ['99+ 条新消息', '超过 99 条新消息'],
  ]);
  expect(tag(100)).toEqual(['99+', '超过 99 条未读']);
});
