/**
 * The interface between the server and its database. There are two adapters (sqlite/, mongo/); one contract suite
 * (test/contract) runs against each. Every method may reject with `Unavailable`, and with nothing else that callers must
 * handle. Times are milliseconds of the server's clock.
 */
import { randomBytes } from 'node:crypto';
import type { RoomAbout } from '../../shared/aboutRoom.ts';
import type { Entry } from '../../shared/entry.ts';
import { idFrom } from '../../shared/mint.ts';
import type { Reactions, RoomChoice, RoomKind, RoomRole, RoomSettings } from '../../shared/protocol/index.ts';
import { Unavailable, Unusable } from '../base/refusal.ts';
import type { QueueState } from './callQueue.ts';

export { Unavailable, Unusable };

export interface Store {
  /** A random id of this database. `npm run restore` changes it, so that clients notice that logs may have gone back. */
  readonly epoch: string;

  /**
   * False while only the first five kinds of entries may be written, because a process of an older version may still read
   * this database. May become true while the store is open.
   */
  takesNewKinds(): boolean;
  /**
   * True while another process copies this database to another one, which takes its place: what is acknowledged then must be
   * stored. It is noticed within a second or so. Undefined: such a move is not possible.
   */
  isMoving?(): boolean;

  log: LogStore;
  users: UserStore;
  rooms: RoomStore;
  keepers: KeeperStore;
  invitations: InvitationStore;
  presence: PresenceStore;
  reports: ReportStore;

  /** The time by which all processes of this database agree, in ms since 1970. It may go back. */
  now(): number;
  /** The calls that wait for the database, by queue: for the metrics. */
  waiting(): Readonly<Record<string, QueueState>>;
  /** Rejects with `Unavailable` when the database does not answer. */
  ping(): Promise<void>;
  /** Finishes the calls under way, then closes. */
  close(): Promise<void>;
}

export interface LogStore {
  /**
   * Appends items in order, with the time `at`, or that of the room's newest entry where that is later. Resolves when they
   * are durable, with one result per item, in order. Where the outcome of an item is unknown, it and all later ones have no
   * result, and `stopped` is the reason. Items may have earlier items of the same batch as targets.
   * The side effects of an entry follow from the table of kinds (shared/kinds.ts): a removal redacts its target and all
   * replacements of it; a replacement of a removed message is stored redacted; a join or leave changes the members; a change of a
   * room its record. An entry of a kind that makes rooms makes its room, and is the first of it: `room-exists` where there is a room with that id, also of concurrent
   * calls, on any process. Whoever reads that entry finds its room, with its
   * author as creator, also where the process that wrote it has died since.
   */
  append(items: readonly NewEntry[], at: number): Promise<AppendOutcome>;
  /** The entries with these keys, in the order of the keys; undefined where there is none. */
  find(keys: readonly EntryKey[]): Promise<(Original | undefined)[]>;
  /**
   * Entries from `from` to `to` (serverOffsets, inclusive), ascending, cut at `maxBytes` of JSON but at least one entry; with
   * the later amendments of their messages, and the head. A stored entry that is not valid is returned as `unreadable`:
   * never an error, never a gap.
   */
  range(room: string, from: number, to: number, maxBytes: number): Promise<RangeOutcome>;
  /** The same for single entries, ascending; amendments that are among them are not repeated. Offsets beyond the head are left out. */
  entriesAt(room: string, offsets: readonly number[]): Promise<RangeOutcome>;
  /**
   * How people reacted to each of these messages (shared/kinds.ts, `aggregate`), in the order of the messages, without those to
   * which nobody ever did. Of each person and emoji the newest entry counts. `mine`: the emoji of the user `by`, if there is one.
   */
  reactionsTo(room: string, targets: readonly number[], by: string | undefined): Promise<Reactions[]>;
  /** Who reacts to a message with what, in the order of the entries; at most `most`. */
  reactors(room: string, target: number, most: number): Promise<Reactor[]>;
  /** The durable head of each room; 0 for one that is empty or does not exist. A room whose log cannot be read is left out. */
  heads(rooms: readonly string[]): Promise<Map<string, number>>;
  /** The `at` of the entry at each point, in the order of the points; undefined where there is none. */
  timesAt(points: readonly { room: string; serverOffset: number }[]): Promise<(number | undefined)[]>;
  /**
   * The serverOffset of the `count`-th newest message (by the table of kinds) at or below `upTo`, or of the oldest one where
   * there are fewer; undefined where there is none. Deleted messages do not count.
   */
  messageAt(room: string, upTo: number, count: number): Promise<number | undefined>;
  /** The serverOffset of the oldest message from `from` to `to`, inclusive; undefined where there is none. Deleted messages do not count. */
  messageFrom(room: string, from: number, to: number): Promise<number | undefined>;
  /** The number of messages after `after` by users other than `user`, at most `most`. Deleted messages do not count. */
  unread(room: string, user: string, after: number, most: number): Promise<number>;
  /**
   * The serverOffsets of messages after `after` by other users that mention this one, ascending, at most `most`. Deleted
   * messages mention nobody. By an index: it takes no longer where there are many other messages.
   */
  mentions(room: string, user: string, after: number, most: number): Promise<number[]>;
  /**
   * Delivers every entry that is committed after `from`, in order per room. `from` is a point that a tail gave earlier;
   * undefined means the present. A point that is invalid or too old also means the present, after a call of `onGap`.
   */
  tail(from: ResumePoint | undefined, listener: TailListener): Promise<Tail>;
  /**
   * True where writes to different rooms are independent: the caller then batches per room, so that a slow room does not
   * delay others. False where one write at a time is fastest.
   */
  readonly writesByRoom: boolean;
}

