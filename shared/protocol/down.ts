/**
 * From server to client: errors, one schema per frame and one per acknowledgement. `Down` is the union of all frames.
 */
import * as v from 'valibot';
import { Entry, Head, Millis, Offset } from '../entry.ts';
import { RoomId, recordById, UserId } from '../ids.ts';
import { type RequestName, RoomKind, RoomRole, RoomSettings } from './up.ts';

/**
 * `retryAfter` in milliseconds. `code` and `reason` are any string: a newer server may have some that this client does not
 * know. `reason` is a `RefusalReason`, if any.
 */
export const WireError = v.object({
  code: v.string(),
  message: v.string(),
  retryAfter: v.optional(v.pipe(v.number(), v.minValue(0))),
  reason: v.optional(v.string()),
});
export type WireError = v.InferOutput<typeof WireError>;

/** The answer to a request that failed. */
export const Refusal = v.object({ ok: v.literal(false), error: WireError });
export type Refusal = v.InferOutput<typeof Refusal>;

/** `rev`: the revision of the user's data. Of two versions the one with the greater `rev` is current. 0 before any change. */
const named = { name: v.string(), rev: v.optional(Head, 0) };
export const User = v.object({ id: UserId, ...named });
export type User = v.InferOutput<typeof User>;

/**
 * What owners and moderators have changed of a room, beside its name. `upTo`: the serverOffset of the newest entry that changed
 * something, also its name: of two versions the one with the greater `upTo` is current.
 */
export const AboutRoom = v.object({
  upTo: Head,
  description: v.optional(v.string()),
  announcements: v.optional(v.boolean()),
  /** 0: none, or not any more. */
  pinned: v.optional(Head),
});

/**
 * A room as a member sees it. `from`: the first offset of its catch-up; head + 1 if there is nothing to catch up. `members`:
 * how many. `unread`: messages of others after `readUpTo` that are not deleted, at most 100; absent if not counted. `older`:
 * the offset at which the newest ten messages before `from` begin; only if the catch-up has fewer than ten messages and there
 * are older ones. `with`: in a direct conversation, the other one, whose name the room has.
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
  with: v.optional(User),
  /** Messages of others after `readUpTo` that mention the user and are not deleted: the oldest ones, ascending. */
  mentions: v.optional(v.array(Offset)),
  /** Absent: the user has never chosen any. */
  settings: v.optional(RoomSettings),
  /** Absent: nobody has changed anything. */
  about: v.optional(AboutRoom),
});
export type Room = v.InferOutput<typeof Room>;

/** By id. Unknown fields are kept. A server of version 0.1 sends only the name, as a string. */
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

/** A room that the server cannot read now. `welcome` is sent all the same; a `room` frame follows when it can be read. */
export const FailedRoom = v.object({ id: RoomId, error: WireError });
export type FailedRoom = v.InferOutput<typeof FailedRoom>;

export const Welcome = v.object({
  protocol: v.number(),
  epoch: v.string(),
  now: Millis,
  user: User,
  /** The kinds that this server accepts beyond those that every server accepts. */
  features: v.optional(v.array(v.string()), []),
  rooms: v.array(Room),
  failed: v.optional(v.array(FailedRoom), []),
  /** Rooms of the client's cursors from which somebody has removed the user. */
  gone: v.optional(v.array(v.object({ id: RoomId, reason: v.string() }))),
  /** The members of the user's rooms who changed since `usersSince`: complete up to the revision `usersUpTo`. */
  users: v.optional(Users, {}),
  usersUpTo: v.optional(Head, 0),
});
export type Welcome = v.InferOutput<typeof Welcome>;

/**
 * A message to which a reply elsewhere in the frame refers, as it stands now: the beginning of its text, and the replacement
 * from which that comes. Without `body` it was deleted.
 */
export const Quote = v.object({
  serverOffset: Offset,
  body: v.optional(v.string()),
  replacedBy: v.optional(Offset),
});
export type Quote = v.InferOutput<typeof Quote>;
const quotes = v.optional(v.array(Quote));

/** One emoji among the reactions to a message. `by`: the first people of `count`. */
export const ReactionCount = v.object({
  emoji: v.string(),
  count: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  by: v.array(UserId),
});
export type ReactionCount = v.InferOutput<typeof ReactionCount>;

/**
 * The reactions to the message at `target`, counted up to the reaction at `asOf`: of two, the one with the greater `asOf` holds.
 * `mine`: the emoji of the client's user; absent in live frames, which are the same for all.
 */
export const Reactions = v.object({
  target: Offset,
  asOf: Offset,
  counts: v.array(ReactionCount),
  mine: v.optional(v.array(v.string())),
});
export type Reactions = v.InferOutput<typeof Reactions>;
const reactions = v.optional(v.array(Reactions));

export const Entries = v.object({ room: RoomId, entries: v.array(Entry), users: Users, quotes, reactions });
export type Entries = v.InferOutput<typeof Entries>;
export const Heads = recordById(RoomId, Head);
export const TypingFrame = v.object({ room: RoomId, user: UserId, typing: v.boolean() });
export const ReadFrame = v.object({ room: RoomId, user: UserId, upTo: Head });
/** Read markers by user. `again`: somebody hides theirs from now on, or does not any more, so the client should ask again. */
export const ReadersFrame = v.object({
  room: RoomId,
  readers: recordById(UserId, Head),
  again: v.optional(v.literal(true)),
});
/** To all devices of the user who chose them. */
export const SettingsFrame = v.object({ room: RoomId, settings: RoomSettings });
/** `seenAt`: when they were here last. Neither: that is not known, or they do not show it. */
export const PersonPresence = v.object({
  here: v.optional(v.literal(true)),
  seenAt: v.optional(Millis),
});
export type PersonPresence = v.InferOutput<typeof PersonPresence>;
const people = recordById(UserId, PersonPresence);
/** Members of the room that was asked for last, who came or went; or that the client should ask again. */
export const PresenceFrame = v.union([
  v.object({ room: RoomId, people }),
  v.object({ again: v.literal(true) }),
]);
export const RoomFrame = v.union([
  v.object({ room: Room }),
  v.object({ removed: RoomId, reason: v.optional(v.string()) }),
  v.object({ failed: FailedRoom }),
]);
/** A member of one of the user's rooms changed, for example their name. */
export const UserFrame = v.object({ user: User });
export const Bye = v.object({ retryAfter: v.pipe(v.number(), v.minValue(0)) });

