/** What the main thread can ask of the threads that have the database open, and what goes between them. */
import type { DatabaseSync } from 'node:sqlite';
import type { KindRule } from '../../../shared/kinds.ts';
import { appendOn } from './append.ts';
import type { FaultKind } from './faults.ts';
import { readsOn } from './reads.ts';
import { roomsOn } from './rooms.ts';
import { usersOn } from './users.ts';

/** Every call, by group and name. They are synchronous: a thread answers one at a time, in the order they were asked. */
export function callsOn(db: DatabaseSync) {
  const answers = db.prepare('SELECT epoch FROM meta');
  return {
    log: { append: appendOn(db), ...readsOn(db) },
    users: usersOn(db),
    rooms: roomsOn(db),
    database: {
      ping: (): void => {
        answers.get();
      },
    },
  };
}

/** `writer` changes the database; `reader` reads it meanwhile, each call in a transaction of its own. */
export type Role = 'writer' | 'reader';

/**
 * Which thread answers each call. The reader takes all that may read much or wait: an append never waits behind it. It
 * sees whatever was acknowledged before it was asked. The writer takes what writes, and `find`: a key that is looked up
 * while its first append is under way is found by whoever asked after that append.
 */
export const ANSWERED_BY = {
  log: {
    append: 'writer',
    find: 'writer',
    range: 'reader',
    heads: 'reader',
    timesAt: 'reader',
    messageAt: 'reader',
    unread: 'reader',
    lastSeq: 'reader',
    since: 'reader',
  },
  users: {
    create: 'writer',
    rename: 'writer',
    setPassword: 'writer',
    addDevice: 'writer',
    replaceToken: 'writer',
    removeDevice: 'writer',
    byNameKey: 'reader',
    byId: 'reader',
    names: 'reader',
    changedSince: 'reader',
    changedAround: 'reader',
    latestRev: 'reader',
    byToken: 'reader',
    byClaim: 'reader',
    countDevices: 'reader',
    devicesAlive: 'reader',
  },
  rooms: {
    create: 'writer',
    mark: 'writer',
    byId: 'reader',
    listPublic: 'reader',
    ofUser: 'reader',
    ofUsers: 'reader',
    isMember: 'reader',
  },
} as const satisfies { [G in StoreGroup]: Record<Method<G>, Role> };

export type Calls = ReturnType<typeof callsOn>;
export type Group = keyof Calls;
/** The parts of the store: what is asked of one thread or the other. */
export type StoreGroup = Exclude<Group, 'database'>;
// biome-ignore lint/suspicious/noExplicitAny: any function at all
type Fn = (...args: any) => any;
export type Method<G extends Group> = keyof Calls[G] & string;
export type Arguments<G extends Group, M extends Method<G>> = Calls[G][M] extends Fn
  ? Parameters<Calls[G][M]>
  : never;
export type Answer<G extends Group, M extends Method<G>> = Calls[G][M] extends Fn
  ? ReturnType<Calls[G][M]>
  : never;

type Call = {
  [G in Group]: {
    [M in Method<G>]: { tag: 'call'; id: number; group: G; method: M; args: Arguments<G, M> };
  }[Method<G>];
}[Group];

/** What a thread is started with. `isKnownWhole`: see `openDatabase`. */
export interface ThreadData {
  file: string;
  role: Role;
  isKnownWhole: boolean;
  /** The main thread's table of kinds. */
  kinds: ReadonlyMap<string, KindRule>;
}

/** Main thread → database: `open` first. */
export type ToDatabase = Call | { tag: 'open' } | { tag: 'close' };

/**
 * Database → main thread: `opened` or `unusable` once, then a reply per call in order, and `closed` in the end.
 * `isChecked`: see `Opened`. `isComplete`: nothing is left in the log of changes.
 */
export type FromDatabase =
  | { tag: 'opened'; epoch: string; isChecked: boolean }
  | { tag: 'unusable'; message: string; isDamaged: boolean }
  | { tag: 'closed'; isComplete: boolean }
  | { tag: 'answer'; id: number; value: unknown }
  | { tag: 'fault'; id: number; kind: FaultKind; message: string };

/** One side of the port, as it is where nothing has to be waited for. */
export type Sync<Part> = {
  [Name in keyof Part]: Part[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Value
    : never;
};
