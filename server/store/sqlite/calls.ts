/** The calls that the main thread makes to the database threads, which thread answers each, and the messages between them. */
import type { DatabaseSync } from 'node:sqlite';
import type { KindRule } from '../../../shared/kinds.ts';
import type { Lane } from '../callQueue.ts';
import { appendOn } from './append.ts';
import type { FaultKind } from './faults.ts';
import { invitationsOn } from './invitationStore.ts';
import { keepersOn } from './keeperStore.ts';
import { readsOn } from './logReads.ts';
import { presenceOn } from './presenceStore.ts';
import { reportsOn } from './reportStore.ts';
import { roomsOn } from './roomStore.ts';
import { usersOn } from './userStore.ts';

/** Every call, by group and name. Calls are synchronous: a thread answers one at a time, in the order of the messages. */
export function callsOn(db: DatabaseSync) {
  const answers = db.prepare('SELECT epoch FROM meta');
  return {
    log: { append: appendOn(db), ...readsOn(db) },
    users: usersOn(db),
    rooms: roomsOn(db),
    keepers: keepersOn(db),
    invitations: invitationsOn(db),
    presence: presenceOn(db),
    reports: reportsOn(db),
    database: {
      ping: (): void => {
        answers.get();
      },
    },
  };
}

/** The `writer` changes the database; meanwhile the `reader` reads, each call in its own transaction. */
export type Role = 'writer' | 'reader';

/**
 * Which thread answers each call. The reader answers calls that may read much, so that no append waits behind them; it sees
 * everything that was acknowledged before the call. The writer answers calls that write, and `find`: a lookup of a key that
 * is asked after the append of that key must find it, also while the append is under way.
 */
export const ANSWERED_BY = {
  log: {
    append: 'writer',
    find: 'writer',
    range: 'reader',
    entriesAt: 'reader',
    reactionsTo: 'reader',
    reactors: 'reader',
    heads: 'reader',
    timesAt: 'reader',
    messageAt: 'reader',
    messageFrom: 'reader',
    unread: 'reader',
    mentions: 'reader',
    lastSeq: 'reader',
    since: 'reader',
  },
  users: {
    create: 'writer',
    rename: 'writer',
    setPassword: 'writer',
    setRecovery: 'writer',
    addDevice: 'writer',
    replaceToken: 'writer',
    removeDevice: 'writer',
    devicesSeen: 'writer',
    expireDevices: 'writer',
    addPass: 'writer',
    takePass: 'writer',
    byNameKey: 'reader',
    search: 'reader',
    byId: 'reader',
    names: 'reader',
    changedSince: 'reader',
    changedAround: 'reader',
    latestRev: 'reader',
    byToken: 'reader',
    byClaim: 'reader',
    wasSignedOut: 'reader',
    countDevices: 'reader',
    devicesOf: 'reader',
    devicesAlive: 'reader',
  },
  rooms: {
    create: 'writer',
    begin: 'writer',
    mark: 'writer',
    reach: 'writer',
    reached: 'reader',
    choose: 'writer',
    chosen: 'reader',
    blockedSince: 'reader',
    byId: 'reader',
    about: 'reader',
    listPublic: 'reader',
    searchPublic: 'reader',
    ofUser: 'reader',
    ofUsers: 'reader',
    isMember: 'reader',
    countOf: 'reader',
    countCreated: 'reader',
    countBegun: 'reader',
    leaves: 'reader',
    readUpTo: 'reader',
    readers: 'reader',
    members: 'reader',
    roles: 'reader',
    exits: 'reader',
    banned: 'reader',
  },
  keepers: {
    add: 'writer',
    remove: 'writer',
    addRequest: 'writer',
    decide: 'writer',
    suspend: 'writer',
    lift: 'writer',
    suspended: 'reader',
    all: 'reader',
    firstUser: 'reader',
    requests: 'reader',
    requestState: 'reader',
  },
  invitations: {
    add: 'writer',
    use: 'writer',
    giveBack: 'writer',
    revoke: 'writer',
    revokeOf: 'writer',
    find: 'reader',
    ofRoom: 'reader',
    all: 'reader',
  },
  presence: {
    seen: 'writer',
    hide: 'writer',
    hideReads: 'writer',
    of: 'reader',
  },
  reports: {
    add: 'writer',
    close: 'writer',
    toKeepers: 'writer',
    open: 'reader',
    find: 'reader',
  },
} as const satisfies { [G in StoreGroup]: Record<Method<G>, Role> };

