/** From client to server: the handshake and one schema per request. `Up` is the union of all requests. */
import * as v from 'valibot';
import { Head, Millis, Offset } from '../entry.ts';
import { ClientOffset, RoomId, recordById, UserId } from '../ids.ts';
import { CURSORS_MAX_ROOMS, FEATURES_MAX, STORED_ROOMS, STRING_MAX_LENGTH } from '../limits.ts';
import { ItemTarget } from './items.ts';

export const Cursor = v.tuple([Head, Millis]);
/** The end of a client's log of a room: the offset, and the `at` of the entry there. A different `at` reveals a restored server. */
export type Cursor = v.InferOutput<typeof Cursor>;

/** The number of keys is checked before any of them is looked at. */
const cursors = v.pipe(
  v.unknown(),
  v.check(
    (c) => Object.keys(Object(c)).length <= CURSORS_MAX_ROOMS,
    `has more than ${CURSORS_MAX_ROOMS} rooms`,
  ),
  recordById(RoomId, Cursor),
);

/** A string of the protocol that is no id and no text of a person. */
const ShortString = v.pipe(v.string(), v.maxLength(STRING_MAX_LENGTH, 'is too long'));
export const Handshake = v.object({
  protocol: v.number(),
  as: v.optional(UserId),
  token: v.optional(ShortString),
  epoch: v.optional(ShortString),
  /** What the client can read. Without `entries2` the handshake is refused with `upgrade-required`. */
  features: v.optional(v.pipe(v.array(ShortString), v.maxLength(FEATURES_MAX, 'has too many features'))),
  cursors: v.optional(cursors),
  /** By room: an entry that the client holds beyond its cursor. If the server's log does not have it, it was restored (S1). */
  proofs: v.optional(cursors),
  open: v.optional(RoomId),
  /** The greatest `rev` of a user that the client knows: `welcome` lists the users who changed since. */
  usersSince: v.optional(Head),
  /** For how many minutes the oldest item of the outbox has waited. Absent: none waits. The server only counts it. */
  waiting: v.optional(Head),
});
export type Handshake = v.InferOutput<typeof Handshake>;

/** Items are parsed one by one, so that a bad item fails alone. */
export const Append = v.object({ as: UserId, items: v.array(v.unknown()) });
export const Range = v.object({ room: RoomId, from: Offset, to: Offset });
export const Read = v.object({ room: RoomId, upTo: Head });
export const Readers = v.object({ room: RoomId });
export const Reactors = v.object({ room: RoomId, target: Offset });
/** By room: the first and the last entry that the client has stored, with all between them. */
export const Stored = v.object({
  rooms: v.pipe(
    v.unknown(),
    v.check(
      (rooms) => Object.keys(Object(rooms)).length <= STORED_ROOMS,
      `has more than ${STORED_ROOMS} rooms`,
    ),
    recordById(
      RoomId,
      v.pipe(
        v.tuple([Offset, Offset]),
        v.check(([from, to]) => from <= to, 'ends before it begins'),
      ),
    ),
  ),
});
export const Reached = v.object({ room: RoomId, message: Offset });
export const Typing = v.object({ room: RoomId, typing: v.boolean() });
/** Nobody answers it. `here`: whether somebody looks at this page. */
export const Here = v.object({ here: v.boolean() });
/** `after`: the last member of the page before. `begins`: only members whose names begin so. */
export const Presence = v.object({
  room: RoomId,
  after: v.optional(UserId),
  begins: v.optional(ShortString),
});
/** Without `show` it only asks. */
export const PresenceShow = v.object({ show: v.optional(v.boolean()) });
/** The same of what the user has read. */
export const ReadersShow = v.object({ show: v.optional(v.boolean()) });
/** Marked for the bundler: otherwise a spread would stay in the service worker. */
/* @__NO_SIDE_EFFECTS__ */
function settingsWith<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.object({
    muted: v.optional(v.boolean()),
    pinned: v.optional(v.boolean()),
    hidden: v.optional(v.nullable(Head)),
    unread: v.optional(v.boolean()),
    blocked: v.optional(v.boolean()),
    ...entries,
  });
}