export interface TailListener {
  /** The entries of one batch; `point` resumes after it. */
  onBatch(batch: Committed[], point: ResumePoint): void;
  /** Entries may have been missed: the listener reads what it lacks of each room by `range`. */
  onGap(): void;
}

export interface UserStore {
  /** Creates the user and the first device atomically; `taken` where the name exists. */
  create(user: NewUser, device: NewDevice): Promise<'created' | 'taken'>;
  byNameKey(nameKey: string): Promise<UserRecord | undefined>;
  byId(id: string): Promise<UserRecord | undefined>;
  /** At most `limit` users whose `nameKey` begins with this one, ascending by it. */
  search(nameKey: string, limit: number): Promise<(Named & { id: string })[]>;
  /** The names of those users that exist. */
  names(ids: readonly string[]): Promise<Map<string, Named>>;
  /**
   * Gives the user a new name and the next revision; `taken` where another user has that name. With a `limit`, the rename
   * counts, and `againAt` says when the next one is allowed where there were too many: also of concurrent calls, on any process.
   */
  rename(
    id: string,
    name: string,
    nameKey: string,
    limit?: RenameLimit,
  ): Promise<Named | 'taken' | { againAt: number }>;
  /** At most `limit` users with a greater revision than `rev`, ascending by revision. */
  changedSince(rev: number, limit: number): Promise<(Named & { id: string })[]>;
  /** The same for `user` and those who share a room with `user`. */
  changedAround(user: string, rev: number, limit: number): Promise<(Named & { id: string })[]>;
  /** The greatest revision of any user; 0 before the first change. */
  latestRev(): Promise<number>;
  /**
   * Sets the password hash, removes the recovery code, and signs out all devices of the user but `keep`; returns their ids. A sign-in that was verified
   * against the old hash leaves no device behind, whether it came before, meanwhile or after (`addDevice`). On SQLite this is
   * one transaction. On MongoDB the devices are signed out before the hash is set: where the process dies in between, they are
   * signed out and the old password is still the password, so that no crash leaves a session of the old password behind.
   */
  setPassword(id: string, passwordHash: string, keep: string, at: number): Promise<string[]>;
  /** Replaces the hash of the user's recovery code. */
  setRecovery(id: string, recoveryHash: string): Promise<void>;

