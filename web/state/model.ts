/**
 * The interface of the client: what the screen shows and what a person can do. Views read `Readable`s and call
 * `Client`; they never see a socket, a database or a row of the outbox.
 */

import type { RoomAbout } from '../../shared/aboutRoom.ts';
import type { Mention } from '../../shared/entry.ts';
import type {
  ComeBackState,
  Invitation,
  Person,
  PersonChange,
  PersonPresence,
  Report,
  ReportAnswer,
  Session,
  User,
  WaitingRequest,
} from '../../shared/protocol/index.ts';
import type { EngineActions } from '../engine/engine.ts';
import type { Notice, RunPeople } from '../log/read/runPeople.ts';
import type { Gap, GapEdge, LineAbove } from '../log/read/window.ts';
import type { Readable } from '../records/cell.ts';
import type { Reason } from '../records/errorReason.ts';
import type { OffsetRange } from '../records/spans.ts';
import type { SavedPlace, ShownReaction } from '../records/storedRecords.ts';

export interface Client extends UserActions {
  readonly app: Readable<AppState>;
  /** The conversation of one room. It is read from the database while it has subscribers. */
  conversation(room: string): Readable<ConversationState>;

  /**
   * Signs up or in. While a user is signed in: as the same user again; or, if the server no longer knows that user,
   * as the new user that takes over the outbox. `invite`: the token or code of an invitation, which new users may need.
   */
  signIn(name: string, password?: string, recovery?: RecoveryProof, invite?: string): Promise<Outcome>;
  /** Signs in with a code that another device of the user shows. */
  signInByCode(code: string): Promise<Outcome>;
  setPassword(password: string, current?: string): Promise<Outcome>;
  /**
   * Ends this device's session and deletes the stored messages of others. Unsent messages and drafts stay on the device for
   * when the user returns, unless they are to be `deleted` as well.
   */
  signOut(unsent?: 'deleted'): Promise<Outcome>;
  /** They reject where their chunk cannot be fetched. */
  devices(): Promise<DeviceActions>;
  keepers(): Promise<KeeperActions>;
  people(): Promise<PeopleActions>;

  /**
   * Which room is on the screen: the server catches it up first. Resolves once its messages are read, or after
   * OPEN_WITHIN_MS: the screen shows the previous room until then, so that it never shows an empty one.
   */
  open(room: string | undefined): Promise<void>;
  /** The database could not be opened or written: tries again. */
  retryStorage(): void;
}

/** What a signed-in person can do. While nobody is signed in, all of it fails with `unauthorized` or does nothing. */
export interface UserActions {
  /** Moves the window of the room by so many lines. */
  loadOlder(room: string, lines: number): void;
  loadNewer(room: string, lines: number): void;
  loadBetween(room: string, gap: Gap, edge: GapEdge): void;
  /** Places the window around an entry, and its line at that place. False where the entry cannot be had now. */
  jumpTo(room: string, offset: number, place?: SavedPlace): Promise<boolean>;
  toNewest(room: string): void;
  /** The newest text of one's own, also where it is not in the window. */
  newestOwn(room: string): Promise<Message | undefined>;

