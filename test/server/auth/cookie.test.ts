import { describe, expect, test } from 'vitest';
import { cookieCleared, cookieName, cookieWith, readCookie } from '../../../server/auth/cookie.ts';
import { credentialsOf } from '../../../server/request/requestContext.ts';

test.each([
  ['http://127.0.0.1:3000', 'holdfast-3000'],
  ['http://chat.example', 'holdfast-80'],
  ['https://chat.example', '__Host-holdfast-443'],
  ['https://chat.example:8443', '__Host-holdfast-8443'],
  ['http://[::1]:3000', 'holdfast-3000'],
])('the cookie of %s is %s', (origin, name) => expect(cookieName(origin)).toBe(name));

test('the cookie is HttpOnly and SameSite=Strict, for 400 days', () => {
  expect(cookieWith('http://a:3000', 'T')).toBe(
    'holdfast-3000=T; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict',
  );
  expect(cookieWith('https://a', 'T')).toBe(
    '__Host-holdfast-443=T; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict; Secure',
  );
  expect(cookieCleared('http://a:3000')).toContain('holdfast-3000=; Path=/; Max-Age=0');
});

test('the cookie of another port is ignored', () => {
  const header = 'x=1; holdfast-3001=theirs; holdfast-3000=ours; __proto__=2; =; y';
  expect(readCookie(header, 'http://a:3000')).toBe('ours');
  expect(readCookie(header, 'https://a:3000')).toBeUndefined();
  expect(readCookie(undefined, 'http://a:3000')).toBeUndefined();
});

describe('credentials', () => {
  const own = 'http://a:3000';
  test.each([
    [
      { authorization: 'Bearer T', cookie: 'holdfast-3000=C' },
      { tag: 'bearer', token: 'T' },
    ],
    [{ authorization: 'bearer  T ' }, { tag: 'bearer', token: 'T' }],
    [
      { authorization: 'Basic T', cookie: 'holdfast-3000=C' },
      { tag: 'cookie', token: 'C' },
    ],
    [{}, { tag: 'none' }],
  ])('%j', (headers, credentials) => expect(credentialsOf(headers, own)).toEqual(credentials));
});
