/** What the worker does when the browser wakes it because there is a network: it sends for whoever is signed in (O2, O5). */

import { idFrom } from '../../shared/mint.ts';
import { classOf } from '../../shared/protocol/codes.ts';
import { type Channel, channelOf, createChanges } from '../db/changes.ts';
import type { Clock } from '../db/clock.ts';
import { readSession } from '../db/local.ts';
import { openUserDatabase, type UserDatabase } from '../db/schema.ts';
import { putFeatures } from '../outbox/features.ts';
import { drainLockOf } from '../outbox/lock.ts';
import { type Drained, drainOnce } from '../outbox/worker.ts';
import { CONNECT_WITHIN_MS } from '../records/pageLimits.ts';
import { appendByHttp, sessionByHttp } from '../transport/workerCalls.ts';

export interface WakeDeps {
  indexedDB: IDBFactory;
  clock: Clock;
  random: () => number;
  randomBytes: (count: number) => Uint8Array;
  locks: LockManager;
  fetch: typeof globalThis.fetch;
  channel: (name: string) => Channel;
}

export async function wake(deps: WakeDeps): Promise<Drained> {
  const { indexedDB, clock, random, locks } = deps;
  const session = await readSession(indexedDB, clock);
  if (!session) return 'empty';
  const me = session.user.id;
  const db = openUserDatabase(indexedDB, clock, me);
  const changes = createChanges(deps.channel(channelOf(me)), () => {});
  try {
    return await drainOnce({
      db,
      me,
      clock,
      random,
      locks,
      lockName: drainLockOf(me),
      reach: () => reach(deps, db, me),
      newKey: () => idFrom(deps.randomBytes(16)),
      append: (items, signal) => appendByHttp(deps.fetch, me, items, signal),
      beat: (holder) => changes.tell({ type: 'draining', holder }),
      placed: (placed) => changes.tell({ type: 'placed', placed }), // to a page that is open; the next one sees for itself
      changed: (rooms, type) => changes.tell({ type, rooms }),
    });
  } finally {
    changes.close();
    db.close();
  }
}

/** Whether there is a way to the server, and, kept for what is sent then, what it takes. */
async function reach(
  { fetch, clock }: WakeDeps,
  db: UserDatabase,
  me: string,
): Promise<'yes' | 'no' | 'refused'> {
  const abort = new AbortController();
  const timer = clock.setTimeout(() => abort.abort(), CONNECT_WITHIN_MS);
  const session = await sessionByHttp(fetch, abort.signal);
  clock.clearTimeout(timer);
  if (!session.ok) return ['auth', 'upgrade'].includes(classOf(session.error.code)) ? 'refused' : 'no';
  const { user, features } = session.value;
  if (user.id !== me) return 'refused';
  await db.write(['meta'], (tx) => putFeatures(tx, features));
  return 'yes';
}
