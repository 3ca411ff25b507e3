/** What stands in the database: the collections, their documents, their indexes, and what is refused as no entry. */
import type { Collection, CreateCollectionOptions, Db, IndexDescription } from 'mongodb';
import type { RoomKind } from '../../../shared/protocol/index.ts';
import type { NewDevice } from '../port.ts';
import type { EntryDocument } from './append/commands.ts';

/**
 * Of what a process reads and writes; version 0.1 of Holdfast is 1. The database says from which one on a process may use
 * it, and processes of several versions may while it says so: then the later ones write only what the earliest can read.
 */
export const VERSION = 2;
export const META = 'meta';
/** What processes tell each other that may be lost. */
export const EPHEMERAL = 'ephemeral';
/** How a database is known as ours. */
export const META_ID = 'holdfast';

export interface Collections {
  meta: Collection<MetaDocument>;
  users: Collection<UserDocument>;
  rooms: Collection<RoomDocument>;
  members: Collection<MemberDocument>;
  marks: Collection<MarkDocument>;
  /**
   * Where the log of a room stands: the one place that knows. Past some tens of processes the rooms are split over
   * several collections by a hash of their ids, and a process tails those of the rooms it hosts.
   */
  entriesOf(room: string): Collection<EntryDocument>;
  /** All that `entriesOf` may give. */
  entries: readonly Collection<EntryDocument>[];
}

export interface MetaDocument {
  _id: typeof META_ID;
  epoch: string;
  /** What version 0.1 compares, and all later ones too: a process of a smaller version may not use this database. */
  schemaVersion: number;
  /** The same, for all versions but 0.1. Absent: 1. */
  minVersion?: number;
  /** How many of the steps of migrate.ts are done. Absent: none. */
  steps?: number;
  /** Of the step that is being done: by which process, and where its next part begins. */
  step?: { by: string; at?: string };
  createdAt: number;
  /** The greatest revision that a user was given. Absent: 0. */
  usersRev?: number;
}

export interface UserDocument {
  _id: string;
  name: string;
  nameKey: string;
  passwordHash?: string;
  createdAt: number;
  /** Absent: 0. */
  rev?: number;
  /** In here, so that a user and the first device are made by one insert, whole or not at all. */
  devices: DeviceDocument[];
}

export type DeviceDocument = Omit<NewDevice, 'user'>;

/** Its head and its count of members are not kept: they follow from `entries` and `members`. */
export interface RoomDocument {
  _id: string;
  kind: RoomKind;
  name: string;
  createdBy: string;
  createdAt: number;
}

export interface MemberDocument {
  room: string;
  user: string;
  present: boolean;
  /** Of the join or leave that decided. */
  serverOffset: number;
}

export interface MarkDocument {
  room: string;
  user: string;
  upTo: number;
}

/** The two that append is built on: their names stand in the message of a duplicate, and only there. */
export const ENTRIES_BY_OFFSET = 'entriesByOffset';
export const ENTRIES_BY_KEY = 'entriesByKey';

/** The five that were there first, in the form that they always had. */
const WITH_BODY = { $in: ['text', 'edit'] };
const WITHOUT_BODY = { $in: ['delete', 'join', 'leave'] };
const GROWN = { $nin: [...WITH_BODY.$in, ...WITHOUT_BODY.$in] };

/** The last line: whatever a mistake of ours may make, what is no entry does not get into a log. Any kind may. */
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
    { kind: GROWN, content: { $type: 'object' } },
    { kind: GROWN, content: { $exists: false } },
  ],
};

/** For messages.ts: of each kind, in the order of the log. */
export const ENTRIES_BY_KIND = {
  name: 'entriesByKind',
  key: { room: 1, kind: 1, serverOffset: 1 },
} satisfies IndexDescription;

/** A question says it too: not every planner sees that a `rev` that is greater than another one is one. */
export const HAS_REV = { rev: { $gt: 0 } };

export const USERS_BY_REV = {
  name: 'usersByRev',
  key: { rev: 1 },
  partialFilterExpression: HAS_REV,
} satisfies IndexDescription;

/** Of what has a target. A question says it too: not every planner sees that a target that is given is one. */
export const HAS_TARGET = { target: { $gt: 0 } };

/** All begin with the room, so that the collection can be sharded by it; `pending` has few, and no key to ask by. */
const ENTRY_INDEXES: IndexDescription[] = [
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
];

const INDEXES = {
  users: [
    { name: 'usersByName', key: { nameKey: 1 }, unique: true },
    USERS_BY_REV,
    { name: 'devicesById', key: { 'devices.id': 1 } },
    ...['tokenHash', 'claimHash'].map((field) => ({
      name: `devicesBy${field === 'tokenHash' ? 'Token' : 'Claim'}`,
      key: { [`devices.${field}`]: 1 },
      unique: true,
      // users without a device would all have the same key
      partialFilterExpression: { [`devices.${field}`]: { $exists: true } },
    })),
  ],
  rooms: [{ name: 'roomsByKind', key: { kind: 1, _id: 1 } }],
  members: [
    { name: 'membersOfRoom', key: { room: 1, user: 1 }, unique: true },
    { name: 'presentInRoom', key: { room: 1, present: 1 } },
    { name: 'roomsOfUser', key: { user: 1, present: 1, room: 1 } },
  ],
  marks: [{ name: 'marksOfUser', key: { user: 1, room: 1 }, unique: true }],
} satisfies Record<string, IndexDescription[]>;

/**
 * Of a database of nothing; an older one is made the same by the steps of migrate.ts. Whether there is a collection of
 * such a name already, or somebody makes it at the same moment, makes no difference.
 */
export const DEFINITIONS: { name: string; options: CreateCollectionOptions; indexes: IndexDescription[] }[] =
  [
    { name: 'entries', options: { validator: ENTRY_VALIDATOR }, indexes: ENTRY_INDEXES },
    ...Object.entries(INDEXES).map(([name, indexes]) => ({ name, options: {}, indexes })),
    // Capped: it forgets by itself, and says nothing of it to those who listen for changes, as a TTL index would.
    { name: EPHEMERAL, options: { capped: true, size: 1024 * 1024 }, indexes: [] },
  ];

/**
 * Concerns per operation, whatever the URL says: a write is acknowledged once the majority has it in its journals (L4),
 * a read sees only what the majority has (L2), and asks the primary, which knows first.
 */
export function collectionsOf(db: Db): Collections {
  const entries = db.collection<EntryDocument>('entries');
  return {
    meta: db.collection(META),
    users: db.collection('users'),
    rooms: db.collection('rooms'),
    members: db.collection('members'),
    marks: db.collection('marks'),
    entriesOf: () => entries,
    entries: [entries],
  };
}
