/** Ids as they are read: schemas. How they are made is mint.ts, which the first paint needs without these. */
import * as v from 'valibot';
import { LOBBY } from './mint.ts';

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

/**
 * A record whose keys are room or user ids; any other key, `__proto__` too, makes it invalid. Without side effects: what of
 * the schemas a bundle does not use is left out of it.
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