  /**
   * Resolves ok once the message is durable on this device and shown. Otherwise the text must stay where it was typed.
   * `reply`: the message that it answers. `mentions`: people whose names, after an `@`, are in it.
   */
  send(room: string, body: string, reply?: ReplyTarget, mentions?: readonly Mention[]): Promise<Outcome>;
  /** A message that was not sent: again under the same key, changed under a new one, or not at all. */
  retry(clientOffset: string): Promise<Outcome>;
  amend(clientOffset: string, body: string): Promise<Outcome>;
  discard(clientOffset: string): Promise<Outcome>;
  /** Reacts to a message with an emoji, or takes that back: what was meant last holds, whatever waits. */
  react(
    room: string,
    to: Pick<Message, 'key' | 'author' | 'serverOffset'>,
    emoji: string,
    on: boolean,
  ): Promise<Outcome>;
  /**
   * Changes a text of one's own: in place if it was never sent, otherwise by an edit behind it (O4). `serverOffset`: its
   * place in the log when the screen showed it last.
   */
  edit(room: string, clientOffset: string, body: string, serverOffset?: number): Promise<Outcome>;
  /** Deletes a text of one's own: drops it if it was never sent, otherwise queues a deletion behind it. */
  remove(room: string, clientOffset: string): Promise<Outcome>;
  /** As a moderator: deletes anybody's message, also without a connection. */
  takeDown(room: string, message: Pick<Message, 'key' | 'author' | 'serverOffset'>): Promise<Outcome>;
  /** Where the person is in a room; undefined: at the newest message. Kept for the next opening. */
  leaveAt(room: string, place: SavedPlace | undefined): void;
  /**
   * The person has seen the room up to this entry. Stored until the server has acknowledged it. Undefined as long as the code
   * for it is not loaded: to be said again.
   */
  seen(room: string, upTo: number): true | undefined;

  /** The person has changed the text for a new message: others see that they are typing. */
  typed(room: string, text: string): void;

  /** What only the engine can do (web/engine/engine.ts says it of each). `offline`: also where the engine is not loaded yet. */
  ask<Name extends keyof EngineActions>(
    what: Name,
    ...asked: Parameters<EngineActions[Name]>
  ): Promise<Awaited<ReturnType<EngineActions[Name]>> | Refused>;

  /** Empty also where it cannot be read. */
  draft(room: string): Promise<string>;
  saveDraft(room: string, text: string): void;
  /** Calls `listener` when another tab has sent a message. `isSent`: a text in a composer is that message. */
  onSentElsewhere(listener: (room: string, isSent: (text: string) => boolean) => void): void;
}

/** `name`: as it is in the text; `now`: their name today, empty where it is not known. */
export interface ShownMention extends Mention {
  now: string;
}

/** `hidden`: not in the list until it has something new, unless that is muted. `unread`: marked so by the person. */
export interface RoomWishes {
  /** Of a direct conversation: what the other one writes is not shown. */
  blocked: boolean;
  muted: boolean;
  pinned: boolean;
  hidden: boolean;
  unread: boolean;
}

/** `since`: when they signed up, in milliseconds since 1970. `rooms`: ids of those that they share with the user. */
export interface Profile {
  name: string;
  since: number | undefined;
  rooms: readonly string[];
  presence: PersonPresence;
}

export interface MemberSummary {
  id: string;
  name: string;
  presence: PersonPresence;
}

/** The names of those who react with an emoji, empty where one is not known, and how many there are besides. */
export interface ReactedBy {
  emoji: string;
  names: string[];
  others: number;
}

/** A message that is to be answered. It is kept with the draft, so it has no text: that may be deleted meanwhile. */
export interface ReplyTarget {
  author: { id: string; name: string };
  clientOffset: string;
  /** Undefined until it is sent. */
  serverOffset: number | undefined;
}

/** Stands in place of a password. */
export interface RecoveryProof {
  /** The recovery code, in the form of an id. */
  recovery: string;
  /** Signs out all other devices of the user. */
  signOutOthers: boolean;
}

/** The devices on which the user is signed in. */
export interface DeviceActions {
  /** The newest first. */
  list(): Promise<Outcome & { devices?: DeviceSummary[] }>;
  /** Signs out another device. */
  signOut(id: string): Promise<Outcome>;
  /** Makes a code with which the user signs in on another device, once, until `expiresAt` by the server's clock. */
  makeCode(): Promise<Outcome & { code?: string; expiresAt?: number }>;
  /** Makes a recovery code in the form of an id. It replaces the last one, and nobody can see it again. */
  makeRecoveryCode(): Promise<Outcome & { code?: string }>;
}

