/** Makes ids. Without schemas, so that the first paint can use it. */

/** The room that every new user joins. It is the only room whose id is a word. */
export const LOBBY = 'lobby';

/** Encodes 16 random bytes as an id (base64url). The caller provides the randomness. Throws RangeError for other lengths. */
export function idFrom(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new RangeError('an id needs 16 bytes');
  let out = '';
  for (let i = 0; i < 16; i += 3) {
    const [a, b, c] = [bytes[i]!, bytes[i + 1], bytes[i + 2]];
    out += BASE64URL[a >> 2]! + BASE64URL[((a & 3) << 4) | ((b ?? 0) >> 4)]!;
    if (b !== undefined) out += BASE64URL[((b & 15) << 2) | ((c ?? 0) >> 6)]!;
    if (c !== undefined) out += BASE64URL[c & 63]!;
  }
  return out;
}

export const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