  /**
   * Adds a device. `claimed` where its claim has already created one after `since`, also in a concurrent call. `verified` is
   * the password hash that the caller has verified, undefined for a user without a password: `outdated` where the user has
   * another one by now.
   */
  addDevice(
    device: NewDevice,
    since: number,
    verified: string | undefined,
  ): Promise<'added' | 'claimed' | 'outdated'>;
  byToken(tokenHash: string): Promise<SignedInDevice | undefined>;
  /** The device that was created with this claim after `since`. */
  byClaim(claimHash: string, since: number): Promise<SignedInDevice | undefined>;
  /** The old token is unknown from then on: it was not signed out. */
  replaceToken(device: string, tokenHash: string): Promise<void>;
  /** Signs out a device of this user. True where it existed. `byToken` does not find it any more, on any process. */
  removeDevice(user: string, device: string, at: number): Promise<boolean>;
  /**
   * Whether the device with this token was signed out: by itself, by another device, or by a change of the password. False for
   * a token that this database does not know, for example because it was restored from a backup, or the device has expired: its
   * owner signed nobody out, so the app keeps what waits in its outbox. Known until `expireDevices`.
   */
  wasSignedOut(tokenHash: string): Promise<boolean>;
  countDevices(user: string): Promise<number>;
  /** The devices of a user, the newest first. */
  devicesOf(user: string): Promise<DeviceRecord[]>;
  /** Those of these devices that are still signed in. */
  devicesAlive(devices: readonly string[]): Promise<Set<string>>;
  /**
   * Raises `seenAt` of these devices to `at`, in one write. `seenAt` serves a person who looks through the list of devices, and
   * `expireDevices`: a call per device and day suffices, and is all that callers may do at a handshake.
   */
  devicesSeen(devices: readonly string[], at: number): Promise<void>;
  /**
   * Removes devices that were not seen since `unusedSince`, without a trace, and forgets sign-outs before it. At most `limit`
   * of both together; returns how many there were, so that the caller goes on while it is `limit`. On MongoDB this also removes
   * devices whose sign-up was abandoned between its two writes.
   */
  expireDevices(unusedSince: number, limit: number): Promise<number>;

  /**
   * Stores a one-time pass. Of its user and kind only the `keep` newest stay, this one included; also deletes passes of
   * anybody that have expired by its `createdAt`. False, and nothing changes, where there is a pass with this hash.
   */
  addPass(pass: OneTimePass, keep: number): Promise<boolean>;
  /**
   * Takes the pass: undefined where it is unknown, has expired by `at`, or was taken under another claim. Of concurrent calls
   * with different claims one gets it. The same claim gets it again: its first answer may have been lost.
   */
  takePass(hash: string, claimHash: string, at: number): Promise<TakenPass | undefined>;
}

