/**
 * What the service worker does when the browser wakes it because there is a network: it sends the outbox of the
 * signed-in user (O2, O5). It has no socket and asks the server by HTTP; the server answers with the same code as over
 * the socket.
 */

import { idFrom } from '../../shared/mint.ts';
import { classOf } from '../../shared/protocol/codes.ts';
import { type Acknowledgement, Appended, type Item, Session } from '../../shared/protocol/index.ts';
import { type Channel, channelOf, createChanges } from '../db/changes.ts';
import type { Clock } from '../db/clock.ts';
import { putFeatures } from '../db/features.ts';
import { readSession } from '../db/local.ts';
import { openUserDatabase, type UserDatabase } from '../db/userDatabase.ts';
import { type BackgroundResult, drainInBackground } from '../outbox/backgroundDrain.ts';
import { drainLockOf } from '../outbox/drainLock.ts';
import { CONNECT_WITHIN_MS } from '../records/pageLimits.ts';
import { readBody } from '../transport/bodies.ts';
import { httpCall } from '../transport/httpCall.ts';

export interface WakeDeps {
  indexedDB: IDBFactory;
  clock: Clock;
  random: () => number;
  randomBytes: (count: number) => Uint8Array;
  locks: LockManager;
  fetch: typeof globalThis.fetch;
  channel: (name: string) => Channel;
}

export async function wake(deps: WakeDeps): Promise<BackgroundResult> {
  const { indexedDB, clock, random, locks } = deps;
  const session = await readSession(indexedDB, clock);
  if (!session) return 'empty';
  const me = session.user.id;
  const db = openUserDatabase(indexedDB, clock, me);
  const changes = createChanges(deps.channel(channelOf(me)), () => {});
  try {
    return await drainInBackground({
      db,
      me,
      clock,
      random,
      locks,
      lockName: drainLockOf(me),
      reach: () => reach(deps, db, me),
      newKey: () => idFrom(deps.randomBytes(16)),
      append: (items, signal) => append(deps, me, items, signal),
      lockHeartbeat: (fenceToken) => changes.tell({ type: 'draining', holder: fenceToken }),
      placed: (placed) => changes.tell({ type: 'placed', placed }), // for pages that are open; a page that opens later looks by itself
      changed: (rooms, type) => changes.tell({ type, rooms }),
    });
  } finally {
    changes.close();
    db.close();
  }
}

/**
 * Whether the browser has to wake the worker again. After `taken-over` as well: the tab may be closed before it has sent.
 */
export function mustRunAgain(result: BackgroundResult): boolean {
  return result === 'left' || result === 'taken-over';
}

/** Whether the server answers this session. If it does, stores which features it has: rows of others must wait. */
async function reach(
  { fetch, clock }: WakeDeps,
  db: UserDatabase,
  me: string,
): Promise<'yes' | 'no' | 'refused'> {
  const abort = new AbortController();
  const timer = clock.setTimeout(() => abort.abort(), CONNECT_WITHIN_MS);
  const call = { fetch, method: 'GET', path: '/api/session', signal: abort.signal };
  const result = await httpCall(call, (ok, text) => readBody(Session, ok, text));
  clock.clearTimeout(timer);
  if (!result.ok) return ['auth', 'upgrade'].includes(classOf(result.error.code)) ? 'refused' : 'no';
  const { user, features } = result.value;
  if (user.id !== me) return 'refused';
  await db.write(['meta'], (tx) => putFeatures(tx, features));
  return 'yes';
}

/** `undefined`: no answer. The items may have arrived all the same, and are sent again under the same keys. */
async function append(
  { fetch }: WakeDeps,
  as: string,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<Acknowledgement<'append'> | undefined> {
  const call = { fetch, method: 'POST', path: '/api/append', body: { as, items }, signal };
  const result = await httpCall(call, (ok, text) => readBody(Appended, ok, text));
  if (result.ok) return result.value;
  return result.error.code === 'unreachable' ? undefined : result;
}
