/** Password hashing with scrypt. Callers limit how much of it runs at once: it uses threads of libuv's pool and 32 MiB each. A stored hash contains its parameters: `$scrypt$ln=15,r=8,p=3$salt$hash`. */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { PASSWORD_MAX_CODE_POINTS } from '../../shared/limits.ts';
import { codePoints } from '../../shared/text.ts';
import { RefusedError } from '../base/refusal.ts';

/** Normalizes a password (NFC), so that all keyboards give the same one. Throws `invalid` or `too-large` if it does not have 1 to 200 code points. */
export function checkPassword(raw: string): string {
  if (raw.length > RAW_MAX_LENGTH) throw tooLong();
  const password = raw.toWellFormed().normalize('NFC');
  if (password === '') throw new RefusedError('invalid', 'A password needs at least one character.');
  if (codePoints(password) <= PASSWORD_MAX_CODE_POINTS) return password;
  throw tooLong();
}

/** In UTF-16 units, before it is normalized, which takes time by the square of a run of combining marks. */
const RAW_MAX_LENGTH = 8 * PASSWORD_MAX_CODE_POINTS;

function tooLong(): RefusedError {
  return new RefusedError('too-large', `A password has at most ${PASSWORD_MAX_CODE_POINTS} characters.`);
}

/** `salt` is 16 random bytes. */
export async function hashPassword(password: string, salt: Uint8Array): Promise<string> {
  return format({
    ...WORK,
    salt: Buffer.from(salt),
    hash: await derive(password, { ...WORK, salt }, HASH_BYTES),
  });
}

/** False if no password is set, after the same amount of work: the timing does not reveal which users have one. */
export async function verifyPassword(password: string, stored: string | undefined): Promise<boolean> {
  const parsed = parse(stored ?? DUMMY_HASH);
  const hash = await derive(password, parsed, parsed.hash.length);
  return timingSafeEqual(hash, parsed.hash) && stored !== undefined;
}

export const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** OWASP's password storage cheat sheet, the row for 32 MiB: a small machine can spare that, but not 128 MiB. */
const WORK: Work = { ln: 15, r: 8, p: 3 };
const DUMMY_HASH = format({ ...WORK, salt: Buffer.alloc(SALT_BYTES), hash: Buffer.alloc(HASH_BYTES) });

interface Work {
  /** The base-2 logarithm of scrypt's N. */
  ln: number;
  r: number;
  p: number;
}

interface StoredHash extends Work {
  salt: Buffer;
  hash: Buffer;
}

function derive(
  password: string,
  { ln, r, p, salt }: Work & { salt: Uint8Array },
  bytes: number,
): Promise<Buffer> {
  const N = 2 ** ln;
  return new Promise((resolve, reject) => {
    // Node's default limit is slightly below what these parameters need.
    const options = { N, r, p, maxmem: 2 * 128 * N * r };
    scrypt(password, salt, bytes, options, (error, hash) => (error ? reject(error) : resolve(hash)));
  });
}

function format({ ln, r, p, salt, hash }: StoredHash): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

function parse(stored: string): StoredHash {
  const match = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w-]+)\$([\w-]+)$/.exec(stored);
  if (!match) throw new Error('a stored password hash has an unknown format');
  const [, ln, r, p, salt, hash] = match;
  return {
    ln: Number(ln),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt!, 'base64url'),
    hash: Buffer.from(hash!, 'base64url'),
  };
}