export interface RoomStore {
  /** Creates the room, or returns the one that has this id already. The creator's join is an entry, appended separately. */
  create(room: NewRoom): Promise<RoomRecord>;
  /**
   * Makes a direct conversation with its two people (shared/directPair.ts) as members, both or none of them. Where it exists
   * nothing changes: also where both begin it at the same moment, on any process.
   */
  begin(room: Pick<NewRoom, 'id' | 'createdBy' | 'createdAt'>): Promise<void>;
  byId(id: string): Promise<RoomRecord | undefined>;
  /** What entries have changed of the room, without what else `byId` reads. */
  about(id: string): Promise<RoomAbout | undefined>;
  /**
   * Public rooms, the one with the latest activity first: descending by (activeAt, id), those beyond `after` in this order. A
   * room's activity may become visible some time after its append. It only ever rises, so no page repeats a room of an earlier one.
   */
  listPublic(after: ListPosition | undefined, limit: number): Promise<ListedRoom[]>;
  /**
   * Those of the next `look` rooms of the list whose name or description contains `key` (nameKey of shared/text.ts), in its order, at
   * most `limit`; and where the search goes on, unless the list is at its end.
   */
  searchPublic(
    key: string,
    after: ListPosition | undefined,
    limit: number,
    look: number,
  ): Promise<FoundRooms>;
  /** The rooms that this user is a member of, with the user's read markers and settings. */
  ofUser(user: string): Promise<Membership[]>;
  /** The ids of the rooms of each of these users. A user without rooms is left out. */
  ofUsers(users: readonly string[]): Promise<Map<string, string[]>>;
  isMember(room: string, user: string): Promise<boolean>;
  /** How many rooms this user is a member of, without direct conversations. */
  countOf(user: string): Promise<number>;
  /** How many rooms this user has created at or after `since`, without direct conversations. */
  countCreated(user: string, since: number): Promise<number>;
  /** How many direct conversations this user has begun at or after `since`. */
  countBegun(user: string, since: number): Promise<number>;
  /** The leaves in the log of this room beyond the serverOffset `after`, ascending. */
  leaves(room: string, after: number): Promise<Leave[]>;
  /** Raises each read marker to `upTo` where that is greater, in one transaction where the store has any. */
  mark(marks: readonly RaisedMark[]): Promise<void>;
  /**
   * The user's read markers of these rooms, in their order; 0 where there is none. What was written before a member joined is
   * not news: a member's marker is at least the serverOffset of the entry by which they joined.
   */
  readUpTo(user: string, rooms: readonly string[]): Promise<number[]>;
  /**
   * Stores what a user wants of a room, and resolves with all that holds. Of each setting the choice with the later `at` holds,
   * of two at the same time the one that comes later; also of concurrent calls, on any process. `rev` rises by each call that
   * changes something. Kept when the user leaves.
   */
  choose(room: string, user: string, choice: RoomChoice, at: number): Promise<RoomSettings>;
  /** Undefined where the user has never chosen anything of this room. */
  chosen(room: string, user: string): Promise<RoomSettings | undefined>;
  /** The `at` of the choice `blocked: true` of this user, where that holds. */
  blockedSince(room: string, user: string): Promise<number | undefined>;
  /** The members of the room, at most `limit` of them, with their read markers as in `readUpTo`; in any order. */
  readers(room: string, limit: number): Promise<Reader[]>;
  /**
   * A device of the user has stored these entries. One range is kept of each room: the last one, which grows by those that touch it;
   * of two that do not, the one that ends later stays.
   */
  reach(user: string, ranges: readonly StoredRange[]): Promise<void>;
  /** Of these users, which entries of the room a device of theirs has stored. Those of whom nothing is known are left out. */
  reached(room: string, users: readonly string[]): Promise<Map<string, Omit<StoredRange, 'room'>>>;
  /** The ids of the members of the room that come after `after`, ascending, at most `limit`. */
  members(room: string, after: string, limit: number): Promise<string[]>;
  /**
   * The roles of the room after its change `roleSeq`, or later: where something has changed since, an entry with the next `roleSeq`
   * is `outdated`. A member's role ends when they leave or are removed. A banned user does not become a member by a join.
   */
  roles(room: string, users: readonly string[]): Promise<RolesOfRoom>;
  /**
   * The rooms among these from which the user was removed by somebody else, and is no member since. `banned`: as long as the ban
   * holds.
   */
  exits(user: string, rooms: readonly string[]): Promise<Map<string, 'removed' | 'banned'>>;
  /** The ids of those who are banned from the room, at most `limit`; in any order. */
  banned(room: string, limit: number): Promise<string[]>;
}

export interface RolesOfRoom {
  /** 0 before the first change. */
  roleSeq: number;
  /** The members with a role, in the order in which they joined. */
  holders: { user: string; role: Exclude<RoomRole, 'member'> }[];
  /** The two members who joined first. */
  eldest: string[];
  /** Of the users asked for, those who are members. */
  members: string[];
  /** Of the users asked for, those who are banned. */
  banned: string[];
}

/** Keepers, who let people back in, those who ask for it, and whom keepers have suspended (docs/PROTOCOL.md, "Keepers"). */
export interface KeeperStore {
  /** Makes a user a keeper. Nothing changes where the user is one. */
  add(user: string, at: number): Promise<void>;
  /**
   * Takes the role from a keeper; false, and nothing changes, where nobody else is a keeper: also where several keepers take it
   * from each other at the same moment.
   */
  remove(user: string): Promise<boolean>;
  /** The ids of all keepers. */
  all(): Promise<string[]>;
  /** Suspends a user. Nothing changes where the user is suspended. */
  suspend(user: string, at: number): Promise<void>;
  lift(user: string): Promise<void>;
  /** The ids of all who are suspended, in any order. */
  suspended(): Promise<string[]>;
  /** The user who signed up first of those that exist; undefined where there is none. */
  firstUser(): Promise<string | undefined>;
  /** Stores a request that waits; also deletes those of anybody that have expired by its `createdAt`. */
  addRequest(request: ComeBackRequest): Promise<void>;
  /** The requests that wait, and have not expired by `at`; the oldest first. */
  requests(at: number): Promise<ComeBackRequest[]>;
  /** Undefined where there is none with this hash, or it has expired by `at`. */
  requestState(hash: string, at: number): Promise<RequestState | undefined>;
  /**
   * Approves or refuses a request, and returns it: also where it was decided in the same way before, so that an interrupted
   * approval can be finished. Undefined where it was decided otherwise, is unknown, or has expired by `at`.
   */
  decide(
    hash: string,
    state: Exclude<RequestState, 'waiting'>,
    at: number,
  ): Promise<ComeBackRequest | undefined>;
}

