/**
 * What this browser knows before it knows whose it is: who is signed in, and the claims of sign-ins. A claim outlives
 * its answer until the cookie is known to be stored: browsers write cookies up to 30 s late, and an app that is killed
 * before that would be locked out of its own outbox.
 */
import type { DBSchema } from 'idb';
import type { User } from '../../shared/protocol/index.ts';
import { nameKey } from '../../shared/text.ts';
import type { Clock } from './clock.ts';
import { openDatabase, type ReadTx, type WriteTx } from './database.ts';

export interface SignedInHere {
  user: User;
  hasPassword?: boolean;
  devices?: number;
  /** The user before, whom the server does not know any more: what waits of theirs comes along (state/inherit.ts). */
  heirOf?: string;
}

export interface LocalDatabase {
  session(): Promise<SignedInHere | undefined>;
  /** Somebody signed out and nobody signed in since. False where the browser threw the storage away: nobody signed out. */
  isSignedOut(): Promise<boolean>;
  /** Who is signed in now. Their claim stays, until it is dropped; and whose heir they are, until all has come along. */
  signIn(session: SignedInHere): Promise<void>;
  /** Nothing is left of the user before. */
  inherited(session: SignedInHere): Promise<void>;
  /** Nobody is; a claim that could sign them in again goes with it. */
  signOut(): Promise<void>;
  /** The claim by which this name was signed in, while it is still kept. */
  claimOf(name: string): Promise<string | undefined>;
  /** The claim for this name: the one that still waits for its answer, or `fresh`, durable before it is used. */
  claim(name: string, fresh: string): Promise<string>;
  /** The server refused: the claim is used up. */
  dropClaim(name: string): Promise<void>;
  /** The session holds. When that is so for long enough, the browser has written the cookie, and no claim is needed. */
  dropOldClaim(name: string): Promise<void>;
  close(): void;
}

interface Schema extends DBSchema {
  /** `nobody` is there after a sign-out: an empty store says nothing of who should be in. */
  session: { key: 'current' | 'nobody'; value: SignedInHere | true };
  claims: { key: string; value: { claim: string; since: number } };
}

/** Who is signed in here: all that the service worker, which has to be small, asks of this database. */
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
        if (session) await tx.objectStore('claims').delete(nameKey(session.user.name));
        await tx.objectStore('session').delete('current');
        await tx.objectStore('session').put(true, 'nobody');
      }),
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
  return openDatabase<Schema>({
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
