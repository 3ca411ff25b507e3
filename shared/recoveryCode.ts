/**
 * How people see and write a recovery code, which is 128 bits: as twelve groups of four digits. The 48 digits are the number
 * times SLIP_PRIME, which is less than 10^48. So a slip of the pen is noticed before anybody is asked: no wrong digit and no
 * two swapped ones give a multiple of the prime again, and other slips do by a chance of one in a thousand million.
 *
 * Digits, since every keyboard and every language has them, and a phone needs no switch between letters and digits.
 */
import { BASE64URL } from './mint.ts';

export type ReadRecoveryCode =
  /** `id`: as it is sent, in the form of an id (ids.ts). */
  | { tag: 'code'; id: string }
  /** Not `RECOVERY_DIGITS` digits, or something else beside them. */
  | { tag: 'incomplete'; digits: number }
  /** As many digits as a code has, and not those of a code. */
  | { tag: 'slip' };

const GROUPS = 12;
const DIGITS_OF_GROUP = 4;
export const RECOVERY_DIGITS = GROUPS * DIGITS_OF_GROUP;

const SLIP_PRIME = 1_000_000_007n;
const BITS_MAX = 128n;

/** `id`: 128 bits in the form of an id. */
export function recoveryGroups(id: string): string[] {
  const digits = String(numberOf(id) * SLIP_PRIME).padStart(RECOVERY_DIGITS, '0');
  return Array.from({ length: GROUPS }, (_, n) =>
    digits.slice(n * DIGITS_OF_GROUP, (n + 1) * DIGITS_OF_GROUP),
  );
}

/** Digits of any width, with spaces, line breaks and punctuation anywhere. */
export function readRecoveryCode(typed: string): ReadRecoveryCode {
  if (typed.length > TYPED_MAX_LENGTH) return { tag: 'incomplete', digits: typed.length };
  const text = typed.normalize('NFKC').replaceAll(/[\s\p{P}\p{Cf}]/gu, '');
  const digits = text.replaceAll(/\D/g, '');
  if (digits.length !== RECOVERY_DIGITS || digits !== text)
    return { tag: 'incomplete', digits: digits.length };
  const product = BigInt(digits);
  const number = product / SLIP_PRIME;
  if (product % SLIP_PRIME !== 0n || number >> BITS_MAX > 0n) return { tag: 'slip' };
  return { tag: 'code', id: idOf(number) };
}

/** Of the 22 characters the last one has four bits that are always 0. */
function numberOf(id: string): bigint {
  let bits = 0n;
  for (const character of id) bits = (bits << 6n) | BigInt(BASE64URL.indexOf(character));
  return bits >> 4n;
}

function idOf(number: bigint): string {
  const bits = number << 4n;
  return Array.from({ length: 22 }, (_, n) => BASE64URL[Number((bits >> BigInt(6 * (21 - n))) & 63n)]).join(
    '',
  );
}

const TYPED_MAX_LENGTH = 500;
