/** The collections of the database: their documents, indexes and validators. */
import type { Collection, CreateCollectionOptions, Db, IndexDescription } from 'mongodb';
import type { RoomFields } from '../../../../shared/aboutRoom.ts';
import type { RoomKind, RoomRole } from '../../../../shared/protocol/index.ts';
import type { MovePosition } from '../../move.ts';
import type {
  ComeBackRequest,
  NewDevice,
  NewInvitation,
  NewReport,
  OneTimePass,
  RequestState,
} from '../../port.ts';
import type { StoredSettings } from '../../storedSettings.ts';
import type { EntryDocument } from '../append/commands.ts';

/**
 * Version of the data format that this program reads and writes. The `meta` document names the least version that may use the
 * database. Processes of several versions may run at once: the newer ones then write only what the oldest can read.
 * 1: Holdfast 0.1. 2: entries of any kind. 3: devices as documents of their own.
 */
export const VERSION = 3;
export const VERSION_OF_NEW_KINDS = 2;
export const VERSION_OF_OWN_DEVICES = 3;
/** Of a database that is being filled: processes of every version refuse it. */
export const VERSION_WHILE_FILLING = 1_000_000;
export const META = 'meta';
/** The capped collection of broadcasts between processes (socketAdapter.ts). */
export const EPHEMERAL = 'ephemeral';
/** `_id` of the document in `meta` that marks a database as ours. */
export const META_ID = 'holdfast';

export interface Collections {
  meta: Collection<MetaDocument>;
  users: Collection<UserDocument>;
  devices: Collection<DeviceDocument>;
  passes: Collection<PassDocument>;
  keepers: Collection<KeeperDocument>;
  requests: Collection<RequestDocument>;
  suspensions: Collection<SuspensionDocument>;
  invitations: Collection<InvitationDocument>;
  presence: Collection<PresenceDocument>;
  reports: Collection<ReportDocument>;
  rooms: Collection<RoomDocument>;
  members: Collection<MemberDocument>;
  marks: Collection<MarkDocument>;
  reached: Collection<ReachedDocument>;
  settings: Collection<SettingsDocument>;
  /**
   * The collection that holds the log of a room; nothing else decides this. Beyond some tens of processes, rooms could be
   * split over several collections by a hash of their ids, and a process would tail those of the rooms it hosts.
   */
  entriesOf(room: string): Collection<EntryDocument>;
  /** All collections that `entriesOf` may return. */
  entries: readonly Collection<EntryDocument>[];
}

export interface MetaDocument {
  _id: typeof META_ID;
  epoch: string;
  /** A process of a smaller version may not use this database. Version 0.1 checks only this field. */
  schemaVersion: number;
  /** The same, checked by all versions after 0.1. Absent: 1. */
  minVersion?: number;
  /** Number of finished steps of migrate.ts. Absent: 0. */
  steps?: number;
  /** The step that is running: the process that runs it, and where its next part begins. */
  step?: { by: string; at?: string };
  createdAt: number;
  /** The greatest revision of any user. Absent: 0. */
  usersRev?: number;
  /** Attempts to move devices (moveDevices.ts). Absent: 0. */
  deviceMoves?: number;
  /** While `npm run migrate` fills it: by which run, and how far that is. Then no server may use it. */
  filling?: MovePosition & { run: string };
  /** The run that has filled it. */
  filledBy?: string;
}

export interface UserDocument {
  _id: string;
  name: string;
  nameKey: string;
  passwordHash?: string;
  recoveryHash?: string;
  createdAt: number;
  /** Absent: 0. */
  rev?: number;
  /** The times of the last renames that count, ascending. Absent: none. */
  renames?: number[];
  /** Only where `migrate.ts` has not moved them yet: then these are the devices of the user (embeddedDevices.ts). */
  devices?: EmbeddedDevice[];
  /** The number of the last attempt to move them. */
  moving?: number;
}

export interface EmbeddedDevice extends Omit<NewDevice, 'user'> {
  seenAt?: number;
}

