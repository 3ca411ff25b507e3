/**
 * The database that does not belong to one user: who is signed in, and the claims of sign-ins. A claim is a secret by which
 * the same sign-in can be repeated. It is kept beyond the server's answer until the session cookie is surely on disk:
 * browsers write cookies up to 30 s late, and an app that is killed before that would lose access to its outbox.
 */
import type { DBSchema } from 'idb';
import type { Session, User } from '../../shared/protocol/index.ts';
import { nameKey } from '../../shared/text.ts';
import type { Clock } from './clock.ts';
import { openResilientDatabase, type ReadTx, type WriteTx } from './resilientDatabase.ts';

export interface SignedInHere {
  user: User;
  hasPassword?: boolean;
  hasRecoveryCode?: boolean | undefined;
  role?: Session['role'];
  devices?: number;
  /** The previous user, whom the server no longer knows: their outbox moves to this user (state/inherit.ts). */
  heirOf?: string;
}

export interface LocalDatabase {
  session(): Promise<SignedInHere | undefined>;
  /** The last user signed out and nobody signed in since. False if the browser deleted the storage. */
  isSignedOut(): Promise<boolean>;
  /** Stores who is signed in. Keeps their claim until it is dropped, and `heirOf` until the outbox has moved. */
  signIn(session: SignedInHere): Promise<void>;
  /** The previous user's outbox has moved. */
  inherited(session: SignedInHere): Promise<void>;
  /** Also deletes the claim, which could sign the user in again, and notes that the user's log is to be deleted. */
  signOut(): Promise<void>;
  /** The ids of users who signed out here and have not signed in again, and whose log is not deleted yet. */
  leftLogs(): Promise<string[]>;
  logDeleted(user: string): Promise<void>;
  /** The stored claim by which this name signed in, if there is one. */
  claimOf(name: string): Promise<string | undefined>;
  /** The stored claim of this name, whose answer is still pending, or else `fresh`, which is durable once this resolves. */
  claim(name: string, fresh: string): Promise<string>;
  /** The server refused the claim. */
  dropClaim(name: string): Promise<void>;
  /** The session works. Deletes the claim if it is old enough: the browser has written the cookie by then. */
  dropOldClaim(name: string): Promise<void>;
  close(): void;
}

/** The key of a note that this user's log is to be deleted. */
const LOG_OF = 'log of ';

interface Schema extends DBSchema {
  /** `nobody` is set by a sign-out: an empty store may also mean that the browser deleted the storage. */
  session: { key: 'current' | 'nobody' | `${typeof LOG_OF}${string}`; value: SignedInHere | true };
  claims: { key: string; value: { claim: string; since: number } };
}

/** Who is signed in. A function of its own for the service worker, which has to be small. */
export function readSession(indexedDB: IDBFactory, clock: Clock): Promise<SignedInHere | undefined> {
  const db = open(indexedDB, clock);
  return db.read(['session'], sessionIn).finally(db.close);
}

export function openLocalDatabase(indexedDB: IDBFactory, clock: Clock): LocalDatabase {
  const db = open(indexedDB, clock);
  return {
    session: () => db.read(['session'], sessionIn),
    isSignedOut: () =>
      db.read(['session'], async (tx) => (await tx.objectStore('session').get('nobody')) === true),
    signIn: (session) =>
      db.write(['session'], async (tx) => {
        const before = await sessionIn(tx);
        const heirOf = before?.user.id === session.user.id ? before.heirOf : undefined;
        await tx.objectStore('session').put({ ...(heirOf && { heirOf }), ...session }, 'current');
        await tx.objectStore('session').delete('nobody');
        await tx.objectStore('session').delete(`${LOG_OF}${session.user.id}`);
      }),
    inherited: ({ user }) =>
      db.write(['session'], async (tx) => {
        const now = await sessionIn(tx);
        if (now?.user.id !== user.id) return;
        const { heirOf: _, ...session } = now;
        await tx.objectStore('session').put(session, 'current');
      }),
    signOut: () =>
      db.write(['session', 'claims'], async (tx) => {
        const session = await sessionIn(tx);
        if (session) {
          await tx.objectStore('claims').delete(nameKey(session.user.name));
          await tx.objectStore('session').put(true, `${LOG_OF}${session.user.id}`);
        }
        await tx.objectStore('session').delete('current');
        await tx.objectStore('session').put(true, 'nobody');
      }),
    leftLogs: () =>
      db.read(['session'], async (tx) => {
        const keys = await tx.objectStore('session').getAllKeys();
        return keys.flatMap((key) => (key.startsWith(LOG_OF) ? key.slice(LOG_OF.length) : []));
      }),
    logDeleted: (user) => db.write(['session'], (tx) => tx.objectStore('session').delete(`${LOG_OF}${user}`)),
    claimOf: (name) =>
      db.read(['claims'], async (tx) => (await tx.objectStore('claims').get(nameKey(name)))?.claim),
    claim: (name, fresh) =>
      db.write(['claims'], async (tx) => {
        const claims = tx.objectStore('claims');
        const waiting = await claims.get(nameKey(name));
        if (waiting) return waiting.claim;
        await claims.put({ claim: fresh, since: clock.now() }, nameKey(name));
        return fresh;
      }),
    dropClaim: (name) => db.write(['claims'], (tx) => tx.objectStore('claims').delete(nameKey(name))),
    dropOldClaim: (name) =>
      db.write(['claims'], async (tx) => {
        const kept = await tx.objectStore('claims').get(nameKey(name));
        if (kept && clock.now() - kept.since > COOKIE_WRITTEN_MS)
          await tx.objectStore('claims').delete(nameKey(name));
      }),
    close: () => db.close(),
  };
}

function open(indexedDB: IDBFactory, clock: Clock) {
  return openResilientDatabase<Schema>({
    indexedDB,
    clock,
    name: 'holdfast',
    version: 1,
    migrate(created) {
      created.createObjectStore('session');
      created.createObjectStore('claims');
    },
  });
}

async function sessionIn(tx: ReadTx<Schema> | WriteTx<Schema>): Promise<SignedInHere | undefined> {
  const kept = await tx.objectStore('session').get('current');
  return kept === true ? undefined : kept;
}

/** Twice the 30 s that Chromium may take to write a cookie to its file. */
const COOKIE_WRITTEN_MS = 60_000;
