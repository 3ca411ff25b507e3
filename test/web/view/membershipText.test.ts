import { afterEach, expect, test, vi } from 'vitest';
import { speak } from '../../../web/i18n/index.ts';
import { membershipText } from '../../../web/view/menu/membershipText.ts';

afterEach(async () => {
  await speak('en');
  vi.unstubAllGlobals();
});

type Who = (string | undefined)[];
const textOf = (joined: Who, others = 0, left: Who = []) =>
  membershipText({
    from: 1,
    to: 1,
    at: 1,
    people: { joined: { named: joined, others }, left: { named: left, others: 0 } },
  })!.replace(/[\u2068\u2069]/g, '');

test('who joined and left is one sentence in each language; names have their own direction', async () => {
  expect(textOf(['Lin', 'Osei'], 3)).toBe('Lin, Osei and 3 others joined');
  expect(textOf([undefined])).toBe('You joined');
  expect(textOf(['Lin', 'Osei', 'Mika'])).toBe('Lin, Osei and Mika joined');
  expect(textOf(['Lin', ''], Number.POSITIVE_INFINITY, ['Ada'])).toBe(
    'Lin, Somebody and others joined, Ada left',
  );
  expect(membershipText({ from: 1, to: 1, at: 1, people: undefined })).toBeUndefined();
  vi.stubGlobal('document', { documentElement: {} });
  await speak('zh');
  expect(textOf(['Lin', 'Osei'], 3, [undefined])).toBe('Lin、Osei和另外 3 人加入了，我离开了');
  expect(textOf(['Lin', 'Osei'], Number.POSITIVE_INFINITY)).toBe('Lin、Osei和其他人加入了');
});

test('a notice says who gave whom which role, or removed whom; “you” in the place where it stands', async () => {
  const notice = (kind: string, by: string | undefined, whom: string | undefined, fields: object = {}) =>
    membershipText({
      from: 1,
      to: 1,
      at: 1,
      people: { kind, by, whom, isSelf: by === whom, fields: { ...fields } },
    })?.replace(/[\u2068\u2069]/g, '');
  expect(notice('role', 'Mika', 'Lin', { role: 'moderator' })).toBe('Mika made Lin a moderator');
  expect(notice('role', 'Mika', undefined, { role: 'owner' })).toBe('Mika made you an owner');
  expect(notice('role', undefined, 'Lin', { role: 'member' })).toBe('You made Lin a member again');
  expect(notice('role', undefined, undefined, { role: 'member' })).toBe('You stepped down to member');
  expect(notice('role', 'Mika', 'Lin', { role: 'owner', authorRole: 'moderator' })).toBe(
    'Mika handed the room on to Lin',
  );
  expect(notice('removal', 'Mika', undefined)).toBe('Mika removed you');
  expect(notice('ban', 'Mika', 'Lin')).toBe('Mika banned Lin');
  expect(notice('unban', 'Mika', '')).toBe('Mika lifted the ban of Somebody');
  expect(notice('about', 'Mika', 'Mika', { name: 'Ward 6' })).toBe('Mika renamed the room to Ward 6');
  expect(notice('about', undefined, undefined, { description: 'x' })).toBe('You changed the description');
  expect(notice('about', 'Mika', 'Mika', { description: '' })).toBe('Mika removed the description');
  expect(notice('about', 'Mika', 'Mika', { announcements: true })).toBe(
    'Mika made this a room for announcements',
  );
  expect(notice('about', undefined, undefined, { announcements: false })).toBe(
    'You let everybody write here',
  );
  expect(notice('pin', 'Mika', 'Mika', { on: true })).toBe('Mika pinned a message');
  expect(notice('pin', undefined, undefined, { on: false })).toBe('You unpinned a message');
  expect(notice('about', 'Mika', 'Mika', { ofLater: 1 })).toBeUndefined();
  expect(notice('of a later version', 'Mika', 'Lin')).toBeUndefined();
  vi.stubGlobal('document', { documentElement: {} });
  await speak('zh');
  expect(notice('role', 'Mika', undefined, { role: 'moderator' })).toBe('Mika将你设为管理员');
});
