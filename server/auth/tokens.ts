/** Tokens and claims. Both are random and stored only as hashes, so that a copy of the database contains no credentials. */
import { hash } from 'node:crypto';

/** 256 random bits as 43 characters of base64url. */
export function tokenFrom(bytes: Uint8Array): string {
  if (bytes.length !== TOKEN_BYTES) throw new RangeError(`a token needs ${TOKEN_BYTES} bytes`);
  return Buffer.from(bytes).toString('base64url');
}

export const TOKEN_BYTES = 32;

/** No salt and no key stretching: a token is random and long. */
export function hashToken(token: string): string {
  return sha256(token);
}

/** The name is hashed too: the same claim with another name is another claim. */
export function hashClaim(claim: string, nameKey: string): string {
  return sha256(`${claim} ${nameKey}`);
}

/** Of a recovery code: 128 random bits. */
export function hashRecovery(code: string): string {
  return sha256(`recovery ${code}`);
}

/** Saves a query for strings that cannot be a token. */
export function looksLikeToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}
