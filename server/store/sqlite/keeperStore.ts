/** Keepers, the requests to come back, and suspensions. */
import type { DatabaseSync } from 'node:sqlite';
import type { ComeBackRequest, KeeperStore, RequestState } from '../port.ts';
import type { Synchronous } from './calls.ts';
import { query } from './rows.ts';

export function keepersOn(db: DatabaseSync): Synchronous<KeeperStore> {
  const columns = 'hash, user, number, createdAt, expiresAt';
  const add = query(db, 'INSERT INTO keepers (user, since) VALUES (?, ?) ON CONFLICT (user) DO NOTHING');
  const remove = query(
    db,
    'DELETE FROM keepers WHERE user = ?1 AND EXISTS (SELECT 1 FROM keepers WHERE user <> ?1)',
  );
  const all = query<{ user: string }>(db, 'SELECT user FROM keepers ORDER BY since, user');
  const suspend = query(
    db,
    'INSERT INTO suspensions (user, since) VALUES (?, ?) ON CONFLICT (user) DO NOTHING',
  );
  const lift = query(db, 'DELETE FROM suspensions WHERE user = ?');
  const suspended = query<{ user: string }>(db, 'SELECT user FROM suspensions');
  const first = query<{ id: string }>(db, 'SELECT id FROM users ORDER BY createdAt, id LIMIT 1');
  const expire = query(db, 'DELETE FROM requests WHERE expiresAt <= ?');
  const addRequest = query(db, `INSERT INTO requests (${columns}) VALUES (?, ?, ?, ?, ?)`);
  const waiting = query<ComeBackRequest>(
    db,
    `SELECT ${columns} FROM requests WHERE state = 'waiting' AND expiresAt > ? ORDER BY createdAt, hash`,
  );
  const stateOf = query<{ state: RequestState }>(
    db,
    'SELECT state FROM requests WHERE hash = ? AND expiresAt > ?',
  );
  const decide = query<ComeBackRequest>(
    db,
    `UPDATE requests SET state = ? WHERE hash = ? AND state IN ('waiting', ?) AND expiresAt > ? RETURNING ${columns}`,
  );

  return {
    add: (user, at) => void add.run(user, at),
    remove: (user) => remove.run(user) > 0,
    all: () => all.all().map(({ user }) => user),
    suspend: (user, at) => void suspend.run(user, at),
    lift: (user) => void lift.run(user),
    suspended: () => suspended.all().map(({ user }) => user),
    firstUser: () => first.get()?.id,
    addRequest({ hash, user, number, createdAt, expiresAt }) {
      expire.run(createdAt);
      addRequest.run(hash, user, number, createdAt, expiresAt);
    },
    requests: (at) => waiting.all(at),
    requestState: (hash, at) => stateOf.get(hash, at)?.state,
    decide: (hash, state, at) => decide.get(state, hash, state, at),
  };
}