/** A device, or the trace of one that was signed out. The device of a user who does not exist is not signed in. */
export interface DeviceDocument {
  _id: string;
  user: string;
  tokenHash: string;
  /** Unique. Absent where the claim has expired or was used again, or the device was signed out. */
  claimHash?: string;
  createdAt: number;
  /** The time of the sign-out, for a device that was signed out. */
  seenAt: number;
  removedAt?: number;
  /** Time of the sign-up that made it; removed once it is certain that the user was made too. */
  signUpAt?: number;
  /** A copy that does not count while the user document still has `devices`: the number of the attempt that made it. */
  staged?: number;
}

/** `_id`: the hash of the pass. */
export interface PassDocument extends Omit<OneTimePass, 'hash'> {
  _id: string;
  /** Of whoever has taken it. */
  claimHash?: string;
}

/** `_id`: the user. */
export interface KeeperDocument {
  _id: string;
  since: number;
}

/** `_id`: the user. */
export interface SuspensionDocument {
  _id: string;
  since: number;
}

/** `_id`: the hash of the request's secret. */
export interface RequestDocument extends Omit<ComeBackRequest, 'hash'> {
  _id: string;
  state: RequestState;
}

/** `_id`: the hash of the token. */
export interface InvitationDocument extends Omit<NewInvitation, 'hash'> {
  _id: string;
  uses: number;
  /** Ids of those who have used it. */
  users: string[];
  revokedAt?: number;
}

/** `_id`: the user. */
export interface PresenceDocument {
  _id: string;
  /** When they were here last. Absent: never while it was shown. */
  seenAt?: number;
  hides?: boolean;
  hidesReads?: boolean;
}

/** `_id`: the id of the report. */
export interface ReportDocument extends Omit<NewReport, 'id'> {
  _id: string;
  /** Who reports what. Unique. Absent once it is closed. */
  open?: string;
}

/** Head and number of members are not stored: they are derived from `entries` and `members`. */
export interface RoomDocument {
  _id: string;
  kind: RoomKind;
  name: string;
  createdBy: string;
  createdAt: number;
  /** What entries have set (shared/aboutRoom.ts), but the name; and of each field that was set the serverOffset of the entry. */
  about?: Omit<RoomFields, 'name'>;
  aboutOffsets?: Partial<Record<keyof RoomFields, number>>;
  /** As in `ListedRoom`. Absent where a process of an older version created it, until the next entry: 0. */
  activeAt?: number;
}

export interface MemberDocument {
  room: string;
  user: string;
  present: boolean;
  /** serverOffset of the newest join or leave of this user. */
  serverOffset: number;
  /** The newest role, and the serverOffset of its entry. It counts while the user is a member and that is beyond `serverOffset`. */
  role?: RoomRole;
  roleOffset?: number;
  /** Whether the user is banned, and the serverOffset of the newest entry that says so. */
  banned?: boolean;
  banOffset?: number;
}

export interface MarkDocument {
  room: string;
  user: string;
  upTo: number;
}

/** Which entries of a room a device of this user has stored. */
export interface ReachedDocument {
  room: string;
  user: string;
  from: number;
  to: number;
}

/** `_id`: of `settingsId`. */
export interface SettingsDocument extends StoredSettings {
  _id: string;
}

export function settingsId(room: string, user: string): string {
  return `${user} ${room}`;
}

/** The unique indexes that append depends on. */
export const ENTRIES_BY_OFFSET = 'entriesByOffset';
export const ENTRIES_BY_KEY = 'entriesByKey';
export const ENTRIES_BY_ROLE_SEQ = 'entriesByRoleSeq';

/** The first five kinds, in their original stored form. */
const WITH_BODY = { $in: ['text', 'edit'] };
const WITHOUT_BODY = { $in: ['delete', 'join', 'leave'] };
const OTHER_KINDS = { $nin: [...WITH_BODY.$in, ...WITHOUT_BODY.$in] };

