import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashPassword, verifyPassword } from '../../../server/auth/passwords.ts';

test('a password is stored as a salted scrypt hash with its parameters', async () => {
  const [one, other] = await Promise.all([
    hashPassword('secret', randomBytes(16)),
    hashPassword('secret', randomBytes(16)),
  ]);
  expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$[\w-]{22}\$[\w-]{43}$/);
  expect(one).not.toBe(other);
  expect(await verifyPassword('secret', one)).toBe(true);
  expect(await verifyPassword('Secret', one)).toBe(false);
});

test('a hash with other parameters is still verified', async () => {
  const weak = '$scrypt$ln=4,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$';
  const { scryptSync } = await import('node:crypto');
  const hash = scryptSync('old', Buffer.alloc(16), 32, { N: 16, r: 8, p: 1 }).toString('base64url');
  expect(await verifyPassword('old', weak + hash)).toBe(true);
});

test('without a stored hash every password is wrong', async () => {
  expect(await verifyPassword('anything', undefined)).toBe(false);
});