/** Event name → schema of the payload. */
export const frames = {
  welcome: Welcome,
  entries: Entries,
  heads: Heads,
  typing: TypingFrame,
  read: ReadFrame,
  readers: ReadersFrame,
  presence: PresenceFrame,
  settings: SettingsFrame,
  room: RoomFrame,
  user: UserFrame,
  bye: Bye,
} as const;

export type FrameName = keyof typeof frames;
export type Frame<Name extends FrameName> = v.InferOutput<(typeof frames)[Name]>;
export type Down = { [Name in FrameName]: { event: Name; payload: Frame<Name> } }[FrameName];

const answered = { ok: v.literal(true), epoch: v.string() };

/** Marked for the bundler: otherwise spreads of answers that the service worker does not use would stay in it. */
/* @__NO_SIDE_EFFECTS__ */
function answerWith<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.object({ ...answered, ...entries });
}

/** `clientOffset` is copied from the item; of an invalid item it can be any string. */
export const ItemResult = v.union([
  v.object({ clientOffset: v.string(), serverOffset: Offset, at: Millis }),
  v.object({ clientOffset: v.string(), error: WireError }),
]);
export type ItemResult = v.InferOutput<typeof ItemResult>;

/** One result per item, in order. Fewer if the server stopped at a transient error, which is `stopped`. */
export const Appended = answerWith({
  results: v.array(ItemResult),
  stopped: v.optional(WireError),
});
export const Ranged = answerWith({
  entries: v.array(Entry),
  amendments: v.array(Entry),
  users: Users,
  quotes,
  reactions,
  head: Head,
  /** As in `Room`: where the newest ten messages before this answer begin, if it has fewer than ten. */
  older: v.optional(Offset),
});
export const Listed = answerWith({ rooms: v.array(Room), next: v.optional(RoomId) });
/** `since`: when the user signed up. `rooms`: those that they share with whoever asks. Both where the id was asked for. */
export const PersonAnswer = answerWith({
  user: User,
  since: v.optional(Millis),
  rooms: v.optional(v.array(RoomId)),
});
export const RoomAnswer = answerWith({ room: Room });
export const Done = v.object(answered);
/** `readers`: by member, how far they have read; empty in a room with too many members. */
export const ReadersAnswer = answerWith({
  readers: recordById(UserId, Head),
  users: Users,
  hiding: v.optional(v.array(UserId)),
  hidden: v.optional(v.literal(true)),
});
/** `next`: the `after` of the next page. `hidden`: the asker hides, and so does not see it of others. */
export const PresenceAnswer = answerWith({
  people,
  users: Users,
  next: v.optional(UserId),
  hidden: v.optional(v.literal(true)),
});
export const ChosenAnswer = answerWith({ settings: RoomSettings });
export const PresenceShown = answerWith({ shown: v.boolean() });
/** `by`: members whose devices have stored the message; absent where nobody may know. */
export const ReachedAnswer = answerWith({ by: v.optional(v.array(UserId)) });
export const ReadersShown = answerWith({ shown: v.boolean() });
/** Absent: nobody wrote then. */
export const DayAnswer = answerWith({ serverOffset: v.optional(Offset) });
/** Who reacted to a message, by emoji in the order of the first one; at most REACTORS_MAX. */
export const ReactorsAnswer = answerWith({
  reactions: v.array(v.object({ emoji: v.string(), by: v.array(UserId) })),
  users: Users,
});
/** `roles`: of those who are more than members. `own`: what the asker may do, in the lobby also as a keeper. `banned`: for moderators. */
export const RolesAnswer = answerWith({
  roles: recordById(UserId, RoomRole),
  own: RoomRole,
  banned: v.optional(v.array(UserId)),
  users: Users,
});
export const BeatAnswer = answerWith({ now: Millis });

/** Request name → schema of the acknowledgement if the request succeeded. Otherwise it is a `Refusal`. */
export const answers = {
  append: Appended,
  range: Ranged,
  read: Done,
  readers: ReadersAnswer,
  presence: PresenceAnswer,
  'presence:show': PresenceShown,
  'readers:show': ReadersShown,
  stored: Done,
  reached: ReachedAnswer,
  reactors: ReactorsAnswer,
  day: DayAnswer,
  'room:choose': ChosenAnswer,
  'room:list': Listed,
  person: PersonAnswer,
  'room:get': RoomAnswer,
  'room:join': RoomAnswer,
  'room:leave': Done,
  'room:roles': RolesAnswer,
  'room:role': Done,
  'room:remove': Done,
  'room:unban': Done,
  'room:about': Done,
  'room:pin': Done,
  beat: BeatAnswer,
} as const satisfies Record<Exclude<RequestName, 'typing' | 'here'>, v.GenericSchema>;

export type AnsweredName = keyof typeof answers;
export type Answer<Name extends AnsweredName> = v.InferOutput<(typeof answers)[Name]>;
export type Acknowledgement<Name extends AnsweredName> = Answer<Name> | Refusal;
