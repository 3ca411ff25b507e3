import * as v from 'valibot';

/** The room every new user is a member of: the one room with a name for an id. */
export const LOBBY = 'lobby';

/** 16 bytes of base64url are 22 characters, the last of which carries two bits only. */
const ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

export const Id = v.pipe(v.string(), v.regex(ID, 'must be 128 bits as 22 characters of base64url'));
export const UserId = Id;
export const DeviceId = Id;
export const ClientOffset = Id;
export const RoomId = v.pipe(
  v.string(),
  v.check((id) => id === LOBBY || ID.test(id), 'must be a room id'),
);

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

/** A record whose keys are room or user ids; any other key, `__proto__` too, makes it invalid. */
export function recordById<const S extends v.GenericSchema>(key: v.GenericSchema<string>, value: S) {
  return v.pipe(
    v.custom<Record<string, unknown>>(isRecord, 'must be an object'),
    v.check((record) => Object.keys(record).every((k) => v.is(key, k)), 'has a key that is no id'),
    v.record(v.string(), value),
  );
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
