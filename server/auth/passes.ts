/**
 * One-time passes, by which somebody who is signed in comes in on another device (docs/SECURITY.md, "One-time passes"). Two
 * kinds: a `link` of 128 random bits, for machines; a `code` of 30 bits, which people read and type. Pure.
 */
import { hash } from 'node:crypto';
import { CODE_LENGTH } from '../../shared/limits.ts';
import type { OneTimePass } from '../store/port.ts';

type Kind = OneTimePass['kind'];

/** Crockford's 32 symbols: no I, L, O and U. */
const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** How many of a user are valid at the same time. A browser may fetch the manifest more than once before it uses one. */
export const PASSES_KEPT: Record<Kind, number> = { link: 4, code: 1 };

/** `bytes`: CODE_LENGTH random ones. 32 divides 256, so all codes are equally likely. */
export function codeFrom(bytes: Uint8Array): string {
  if (bytes.length !== CODE_LENGTH) throw new RangeError(`a code needs ${CODE_LENGTH} bytes`);
  const symbols = [...bytes].map((byte) => SYMBOLS[byte % SYMBOLS.length]).join('');
  const half = CODE_LENGTH / 2;
  return `${symbols.slice(0, half)}-${symbols.slice(half)}`;
}

/** Undefined for a text that is neither. A code may be typed in any case and width, with the letters that look like digits. */
export function readPass(text: string): { kind: Kind; hash: string } | undefined {
  if (/^[\w-]{21}[AQgw]$/.test(text)) return { kind: 'link', hash: hashPass(text) };
  if (text.length > TYPED_MAX_LENGTH) return undefined;
  const typed = text
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s\p{P}]/gu, '');
  const code = typed.replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  const isCode = code.length === CODE_LENGTH && [...code].every((symbol) => SYMBOLS.includes(symbol));
  return isCode ? { kind: 'code', hash: hashPass(code) } : undefined;
}

/** Of a link, or of a code without its hyphen. */
export function hashPass(pass: string): string {
  return hash('sha256', `pass ${pass}`, 'base64url');
}

const TYPED_MAX_LENGTH = 40;