/**
 * On the writer appends go before all other calls. On the reader these go after the short reads that a handshake needs: they
 * may read much.
 */
const LONG_READS: { [G in StoreGroup]?: readonly Method<G>[] } = {
  log: ['range'],
  users: ['changedSince', 'changedAround'],
  rooms: ['listPublic', 'searchPublic', 'ofUsers', 'leaves'],
  keepers: ['firstUser'],
  invitations: ['all'],
  presence: ['of'],
  reports: ['open'],
};

export function laneOf<G extends Group>(group: G, method: Method<G>): Lane {
  if (group === 'database') return 'first';
  const role: Role = (ANSWERED_BY as Record<string, Record<string, Role>>)[group]![method]!;
  if (role === 'writer') return method === 'append' ? 'first' : 'later';
  return (LONG_READS as Record<string, readonly string[]>)[group]!.includes(method) ? 'later' : 'first';
}

export type Calls = ReturnType<typeof callsOn>;
export type Group = keyof Calls;
/** The groups that belong to the store's interface; `database` is asked of both threads. */
export type StoreGroup = Exclude<Group, 'database'>;
// biome-ignore lint/suspicious/noExplicitAny: any function at all
type Fn = (...args: any) => any;
export type Method<G extends Group> = keyof Calls[G] & string;
export type Arguments<G extends Group, M extends Method<G>> = Calls[G][M] extends Fn
  ? Parameters<Calls[G][M]>
  : never;
export type CallResult<G extends Group, M extends Method<G>> = Calls[G][M] extends Fn
  ? ReturnType<Calls[G][M]>
  : never;

/** Makes one call to a thread, and resolves with its result. */
export type Call<Groups extends Group = Group> = <G extends Groups, M extends Method<G>>(
  group: G,
  method: M,
  ...args: Arguments<G, M>
) => Promise<CallResult<G, M>>;

/** One call, in a message with others. */
export type CallMessage = {
  [G in Group]: {
    [M in Method<G>]: { tag: 'call'; id: number; group: G; method: M; args: Arguments<G, M> };
  }[Method<G>];
}[Group];

/** `workerData` of a thread. For `isKnownWhole` see `openWriter`. */
export interface ThreadData {
  file: string;
  role: Role;
  isKnownWhole: boolean;
  /** The table of kinds of the main thread, which has its own instance of that module. */
  kinds: ReadonlyMap<string, KindRule>;
}

/** Main thread → database thread. `open` comes first. */
export type ToDatabase = { tag: 'calls'; calls: CallMessage[] } | { tag: 'open' } | { tag: 'close' };

/**
 * Database thread → main thread: `opened` or `unusable` once, then a reply per call in order, and `closed` at the end. `moved`: the
 * file was moved while it is open.
 * For `isChecked` see `OpenedWriter`. `isComplete`: the WAL file holds no more commits.
 */
export type FromDatabase =
  | { tag: 'opened'; epoch: string; isChecked: boolean }
  | { tag: 'unusable'; message: string; why: 'damaged' | 'moved' | undefined }
  | { tag: 'moved'; message: string }
  /** Another process copies the file, or has given that up. */
  | { tag: 'moving'; isMoving: boolean }
  | { tag: 'closed'; isComplete: boolean }
  /** One reply per call of a message, in order; fewer where the thread ends. */
  | { tag: 'replies'; replies: Reply[] };

export type Reply =
  | { tag: 'answer'; id: number; value: unknown }
  | { tag: 'fault'; id: number; kind: FaultKind; isFull: boolean; message: string };

/** A part of the store's interface with synchronous methods. */
export type Synchronous<Part> = {
  [Name in keyof Part]: Part[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Value
    : never;
};