/** Last line of defence: whatever bug we have, only valid entries get into a log. Any kind is allowed. */
export const ENTRY_VALIDATOR = {
  room: { $type: 'string' },
  serverOffset: { $type: 'number', $gte: 1 },
  author: { $type: 'string' },
  clientOffset: { $type: 'string' },
  at: { $type: 'number' },
  kind: { $type: 'string' },
  $or: [
    { kind: WITH_BODY, body: { $type: 'string' } },
    { kind: WITH_BODY, deleted: true },
    { kind: WITHOUT_BODY },
    { kind: OTHER_KINDS, content: { $type: 'object' } },
    { kind: OTHER_KINDS, content: { $exists: false } },
  ],
};

/** For messageCounts.ts: entries by kind, in the order of the log. */
export const ENTRIES_BY_KIND = {
  name: 'entriesByKind',
  key: { room: 1, kind: 1, serverOffset: 1 },
} satisfies IndexDescription;

/** Queries repeat this condition, because not every planner derives it from `rev > x` and uses the partial index. */
export const HAS_REV = { rev: { $gt: 0 } };

export const USERS_BY_REV = {
  name: 'usersByRev',
  key: { rev: 1 },
  partialFilterExpression: HAS_REV,
} satisfies IndexDescription;

/** Devices whose sign-up may be unfinished. Queries repeat this condition. */
export const IN_SIGN_UP = { signUpAt: { $gt: 0 } };

/** Indexes of `devices` in user documents, until migrate.ts drops them. */
export const EMBEDDED_DEVICE_INDEXES = ['devicesById', 'devicesByToken', 'devicesByClaim'];

/** Entries with a target. Queries repeat this condition, because not every planner derives it from `target = x`. */
export const HAS_TARGET = { target: { $gt: 0 } };

/** Changes of roles. Queries repeat this condition. */
export const HAS_ROLE_SEQ = { roleSeq: { $gt: 0 } };

/** Entries that mention somebody. Queries repeat this condition. */
export const HAS_MENTIONS = { 'content.mentions': { $exists: true } };

export const ENTRIES_BY_MENTION = {
  name: 'entriesByMention',
  key: { room: 1, 'content.mentions.user': 1, serverOffset: 1 },
  partialFilterExpression: HAS_MENTIONS,
} satisfies IndexDescription;

/** All but `entriesPending` begin with the room, since all queries name it; that one has few entries. */
export const ENTRY_INDEXES: readonly (IndexDescription & { name: string })[] = [
  { name: ENTRIES_BY_OFFSET, key: { room: 1, serverOffset: 1 }, unique: true },
  { name: ENTRIES_BY_KEY, key: { room: 1, author: 1, clientOffset: 1 }, unique: true },
  {
    name: 'entriesByTarget',
    key: { room: 1, target: 1, kind: 1, serverOffset: 1 },
    partialFilterExpression: HAS_TARGET,
  },
  {
    name: 'entriesPending',
    key: { pending: 1, room: 1, serverOffset: 1 },
    partialFilterExpression: { pending: true },
  },
  ENTRIES_BY_KIND,
  {
    name: ENTRIES_BY_ROLE_SEQ,
    key: { room: 1, roleSeq: 1 },
    unique: true,
    partialFilterExpression: HAS_ROLE_SEQ,
  },
  ENTRIES_BY_MENTION,
];

