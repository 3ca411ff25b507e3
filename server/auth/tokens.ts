/** Tokens and claims: random, and kept as hashes only, so that a copy of the database signs nobody in. */
import { createHash } from 'node:crypto';

/** 256 bits as 43 characters of base64url. */
export function tokenFrom(bytes: Uint8Array): string {
  if (bytes.length !== TOKEN_BYTES) throw new RangeError(`a token is made of ${TOKEN_BYTES} bytes`);
  return Buffer.from(bytes).toString('base64url');
}

export const TOKEN_BYTES = 32;

/** A hash without salt or stretching is enough for what is random already. */
export function hashToken(token: string): string {
  return sha256(token);
}

/** Bound to the name: the same claim with another name is another claim. */
export function hashClaim(claim: string, nameKey: string): string {
  return sha256(`${claim} ${nameKey}`);
}

/** Saves a look into the store for what cannot be a token. */
export function looksLikeToken(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
