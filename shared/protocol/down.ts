/** What a server says: one schema per frame and per acknowledgement. `Down` is the union of the frames. */
import * as v from 'valibot';
import { Entry, Head, Millis, Offset } from '../entry.ts';
import { RoomId, recordById, UserId } from '../ids.ts';
import { type Refusal, WireError } from './errors.ts';
import { type RequestName, RoomKind } from './up.ts';

/** `rev`: of what can change about a user; the greatest holds. 0 until something did. */
const named = { name: v.string(), rev: v.optional(Head, 0) };
export const User = v.object({ id: UserId, ...named });
export type User = v.InferOutput<typeof User>;

/**
 * A room as its member sees it. `from`: where its catch-up begins, head + 1 when there is none. `members`: a count.
 * `unread`: messages of others after `readUpTo` that were not deleted, at most 100; absent where it is not counted.
 * `older`: where the newest ten messages before `from` begin; present where the catch-up has fewer than ten and there are
 * such messages.
 */
export const Room = v.object({
  id: RoomId,
  kind: RoomKind,
  name: v.string(),
  head: Head,
  from: Offset,
  reset: v.optional(v.literal(true)),
  readUpTo: Head,
  members: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  unread: v.optional(Head),
  older: v.optional(Offset),
});
export type Room = v.InferOutput<typeof Room>;

/** By id. Loose: fields that this version does not know are kept. A server of version 0.1 says the name alone. */
export const Users = recordById(
  UserId,
  v.union([
    v.looseObject(named),
    v.pipe(
      v.string(),
      v.transform((name) => ({ name, rev: 0 })),
    ),
  ]),
);
export type Users = Record<string, { name: string; rev: number }>;

/** A room that cannot be read now: its members are welcomed all the same, and `room` comes when it can. */
export const FailedRoom = v.object({ id: RoomId, error: WireError });
export type FailedRoom = v.InferOutput<typeof FailedRoom>;

export const Welcome = v.object({
  protocol: v.number(),
  epoch: v.string(),
  now: Millis,
  user: User,
  /** What this server takes beyond the kinds that every server takes. */
  features: v.optional(v.array(v.string()), []),
  rooms: v.array(Room),
  failed: v.optional(v.array(FailedRoom), []),
  /** Who changed since `usersSince`, of the people in one's rooms; all changes up to `usersUpTo` are among them. */
  users: v.optional(Users, {}),
  usersUpTo: v.optional(Head, 0),
});
export type Welcome = v.InferOutput<typeof Welcome>;

export const Entries = v.object({ room: RoomId, entries: v.array(Entry), users: Users });
export type Entries = v.InferOutput<typeof Entries>;
export const Heads = recordById(RoomId, Head);
export const TypingFrame = v.object({ room: RoomId, user: UserId, typing: v.boolean() });
export const ReadFrame = v.object({ room: RoomId, user: UserId, upTo: Head });
export const RoomFrame = v.union([
  v.object({ room: Room }),
  v.object({ removed: RoomId }),
  v.object({ failed: FailedRoom }),
]);
/** Somebody in one's rooms changed. */
export const UserFrame = v.object({ user: User });
export const Bye = v.object({ retryAfter: v.pipe(v.number(), v.minValue(0)) });

/** Event name → schema of its payload. */
export const frames = {
  welcome: Welcome,
  entries: Entries,
  heads: Heads,
  typing: TypingFrame,
  read: ReadFrame,
  room: RoomFrame,
  user: UserFrame,
  bye: Bye,
} as const;

export type FrameName = keyof typeof frames;
export type Frame<Name extends FrameName> = v.InferOutput<(typeof frames)[Name]>;
export type Down = { [Name in FrameName]: { event: Name; payload: Frame<Name> } }[FrameName];

const answered = { ok: v.literal(true), epoch: v.string() };

/** `clientOffset` is what the item said, which may be anything when the item was bad. */
export const ItemResult = v.union([
  v.object({ clientOffset: v.string(), serverOffset: Offset, at: Millis }),
  v.object({ clientOffset: v.string(), error: WireError }),
]);
export type ItemResult = v.InferOutput<typeof ItemResult>;

/** A result per item, in order; fewer when the server stopped at something transient. */
export const Appended = v.object({
  ...answered,
  results: v.array(ItemResult),
  stopped: v.optional(WireError),
});
export const Ranged = v.object({
  ...answered,
  entries: v.array(Entry),
  amendments: v.array(Entry),
  users: Users,
  head: Head,
  /** Where the newest ten messages before the answer begin; present where it has fewer than ten and there are such. */
  older: v.optional(Offset),
});
export const Listed = v.object({ ...answered, rooms: v.array(Room), next: v.optional(RoomId) });
export const RoomAnswer = v.object({ ...answered, room: Room });
export const Done = v.object(answered);
export const BeatAnswer = v.object({ ...answered, now: Millis });

/** Request name → schema of its acknowledgement when it went well; otherwise it is a `Refusal`. */
export const answers = {
  append: Appended,
  range: Ranged,
  read: Done,
  'room:list': Listed,
  'room:create': RoomAnswer,
  'room:join': RoomAnswer,
  'room:leave': Done,
  beat: BeatAnswer,
} as const satisfies Record<Exclude<RequestName, 'typing'>, v.GenericSchema>;

export type AnsweredName = keyof typeof answers;
export type Answer<Name extends AnsweredName> = v.InferOutput<(typeof answers)[Name]>;
export type Acknowledgement<Name extends AnsweredName> = Answer<Name> | Refusal;