const INDEXES = {
  users: [{ name: 'usersByName', key: { nameKey: 1 }, unique: true }, USERS_BY_REV],
  devices: [
    { name: 'devicesByToken', key: { tokenHash: 1 }, unique: true },
    {
      name: 'devicesByClaim',
      key: { claimHash: 1 },
      unique: true,
      partialFilterExpression: { claimHash: { $exists: true } },
    },
    { name: 'devicesOfUser', key: { user: 1, removedAt: 1 } },
    { name: 'devicesBySeen', key: { seenAt: 1 } },
    { name: 'devicesBySignUp', key: { signUpAt: 1 }, partialFilterExpression: IN_SIGN_UP },
  ],
  passes: [
    { name: 'passesOfUser', key: { user: 1, kind: 1, createdAt: 1 } },
    { name: 'passesByExpiry', key: { expiresAt: 1 } },
  ],
  keepers: [],
  suspensions: [],
  requests: [{ name: 'requestsByExpiry', key: { expiresAt: 1 } }],
  invitations: [
    { name: 'invitationsByCode', key: { codeHash: 1 }, unique: true },
    { name: 'invitationsOfRoom', key: { room: 1, expiresAt: 1 } },
    { name: 'invitationsOfUser', key: { createdBy: 1, room: 1 } },
    { name: 'invitationsByExpiry', key: { expiresAt: 1 } },
  ],
  presence: [],
  reports: [
    {
      name: 'reportsOpen',
      key: { open: 1 },
      unique: true,
      partialFilterExpression: { open: { $exists: true } },
    },
    { name: 'reportsOfRoom', key: { recipients: 1, 'message.room': 1, createdAt: 1 } },
    { name: 'reportsOfUser', key: { createdBy: 1, createdAt: 1 } },
    { name: 'reportsByExpiry', key: { expiresAt: 1 } },
  ],
  rooms: [
    { name: 'roomsByKind', key: { kind: 1, _id: 1 } }, // for processes of version 0.1, which list rooms by id
    { name: 'roomsByActivity', key: { kind: 1, activeAt: 1, _id: 1 } },
    { name: 'roomsByCreator', key: { createdBy: 1, createdAt: 1 } },
  ],
  members: [
    { name: 'membersOfRoom', key: { room: 1, user: 1 }, unique: true },
    { name: 'presentInRoom', key: { room: 1, present: 1 } },
    { name: 'roomsOfUser', key: { user: 1, present: 1, room: 1 } },
    {
      name: 'rolesOfRoom',
      key: { room: 1, roleOffset: 1 },
      partialFilterExpression: { roleOffset: { $gt: 0 } },
    },
    {
      name: 'bannedFromRoom',
      key: { room: 1, banOffset: 1 },
      partialFilterExpression: { banOffset: { $gt: 0 } },
    },
  ],
  marks: [{ name: 'marksOfUser', key: { user: 1, room: 1 }, unique: true }],
  reached: [{ name: 'reachedInRoom', key: { room: 1, user: 1 }, unique: true }],
  settings: [],
} satisfies Record<string, IndexDescription[]>;

/**
 * The collections of a new database; the steps of migrate.ts bring an older one to the same state. It does not matter
 * whether a collection exists already, or another process creates it at the same moment.
 */
export const DEFINITIONS: { name: string; options: CreateCollectionOptions; indexes: IndexDescription[] }[] =
  [
    { name: 'entries', options: { validator: ENTRY_VALIDATOR }, indexes: [...ENTRY_INDEXES] },
    ...Object.entries(INDEXES).map(([name, indexes]) => ({ name, options: {}, indexes })),
    // capped: old documents disappear without a change event, unlike with a TTL index
    { name: EPHEMERAL, options: { capped: true, size: 1024 * 1024 }, indexes: [] },
  ];

/**
 * `db` carries the concerns, whatever the URL says (connect.ts): a write is acknowledged once the majority has it in its
 * journals (L4); a read sees only what the majority has (L2), and goes to the primary, which has it first.
 */
export function collectionsOf(db: Db): Collections {
  const entries = db.collection<EntryDocument>('entries');
  return {
    meta: db.collection(META),
    users: db.collection('users'),
    devices: db.collection('devices'),
    passes: db.collection('passes'),
    keepers: db.collection('keepers'),
    requests: db.collection('requests'),
    suspensions: db.collection('suspensions'),
    invitations: db.collection('invitations'),
    presence: db.collection('presence'),
    reports: db.collection('reports'),
    rooms: db.collection('rooms'),
    members: db.collection('members'),
    marks: db.collection('marks'),
    settings: db.collection('settings'),
    reached: db.collection('reached'),
    entriesOf: () => entries,
    entries: [entries],
  };
}
