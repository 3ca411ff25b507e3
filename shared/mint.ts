/** Ids as they are made. */

/** The room every new user is a member of: the one room with a name for an id. */
export const LOBBY = 'lobby';

/** Writes 16 random bytes as an id. The caller brings the randomness. */
export function idFrom(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError('an id is made of 16 bytes');
  let out = '';
  for (let i = 0; i < 16; i += 3) {
    const [a, b, c] = [bytes[i]!, bytes[i + 1], bytes[i + 2]];
    out += DIGITS[a >> 2]! + DIGITS[((a & 3) << 4) | ((b ?? 0) >> 4)]!;
    if (b !== undefined) out += DIGITS[((b & 15) << 2) | ((c ?? 0) >> 6)]!;
    if (c !== undefined) out += DIGITS[c & 63]!;
  }
  return out;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