/** Invitations to rooms (docs/PROTOCOL.md, "Invitations"). */
export interface InvitationStore {
  /**
   * Stores an invitation. False, and nothing is stored, where one has this hash or this `codeHash`. Also deletes those of anybody
   * that had expired by `keptSince`.
   */
  add(invitation: NewInvitation, keptSince: number): Promise<boolean>;
  /** By the hash of its token, or of its code. */
  find(hash: string): Promise<InvitationRecord | undefined>;
  /**
   * Counts a use by this user: `used`, or `before` where the user had used it. Each user counts once, and no more users than
   * `maxUses`, also in concurrent calls on any process. Otherwise says why not; undefined where there is none with this hash.
   */
  use(
    hash: string,
    user: string,
    at: number,
  ): Promise<'used' | 'before' | Exclude<InvitationState, 'valid'> | undefined>;
  /** Takes back a use of this user, who did not come in after all. */
  giveBack(hash: string, user: string): Promise<void>;
  /** Those of a room that are neither revoked nor expired by `at`; the oldest first. */
  ofRoom(room: string, at: number): Promise<InvitationRecord[]>;
  /** The same of all rooms. */
  all(at: number): Promise<InvitationRecord[]>;
  revoke(hash: string, at: number): Promise<void>;
  /** Revokes all that this user has made, for this room or, without one, for any. */
  revokeOf(user: string, room: string | undefined, at: number): Promise<void>;
}

/** When people were here last, and who hides that, or what they have read (docs/PROTOCOL.md, "Who is here"). */
export interface PresenceStore {
  /** Raises the time at which each of these users was here last, in one write; not of those who hide it. */
  seen(users: readonly Seen[]): Promise<void>;
  /** Of these users; those of whom nothing is known are left out. */
  of(users: readonly string[]): Promise<Map<string, PresenceRecord>>;
  /** Whether the user hides when they are here. */
  hide(user: string, hides: boolean): Promise<void>;
  /** Whether the user hides what they have read. */
  hideReads(user: string, hides: boolean): Promise<void>;
}

/** Reports of messages and people (docs/PROTOCOL.md, "Reports"). */
export interface ReportStore {
  /**
   * Stores an open report; also deletes those of anybody that have expired by its `createdAt`. Nothing is stored, and the answer is
   * `repeat`, where a report of the same by the same user is open, also in a concurrent call; `too-many` where this user has made
   * `most.ofUser` since `most.since`, closed ones included; `full` where `most.open` are open for those who would see it.
   */
  add(report: NewReport, most: ReportBounds): Promise<'added' | 'repeat' | 'too-many' | 'full'>;
  /** Those that are open at `at`, the oldest first: of this room for its moderators, or without a room those for keepers. */
  open(room: string | undefined, at: number): Promise<NewReport[]>;
  /** Undefined where none with this id is open at `at`. */
  find(id: string, at: number): Promise<NewReport | undefined>;
  /** Closes a report and keeps it until `expiresAt`. False where none with this id was open. */
  close(id: string, expiresAt: number): Promise<boolean>;
  /** Passes an open one on from moderators to keepers, also beyond `most.open`. Nothing changes where none with this id is open. */
  toKeepers(id: string): Promise<void>;
}

export interface ReportBounds {
  ofUser: number;
  since: number;
  open: number;
}

export interface NewReport {
  id: string;
  /** Who reports. */
  createdBy: string;
  createdAt: number;
  /** Who is reported: the author of the message, if it is one. */
  about: string;
  /**
   * The message that is reported, and the head of its room at that time. `shown`: the serverOffsets of the entries that are shown: it,
   * messages around it, and the edits that counted then; absent in reports of older versions. Absent: the person.
   */
  message?: { room: string; serverOffset: number; head: number; shown?: number[] };
  recipients: 'moderators' | 'keepers';
  reason?: string;
  /** A report that nobody closes is deleted then. */
  expiresAt: number;
}