/** Asking keepers to be let back in, and what keepers do. */
export interface KeeperActions {
  /** Asks to come back as the user with this name. `request` is the code for `signInByCode` once it is approved. */
  ask(name: string): Promise<Outcome & { request?: string; number?: string }>;
  /** `not-found`: the request has expired. */
  stateOf(request: string): Promise<Outcome & { state?: ComeBackState['state'] }>;
  /** Makes the first user of the server a keeper. */
  become(): Promise<Outcome>;
  /** The requests that wait, the oldest first. */
  requests(): Promise<Outcome & { requests?: WaitingRequest[] }>;
  /** `not-found`: somebody else has decided, or the request has expired. */
  decide(id: string, approve: boolean, signOutOthers: boolean): Promise<Outcome>;
  /** People whose names begin so, some of them where there are many. */
  people(name: string): Promise<Outcome & { people?: PersonSummary[] }>;
  /** `conflict`: the name is taken; `last-keeper`: nobody else is one. */
  /** Where a person is signed in. */
  devicesOf(id: string): Promise<Outcome & { devices?: DeviceSummary[] }>;
  signOutDevice(person: string, device: string): Promise<Outcome>;
  changePerson(id: string, change: PersonChange): Promise<Outcome>;
  /** The space left on the disk of the server, where it knows. */
  server(): Promise<Outcome & { freeBytes?: number }>;
}

export type PersonSummary = Person;

export interface InvitationTerms {
  lifetimeMs: number;
  /** For how many people. */
  uses: number;
  /** Whether people who are new on the server may come in by it. */
  makesAccounts: boolean;
}

export type RoomInvitation = Omit<Invitation, 'by'> & { by: { name: string } };

export interface InvitedTo {
  room: { id: string; name: string; members: number };
  /** The name of whoever invites. */
  by: string;
  /** Whether somebody new can sign up with it. */
  newcomers: boolean;
}

/** Who one is here, and how others come in. */
export interface PeopleActions {
  /** Changes the own name. `conflict`: it is taken; `forbidden`: too often, until `retryAfter` has passed. */
  rename(name: string): Promise<Outcome>;
  /** Makes an invitation to a room. */
  invite(room: string, terms: InvitationTerms): Promise<Outcome & { made?: MadeInvitation }>;
  /** Those that are valid and that one may revoke, the oldest first: of a room, or all for keepers. */
  invitations(room: string | undefined): Promise<Outcome & { invitations?: RoomInvitation[] }>;
  revokeInvitation(id: string): Promise<Outcome>;
  /** Who invites where. `invitation-…`: it does not work, and why. */
  lookAtInvitation(invite: string): Promise<Outcome & { invited?: InvitedTo }>;
  /** Reports a message of somebody else, by its serverOffset, or a person. `report-…`: why that is not possible. */
  report(what: Reported, reason: string): Promise<Outcome>;
  /** Open reports, the oldest first: of a room, empty for who is no moderator of it; without a room those for keepers. */
  reports(room: string | undefined): Promise<Outcome & { reports?: OpenReport[] }>;
  /** `not-found`: it was closed. */
  readReport(id: string): Promise<Outcome & Partial<ReportAnswer>>;
  closeReport(id: string): Promise<Outcome>;
}

export type Reported = { room: string; message: number } | { person: string };
export type OpenReport = Report;

/** `token`, which the link has, and `code` are shown once. `expiresAt`: milliseconds since 1970. */
export interface MadeInvitation {
  token: string;
  code: string;
  expiresAt: number;
}

/** Times in milliseconds since 1970. `current`: this device. */
export interface DeviceSummary {
  id: string;
  createdAt: number;
  seenAt: number;
  current: boolean;
}

/** Whether an action worked. */
export type Outcome = { ok: true } | Refused;
export type Refused = { ok: false; reason: Reason };

export type AppState =
  | { tag: 'starting' }
  /** The browser cannot run the app: it lacks `missing`. */
  | { tag: 'unsupported'; missing: string }
  /** The database cannot be opened now; `retryStorage` tries again. */
  | { tag: 'storage'; reason: Reason }
  /** Nobody is signed in: the sign-in screen. */
  | { tag: 'signed-out' }
  | SignedIn;

