/** Bodies of the HTTP routes for sign-in, name and password: `/api/session`, `/api/code`, `/api/name`, `/api/password`. */
import * as v from 'valibot';
import { Millis } from '../entry.ts';
import { DeviceId, Id } from '../ids.ts';
import { STRING_MAX_LENGTH } from '../limits.ts';
import { User } from './down.ts';

export const SessionRequest = v.object({
  name: v.string(),
  password: v.optional(v.string()),
  /** The recovery code of the user, in place of the password. Signs in and never signs up. */
  recovery: v.optional(Id),
  /** With `recovery`: signs out all other devices of the user. */
  signOutOthers: v.optional(v.boolean()),
  /** An idempotency key of 128 random bits: a retry with the same claim and name is the same user and device. */
  claim: Id,
  credential: v.picklist(['cookie', 'token']),
  /** The token or code of an invitation, with which somebody new signs up where the server asks for one. */
  invite: v.optional(v.pipe(v.string(), v.maxLength(STRING_MAX_LENGTH))),
  /** A user id: signs in this user again and never signs up. `not-found` if there is no such user. */
  as: v.optional(Id),
});
export type SessionRequest = v.InferOutput<typeof SessionRequest>;

/** `devices`: on how many the user is signed in. With one device and no password, signing out is final. */
export const Session = v.object({
  user: User,
  device: v.object({ id: DeviceId }),
  hasPassword: v.boolean(),
  /** Older servers do not say it. */
  hasRecoveryCode: v.optional(v.boolean()),
  devices: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** `keeper`, or `first`: there is no keeper yet, and this user may become one. A newer server may have other roles. */
  role: v.optional(v.string()),
  /** As in `welcome`. */
  features: v.optional(v.array(v.string()), []),
});
export type Session = v.InferOutput<typeof Session>;

export const SessionAnswer = v.object({ ...Session.entries, token: v.optional(v.string()) });
export type SessionAnswer = v.InferOutput<typeof SessionAnswer>;

/** Signs in a new device by a one-time pass or code, which another device of the user has made. `claim`: as in `SessionRequest`. */
export const PassRequest = v.object({
  pass: v.string(),
  claim: Id,
  credential: v.picklist(['cookie', 'token']),
});
export type PassRequest = v.InferOutput<typeof PassRequest>;

/** A code such as `K7Q-M4P`, valid once and until then, by the server's clock. */
export const CodeAnswer = v.object({ code: v.string(), expiresAt: Millis });
export type CodeAnswer = v.InferOutput<typeof CodeAnswer>;

/** A new recovery code, which replaces the last one. The server keeps a hash. */
export const RecoveryCodeAnswer = v.object({ code: Id });
export type RecoveryCodeAnswer = v.InferOutput<typeof RecoveryCodeAnswer>;

/** Asks to come back as the user with this name. */
export const ComeBackAsk = v.object({ name: v.string() });

/** `request`: a secret, by which the device that asked comes in once a keeper has approved. `number`: for the keeper's ear. */
export const ComeBackAsked = v.object({ request: Id, number: v.string(), expiresAt: Millis });
export type ComeBackAsked = v.InferOutput<typeof ComeBackAsked>;

export const ComeBackLook = v.object({ request: Id });
/** A request that is not known any more, or has expired, is `not-found`. */
export const ComeBackState = v.object({ state: v.picklist(['waiting', 'approved', 'refused']) });
export type ComeBackState = v.InferOutput<typeof ComeBackState>;

/** What a keeper sees of a request. */
export const WaitingRequest = v.object({
  id: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)),
  user: User,
  number: v.string(),
  createdAt: Millis,
  expiresAt: Millis,
});
export type WaitingRequest = v.InferOutput<typeof WaitingRequest>;

export const WaitingRequests = v.object({ requests: v.array(WaitingRequest) });
export type WaitingRequests = v.InferOutput<typeof WaitingRequests>;

/** `signOutOthers`: signs out all devices on which the user is signed in now. */
export const ComeBackDecision = v.object({ approve: v.boolean(), signOutOthers: v.optional(v.boolean()) });
export type ComeBackDecision = v.InferOutput<typeof ComeBackDecision>;

/** What a keeper sees of a person. `devices`: on how many they are signed in. `seenAt`: when one was used last, exact to a day. */
export const Person = v.object({
  user: User,
  devices: v.number(),
  seenAt: v.optional(Millis),
  keeper: v.boolean(),
  suspended: v.optional(v.literal(true)),
});
export type Person = v.InferOutput<typeof Person>;

export const PeopleAnswer = v.object({ people: v.array(Person) });
export type PeopleAnswer = v.InferOutput<typeof PeopleAnswer>;

/** What a keeper changes of a person. `signOut`: all their devices, but the one that asks. `suspend`: true suspends them, false lifts that. */
export const PersonChange = v.object({
  name: v.optional(v.string()),
  keeper: v.optional(v.boolean()),
  signOut: v.optional(v.boolean()),
  suspend: v.optional(v.boolean()),
});
export type PersonChange = v.InferOutput<typeof PersonChange>;

/** For keepers. Absent where the database is on another machine. */
export const ServerState = v.object({
  freeBytes: v.optional(v.number()),
  totalBytes: v.optional(v.number()),
});
export type ServerState = v.InferOutput<typeof ServerState>;

/** One device on which the user is signed in. `seenAt` is exact to a day. `current`: the device that asks. */
export const Device = v.object({ id: DeviceId, createdAt: Millis, seenAt: Millis, current: v.boolean() });
export type Device = v.InferOutput<typeof Device>;

export const DevicesAnswer = v.object({ devices: v.array(Device) });
export type DevicesAnswer = v.InferOutput<typeof DevicesAnswer>;

export const NameRequest = v.object({ name: v.string() });
export const NameAnswer = v.object({ user: User });

/** `current` is required if a password is set already. */
export const PasswordRequest = v.object({ password: v.string(), current: v.optional(v.string()) });