export interface Seen {
  user: string;
  at: number;
}

export interface PresenceRecord {
  hides: boolean;
  hidesReads?: true;
  /** Undefined: never while it was shown. */
  seenAt: number | undefined;
}

export interface NewInvitation {
  /** Of the token, which nobody stores. */
  hash: string;
  /** Of the short code. */
  codeHash: string;
  room: string;
  createdBy: string;
  createdAt: number;
  expiresAt: number;
  maxUses: number;
  /** Whether it makes accounts on a server that takes new users by invitation alone. */
  makesAccounts: boolean;
}

export interface InvitationRecord extends NewInvitation {
  uses: number;
  revokedAt: number | undefined;
}

export type InvitationState = 'valid' | 'used-up' | 'revoked' | 'expired';

export function stateOfInvitation(
  { uses, maxUses, expiresAt, revokedAt }: InvitationRecord,
  at: number,
): InvitationState {
  if (revokedAt !== undefined) return 'revoked';
  if (expiresAt <= at) return 'expired';
  return uses >= maxUses ? 'used-up' : 'valid';
}

export type RequestState = 'waiting' | 'approved' | 'refused';

/** Somebody says to be `user`, on a device that is not signed in. */
export interface ComeBackRequest {
  /** Of the secret that only that device has. Once approved, the secret is a one-time pass with this hash. */
  hash: string;
  user: string;
  /** Four digits, which the person reads to a keeper. */
  number: string;
  createdAt: number;
  expiresAt: number;
}

export interface Reactor {
  user: string;
  emoji: string;
}

export type Reader = Omit<RaisedMark, 'room'>;

/** serverOffsets of the room, inclusive. */
export interface StoredRange {
  room: string;
  from: number;
  to: number;
}

export interface RaisedMark {
  room: string;
  user: string;
  /** A serverOffset of the room. */
  upTo: number;
}

export interface EntryKey {
  room: string;
  author: string;
  clientOffset: string;
}

export interface NewEntry extends EntryKey {
  kind: string;
  body?: string;
  /**
   * The clientOffset of a message in the same room, by the same author unless `targetAuthor` is given. The target of a reply
   * may be missing: its key is in `content`, too.
   */
  target?: string;
  targetAuthor?: string;
  /** The user that a join or leave concerns, where that is not its author. */
  subject?: string;
  /** All other fields of the entry, as JSON values. Absent for the first five kinds. */
  content?: Readonly<Record<string, unknown>>;
  /**
   * The number of this change of roles in its room, one more than that of the change before, on which it was decided (`roles` of
   * RoomStore). Where another entry has it already, this one is `outdated`. Not part of the digest, and not sent to clients.
   */
  roleSeq?: number;
  /** Hash of the content. It stays when the entry is redacted, so that a repeat is always recognised. */
  digest: string;
}

/** Of an entry that the server itself writes. `subject`: the user it is about, if that is not its author. */
export type OwnFields = Pick<NewEntry, 'subject' | 'content' | 'roleSeq' | 'target' | 'targetAuthor'>;

export type AppendResult =
  | { tag: 'appended'; serverOffset: number; at: number }
  | { tag: 'repeat'; serverOffset: number; at: number }
  | { tag: 'conflict' }
  | { tag: 'no-target' }
  | { tag: 'no-room' }
  /** Of an entry that makes a room: there is another one with this id. */
  | { tag: 'room-exists' }
  /** Another change of roles was first: decide again. */
  | { tag: 'outdated' }
  /** The database refuses this item only; `message` is for the log. */
  | { tag: 'failed'; message: string };

export interface AppendOutcome {
  results: AppendResult[];
  stopped?: Unavailable;
}

export interface Original {
  serverOffset: number;
  at: number;
  digest: string;
}

export interface RangeOutcome {
  entries: Entry[];
  amendments: Entry[];
  head: number;
}

export interface Committed {
  room: string;
  entry: Entry;
}

/** Opaque to all but the adapter that created it. */
export type ResumePoint = string;

export interface Tail {
  /** False while the adapter knows that it receives no commits; `/readyz` reports it. */
  isOpen(): boolean;
  close(): Promise<void>;
}

