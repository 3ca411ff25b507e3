/** Who you are, over HTTP: `POST`, `GET` and `DELETE /api/session`, `PUT /api/name`, `PUT /api/password`. */
import * as v from 'valibot';
import { DeviceId, Id } from '../ids.ts';
import { User } from './down.ts';

export const SessionRequest = v.object({
  name: v.string(),
  password: v.optional(v.string()),
  /** 128 random bits that the client keeps until it is answered: the same claim and name is the same user and device. */
  claim: Id,
  credential: v.picklist(['cookie', 'token']),
  /** A user's id: only that one is signed in again. Nobody is made, and where there is no such user it is `not-found`. */
  as: v.optional(Id),
});
export type SessionRequest = v.InferOutput<typeof SessionRequest>;

/** `devices`: how many this user is signed in on. With one left and no password, signing out is for good. */
export const Session = v.object({
  user: User,
  device: v.object({ id: DeviceId }),
  hasPassword: v.boolean(),
  devices: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** As in `welcome`. */
  features: v.optional(v.array(v.string()), []),
});
export type Session = v.InferOutput<typeof Session>;

export const SessionAnswer = v.object({ ...Session.entries, token: v.optional(v.string()) });
export type SessionAnswer = v.InferOutput<typeof SessionAnswer>;

export const NameRequest = v.object({ name: v.string() });
export const NameAnswer = v.object({ user: User });

/** `current` is needed where a password is set already. */
export const PasswordRequest = v.object({ password: v.string(), current: v.optional(v.string()) });