/**
 * What the user wants of one room. `muted`: its messages are counted, and shown, without emphasis. `pinned`: it is at the top of
 * the list. `hidden`: it is not in the list as long as it has no message after this serverOffset; null: it is in the list.
 * `unread`: marked by the user. `blocked`: of a direct conversation, the other one's messages are not shown. Absent: never chosen. Of two versions the one with the greater `rev` is current.
 */
export const RoomSettings = settingsWith({ rev: Head });
export type RoomSettings = v.InferOutput<typeof RoomSettings>;
export type RoomChoice = Omit<RoomSettings, 'rev'>;
/** Sets those that are given. `ago`: how long ago the user chose them, in milliseconds. */
export const RoomChoose = settingsWith({ room: RoomId, ago: v.optional(Millis, 0) });
/** `query`: only rooms whose name or description has it. */
export const RoomList = v.object({ after: v.optional(RoomId), query: v.optional(ShortString) });
/** The first message with `from` ≤ at < `to`. */
export const Day = v.object({ room: RoomId, from: Millis, to: Millis });
/** Whoever has this name, or this id. */
export const PersonAsked = v.union([v.object({ id: UserId }), v.object({ name: ShortString })]);
export const RoomGet = v.object({ room: RoomId });
export const RoomKind = v.picklist(['public', 'private', 'direct']);
export type RoomKind = v.InferOutput<typeof RoomKind>;
export const RoomJoin = v.object({
  room: RoomId,
  clientOffset: ClientOffset,
  invite: v.optional(ShortString),
});
export const RoomLeave = v.object({ room: RoomId, clientOffset: ClientOffset });
export const RoomRole = v.picklist(['owner', 'moderator', 'member']);
export type RoomRole = v.InferOutput<typeof RoomRole>;
export const RoomRoles = v.object({ room: RoomId });
/** `handsOn`: with `role: 'owner'`: whoever gives it becomes a moderator. */
export const RoomSetRole = v.object({
  room: RoomId,
  clientOffset: ClientOffset,
  user: UserId,
  role: RoomRole,
  handsOn: v.optional(v.boolean()),
});
/** `ban`: they cannot join again until that is lifted. */
export const RoomRemove = v.object({
  room: RoomId,
  clientOffset: ClientOffset,
  user: UserId,
  ban: v.optional(v.boolean()),
});
export const RoomUnban = v.object({ room: RoomId, clientOffset: ClientOffset, user: UserId });
/** One of the fields. */
export const RoomChange = v.object({
  room: RoomId,
  clientOffset: ClientOffset,
  name: v.optional(v.string()),
  description: v.optional(v.string()),
  announcements: v.optional(v.boolean()),
});
/** `on`: false unpins the message at `target`. */
export const RoomPin = v.object({
  room: RoomId,
  clientOffset: ClientOffset,
  target: ItemTarget,
  on: v.boolean(),
});
export const Beat = v.optional(v.unknown());

/** Event name → schema of the payload. All but `typing` and `here` are acknowledged. */
export const requests = {
  append: Append,
  range: Range,
  read: Read,
  readers: Readers,
  'readers:show': ReadersShow,
  stored: Stored,
  reached: Reached,
  reactors: Reactors,
  day: Day,
  typing: Typing,
  here: Here,
  presence: Presence,
  'presence:show': PresenceShow,
  'room:choose': RoomChoose,
  'room:list': RoomList,
  person: PersonAsked,
  'room:get': RoomGet,
  'room:join': RoomJoin,
  'room:leave': RoomLeave,
  'room:roles': RoomRoles,
  'room:role': RoomSetRole,
  'room:remove': RoomRemove,
  'room:unban': RoomUnban,
  'room:about': RoomChange,
  'room:pin': RoomPin,
  beat: Beat,
} as const;

export type RequestName = keyof typeof requests;
export type Request<Name extends RequestName> = v.InferOutput<(typeof requests)[Name]>;
export type Up = { [Name in RequestName]: { event: Name; payload: Request<Name> } }[RequestName];