export interface NewUser {
  id: string;
  name: string;
  nameKey: string;
  passwordHash?: string;
  createdAt: number;
}

/** `rev`: 0 for a user that never changed; otherwise unique in the database, and greater for a later change. */
export interface Named {
  name: string;
  rev: number;
}

/** At most `most` counted renames of a user within `withinMs`, at the time `at`. */
export interface RenameLimit {
  at: number;
  most: number;
  withinMs: number;
}

export interface UserRecord extends Named {
  id: string;
  createdAt: number;
  passwordHash: string | undefined;
  /** Of the recovery code, which nobody stores. */
  recoveryHash: string | undefined;
}

export interface NewDevice {
  id: string;
  user: string;
  tokenHash: string;
  claimHash: string;
  createdAt: number;
}

/** By which a new device of `user` signs in once. */
export interface OneTimePass {
  /** Of the pass, which nobody stores. */
  hash: string;
  /** `link`: 128 random bits; `code`: short, for people to type. */
  kind: 'link' | 'code';
  user: string;
  /** The device that made it. */
  device: string;
  createdAt: number;
  expiresAt: number;
}

export type TakenPass = Pick<OneTimePass, 'user' | 'device' | 'kind'>;

/** `seenAt`: the time of the last `devicesSeen`, or `createdAt`. */
export interface SignedInDevice {
  device: string;
  user: UserRecord;
  seenAt: number;
}

export interface DeviceRecord {
  id: string;
  createdAt: number;
  seenAt: number;
}

export interface NewRoom {
  id: string;
  kind: RoomKind;
  name: string;
  createdBy: string;
  createdAt: number;
}

export interface RoomRecord extends NewRoom {
  /** Undefined where the log of this room cannot be read at the moment. */
  head: number | undefined;
  members: number;
  /**
   * What entries have set (shared/aboutRoom.ts): of each field, and of the name, the value of the one with the greatest serverOffset.
   * Undefined while there is none.
   */
  about?: RoomAbout | undefined;
}

/** `id` may also be the beginning of an id. */
export interface ListPosition {
  activeAt: number;
  id: string;
}

export interface ListedRoom extends RoomRecord {
  /** The time of its newest entry, or up to ROOM_ACTIVITY_EVERY_MS before; its creation, while it has no entries. */
  activeAt: number;
}

export interface FoundRooms {
  rooms: ListedRoom[];
  next: ListPosition | undefined;
}

/** A user ceased to be a member of a room. */
export interface Leave {
  user: string;
  at: number;
}

export interface Membership {
  room: RoomRecord;
  /** As `readUpTo` of RoomStore. */
  readUpTo: number;
  /** Undefined where the user has never chosen anything. */
  settings?: RoomSettings | undefined;
}

/** A random epoch: 128 bits. A database gets one when it is created, and another one when a backup is restored into it. */
export function newEpoch(): string {
  return idFrom(randomBytes(16));
}

/**
 * Splits a batch into parts (by room, for example), appends the parts in parallel, and merges the results in the order of the
 * entries, up to the first entry without a result (L4). Later entries of other parts may be written all the same: they have no
 * result here, and a retry is answered as a repeat.
 */
export async function appendInParallel(
  entries: readonly NewEntry[],
  partOf: (entry: NewEntry) => string,
  append: (part: string, entries: NewEntry[]) => Promise<AppendOutcome>,
): Promise<AppendOutcome> {
  const parts = [...Map.groupBy(entries, partOf)];
  const outcomes = await Promise.all(
    parts.map(async ([part, its]) => [part, await append(part, its)] as const),
  );
  return mergeOutcomes(entries.map(partOf), new Map(outcomes));
}

/** `parts`: the part of each entry, in order. Pure. */
export function mergeOutcomes(
  parts: readonly string[],
  outcomes: ReadonlyMap<string, AppendOutcome>,
): AppendOutcome {
  const taken = new Map<string, number>();
  const results: AppendResult[] = [];
  for (const part of parts) {
    const outcome = outcomes.get(part);
    const next = taken.get(part) ?? 0;
    const result = outcome?.results[next];
    if (!result) return outcome?.stopped ? { results, stopped: outcome.stopped } : { results };
    taken.set(part, next + 1);
    results.push(result);
  }
  return { results };
}
