/** Passwords, kept as scrypt strings that carry their own parameters: `$scrypt$ln=15,r=8,p=3$salt$hash`. */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { PASSWORD_MAX_CODE_POINTS } from '../../shared/limits.ts';
import { codePoints } from '../../shared/text.ts';
import { RefusedError } from '../base/refusal.ts';
import { createSemaphore } from '../limits/semaphore.ts';

/** The same password however it was typed (NFC), 1 to 200 code points; else `invalid` or `too-large` is thrown. */
export function checkPassword(raw: string): string {
  const password = raw.toWellFormed().normalize('NFC');
  if (password === '') throw new RefusedError('invalid', 'A password needs at least one character.');
  if (codePoints(password) <= PASSWORD_MAX_CODE_POINTS) return password;
  throw new RefusedError('too-large', `A password holds ${PASSWORD_MAX_CODE_POINTS} characters.`);
}

/** `salt` is 16 random bytes. */
export async function hashPassword(password: string, salt: Uint8Array): Promise<string> {
  return write({
    ...WORK,
    salt: Buffer.from(salt),
    hash: await derive(password, { ...WORK, salt }, HASH_BYTES),
  });
}

/** False where no password was set, after just as much work: the time tells nobody which it was. */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const kept = read(stored ?? NOBODYS);
  const hash = await derive(password, kept, kept.hash.length);
  return timingSafeEqual(hash, kept.hash) && stored !== undefined;
}

export const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** OWASP's password storage cheat sheet, the row for 32 MiB: a small machine has that to spare, 128 MiB not. */
const WORK: Work = { ln: 15, r: 8, p: 3 };
const NOBODYS = write({ ...WORK, salt: Buffer.alloc(SALT_BYTES), hash: Buffer.alloc(HASH_BYTES) });

/** Two of the four threads that file reads, compression and name lookups share. */
const semaphore = createSemaphore(2, 100);

interface Work {
  /** The base-2 logarithm of scrypt's N. */
  ln: number;
  r: number;
  p: number;
}

interface Kept extends Work {
  salt: Buffer;
  hash: Buffer;
}

function derive(
  password: string,
  { ln, r, p, salt }: Work & { salt: Uint8Array },
  bytes: number,
): Promise<Buffer> {
  const N = 2 ** ln;
  return semaphore(
    () =>
      new Promise((resolve, reject) => {
        // Node's own bound is a little less than these parameters need.
        const options = { N, r, p, maxmem: 2 * 128 * N * r };
        scrypt(password, salt, bytes, options, (error, hash) => (error ? reject(error) : resolve(hash)));
      }),
  );
}

function write({ ln, r, p, salt, hash }: Kept): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

function read(stored: string): Kept {
  const match = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w-]+)\$([\w-]+)$/.exec(stored);
  if (!match) throw new Error('a stored password hash is not of our form');
  const [, ln, r, p, salt, hash] = match;
  return {
    ln: Number(ln),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt!, 'base64url'),
    hash: Buffer.from(hash!, 'base64url'),
  };
}