export interface SignedIn {
  tag: 'signed-in';
  user: User;
  /** Undefined until the server has answered. */
  hasPassword: boolean | undefined;
  /** Also undefined where an older server does not say it. */
  hasRecoveryCode: boolean | undefined;
  /** Of the user on the server: `first` is asked to become its first keeper. */
  role: Session['role'];
  lastDevice: boolean | undefined;
  connection: ConnectionState;
  /** The number of rows of all rooms that wait to be sent. */
  waiting: number;
  /** Newest activity first. */
  rooms: RoomSummary[];
  /**
   * Whether the app opens without a network: false where the browser withholds service workers (plain HTTP from another
   * machine).
   */
  startsOffline: boolean;
  storage: StorageState;
}

/**
 * Whether this device stores what is written. `full`: no space is left; `failing`: for an unknown reason. `emptied`:
 * the browser has deleted what was stored, unsent messages with it; shown until `retryStorage`.
 */
export type StorageState = 'ok' | 'full' | 'failing' | 'emptied';

export type ConnectionState =
  | { tag: 'live' }
  | { tag: 'connecting' }
  | { tag: 'catching-up' }
  /** The logs that an older version stored are being moved; `percent` is done, 0 to 99. */
  | { tag: 'moving'; percent: number }
  | { tag: 'offline' }
  /** Something else than Holdfast answers at this address: perhaps a proxy where one has to log in. */
  | { tag: 'stranger' }
  /**
   * There is no session. Everything stays on the device, and is sent after the next sign-in. `ended`: somebody signed this
   * device out. Otherwise the server does not know the session; perhaps it was restored from a backup.
   */
  | { tag: 'signed-out'; ended?: true }
  /** The server does not know this user: it was restored from a backup. Signing up again on this page keeps the outbox. */
  | { tag: 'user-unknown' }
  /** A keeper has suspended the user. Everything stays on the device, and is sent once that is lifted. */
  | { tag: 'suspended' }
  /** This version is too old for the server. */
  | { tag: 'upgrade' };

export interface RoomSummary {
  id: string;
  name: string;
  kind: 'public' | 'private' | 'direct';
  /** In a direct conversation: the id of the other one, or one's own. */
  with?: string;
  members: number;
  about?: RoomAbout | undefined;
  /** The person's, as far as this device knows. In the lobby keepers have that of owners. Undefined: none. */
  role?: 'owner' | 'moderator' | undefined;
  /** Another number once the pinned message was edited. */
  pinnedEdit?: number | undefined;
  /** The newest message, own unsent ones included. */
  last: { author: string; mine: boolean; text: string | undefined; deleted: boolean; at: number } | undefined;
  /** The whole log is stored, and nothing in it is a message. */
  isEmpty: boolean;
  draft: string;
  /** The number of rows of this room that wait to be sent. */
  waiting: number;
  notSent: number;
  /** Others' messages after the read marker, counted up to UNREAD_COUNTED_MAX. */
  unread: number;
  wishes: RoomWishes;
  /** The serverOffsets of unread messages that mention the person, ascending; at most about MENTIONS_LISTED_MAX. */
  mentions: readonly number[];
  /** The server does not know the room yet: it was made on this device. */
  making?: true;
  /** False: the room was left, and is listed only because of own unsent messages or a draft. */
  member: boolean;
  /** Somebody else has removed the person: `out-removed` or `out-banned`. It is listed until they have seen it. */
  out?: string;
  /** The names of those who are typing; empty where the name is not known. Undefined: nobody. */
  typing?: readonly string[];
  /** Of its members by id, the own user included, while a small room is on the screen. */
  presence?: Readonly<Record<string, PersonPresence>>;
  /** The server cannot read this room now. What is stored is shown, and the server tries again by itself. */
  failing?: Reason;
}

