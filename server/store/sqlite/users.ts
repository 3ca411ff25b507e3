/** People and their devices. */
import type { DatabaseSync } from 'node:sqlite';
import type { NewDevice, SignedIn, StoredUser, UserStore } from '../port.ts';
import type { Sync } from './calls.ts';
import { query, transactionOn } from './query.ts';

export function usersOn(db: DatabaseSync): Sync<UserStore> {
  const transaction = transactionOn(db);
  const statements = prepare(db);

  return {
    create: (user, device) =>
      transaction(() => {
        const { id, name, nameKey, passwordHash, createdAt } = user;
        const made = statements.create.run(id, name, nameKey, passwordHash ?? null, createdAt);
        if (made === 0) return 'taken';
        addDevice(device, Number.POSITIVE_INFINITY);
        return 'created';
      }),
    byNameKey: (nameKey) => userOf(statements.byNameKey.get(nameKey)),
    byId: (id) => userOf(statements.byId.get(id)),
    names: (ids) => new Map(statements.names.all(JSON.stringify(ids)).map(({ id, name }) => [id, name])),
    setPassword: (id, passwordHash) => void statements.setPassword.run(passwordHash, id),

    addDevice: (device, since) => (addDevice(device, since) > 0 ? 'added' : 'claimed'),
    byToken: (tokenHash) => signedInOf(statements.byToken.get(tokenHash)),
    byClaim: (claimHash, since) => signedInOf(statements.byClaim.get(claimHash, since)),
    replaceToken: (device, tokenHash) => void statements.replaceToken.run(tokenHash, device),
    removeDevice: (device) => statements.removeDevice.run(device) > 0,
    countDevices: (user) => statements.countDevices.get(user)!.count,
    devicesAlive: (devices) => new Set(statements.alive.all(JSON.stringify(devices)).map(({ id }) => id)),
  };

  function addDevice({ id, user, tokenHash, claimHash, createdAt }: NewDevice, since: number): number {
    return statements.addDevice.run(id, user, tokenHash, claimHash, createdAt, claimHash, since);
  }
}

interface UserRow {
  id: string;
  name: string;
  passwordHash: string | null;
}

function userOf(row: UserRow | undefined): StoredUser | undefined {
  return row && { id: row.id, name: row.name, passwordHash: row.passwordHash ?? undefined };
}

function signedInOf(row: (UserRow & { device: string }) | undefined): SignedIn | undefined {
  const user = userOf(row);
  return row && user && { device: row.device, user };
}

function prepare(db: DatabaseSync) {
  const user = 'SELECT users.id, users.name, users.passwordHash';
  const signedIn = `${user}, devices.id AS device FROM devices JOIN users ON users.id = devices.user`;
  return {
    create: query(
      db,
      `INSERT INTO users (id, name, nameKey, passwordHash, createdAt) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (nameKey) DO NOTHING`,
    ),
    byNameKey: query<UserRow>(db, `${user} FROM users WHERE nameKey = ?`),
    byId: query<UserRow>(db, `${user} FROM users WHERE id = ?`),
    names: query<{ id: string; name: string }>(
      db,
      'SELECT id, name FROM users WHERE id IN (SELECT value FROM json_each(?))',
    ),
    setPassword: query(db, 'UPDATE users SET passwordHash = ? WHERE id = ?'),
    addDevice: query(
      db,
      `INSERT INTO devices (id, user, tokenHash, claimHash, createdAt) SELECT ?, ?, ?, ?, ?
       WHERE NOT EXISTS (SELECT 1 FROM devices WHERE claimHash = ? AND createdAt > ?)`,
    ),
    byToken: query<UserRow & { device: string }>(db, `${signedIn} WHERE devices.tokenHash = ?`),
    byClaim: query<UserRow & { device: string }>(
      db,
      `${signedIn} WHERE devices.claimHash = ? AND devices.createdAt > ? ORDER BY devices.createdAt DESC LIMIT 1`,
    ),
    replaceToken: query(db, 'UPDATE devices SET tokenHash = ? WHERE id = ?'),
    removeDevice: query(db, 'DELETE FROM devices WHERE id = ?'),
    countDevices: query<{ count: number }>(db, 'SELECT count(*) AS count FROM devices WHERE user = ?'),
    alive: query<{ id: string }>(db, 'SELECT id FROM devices WHERE id IN (SELECT value FROM json_each(?))'),
  };
}
