/** Schemas of ids. Ids are made in mint.ts, a file without schemas, which the first paint needs. */
import * as v from 'valibot';
import { directRoomOf, pairOf } from './directPair.ts';
import { LOBBY } from './mint.ts';

/** 16 bytes as base64url are 22 characters. The last one carries only two bits. */
const ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

export const Id = v.pipe(v.string(), v.regex(ID, 'must be 128 bits as 22 characters of base64url'));
export const UserId = Id;
export const DeviceId = Id;
export const ClientOffset = Id;
export const RoomId = v.pipe(
  v.string(),
  v.check((id) => id === LOBBY || ID.test(id) || isDirect(id), 'must be a room id'),
);

/** The id of a direct conversation: of two users, in their order. */
function isDirect(id: string): boolean {
  const [one = '', other = '', ...more] = pairOf(id) ?? [];
  return more.length === 0 && ID.test(one) && ID.test(other) && directRoomOf(one, other) === id;
}

/**
 * A record whose keys are room or user ids. Any other key, `__proto__` included, makes it invalid. The annotation lets a
 * bundler drop schemas that are not used.
 */
/* @__NO_SIDE_EFFECTS__ */
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