export interface PublicRoom {
  id: string;
  name: string;
  members: number;
  description?: string;
}

export interface ConversationState {
  /** Ascending. A window of at most some 150 messages, not the whole log. */
  messages: Message[];
  /** The message directly above the first one, if it is stored. */
  above: LineAbove | undefined;
  /**
   * Where the screen shows a line for a hole (entries missing on this device): between these messages, or after the last
   * one that was sent. Ascending.
   */
  gaps: Gap[];
  /** Joins and leaves that follow each other, between these messages. They are no messages. Ascending. */
  memberships: readonly Memberships[];
  /** True when the first message here is the room's first. */
  atStart: boolean;
  /** True when the last message here is the newest on this device. */
  atNewest: boolean;
  /** Whether older messages are being fetched; `stuck` where that needs a connection and there is none. */
  older: 'idle' | 'loading' | 'stuck';
  /** The same for the entries of a gap. */
  between: 'idle' | 'loading' | 'stuck';
  /** The read marker when this was read. Infinity while nothing counts as unread. */
  readUpTo: number;
  /** Every unread message from this serverOffset up to the last one here is here, except in gaps. */
  completeFrom: number;
  /** Where the view is to be placed. A new object asks for that again. */
  opening: Opening;
  /** The database has not been read yet. */
  loading: boolean;
  /** Changes when the log is another one than before: nothing that a view knows about it holds any more. */
  logGeneration: number;
}

/** `from`, `to`: the serverOffsets of the first and the last entry. */
export interface Memberships extends OffsetRange {
  /** When the last of them joined or left. */
  at: number;
  /** Undefined until it is read. */
  people: RunPeople<string | undefined> | Notice<string | undefined> | undefined;
}

export interface Opening {
  /** Where the person left the room, if that is in `messages`; undefined: at the first unread message, or the newest. */
  left: SavedPlace | undefined;
}

export interface Message {
  /** Made of author and clientOffset: stays the same from queued to sent. */
  key: string;
  clientOffset: string;
  /** Undefined until it is sent. */
  serverOffset: number | undefined;
  author: { id: string; name: string };
  mine: boolean;
  /** To be shown, in milliseconds since 1970: by the device's clock until it is sent, then by the server's. */
  at: number;
  content:
    | { tag: 'text'; body: string; edited: boolean; mentions?: readonly ShownMention[] | undefined }
    /** A text of somebody whom the user has blocked. */
    | { tag: 'blocked'; body: string }
    | { tag: 'deleted'; byModerator?: true }
    /** The person's own, which was not sent: a reaction with the emoji `of`, or the making of the room, with the name `of`. */
    | { tag: 'reaction' | 'creation'; of: string }
    /** Of a kind that this version does not know. */
    | { tag: 'unknown'; kind: string }
    /** The server cannot read the entry that it has stored. */
    | { tag: 'unreadable' };
  /** The message that it answers, as it stands now. Without `content` that is not on this device. */
  reply?: Pick<Message, 'key' | 'serverOffset' | 'author'> & {
    content: Message['content'] | undefined;
  };
  /** In the order of the first of each. */
  reactions?: ShownReaction[];
  status: MessageStatus;
  /** All others in the room have read it. Only of one's own. */
  readByAll?: true;
  /** Which amendment `status` is about. */
  pending: 'none' | 'edit' | 'delete';
  /**
   * Whether `edit` and `remove` are possible. A message that was not sent has `retry`, `amend` and `discard` instead.
   */
  can: { edit: boolean; remove: boolean };
}

/** What the screen shows of the delivery of one message (O3). Others' messages are `sent`. */
export type MessageStatus =
  /** This device is writing it. It is not safe yet, and its text is still in the composer. */
  | { tag: 'saving' }
  | { tag: 'queued' }
  | { tag: 'sending' }
  | { tag: 'checking' }
  | { tag: 'sent' }
  | { tag: 'not-sent'; reason: Reason };
