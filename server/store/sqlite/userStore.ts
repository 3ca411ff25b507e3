/** Users and their devices. */
import type { DatabaseSync } from 'node:sqlite';
import type { DeviceRecord, NewDevice, SignedInDevice, TakenPass, UserRecord, UserStore } from '../port.ts';
import { withRename } from '../renames.ts';
import type { Synchronous } from './calls.ts';
import { query, transactionOn } from './rows.ts';

export function usersOn(db: DatabaseSync): Synchronous<UserStore> {
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
    search: (nameKey, limit) => statements.search.all(nameKey, `${nameKey}${LAST_CHARACTER}`, limit),
    names: (ids) =>
      new Map(statements.names.all(JSON.stringify(ids)).map(({ id, name, rev }) => [id, { name, rev }])),
    rename: (id, name, nameKey, limit) =>
      transaction(() => {
        const other = statements.byNameKey.get(nameKey);
        if (other && other.id !== id) return 'taken';
        if (limit) {
          const times = withRename(JSON.parse(statements.renames.get(id)?.renames ?? '[]'), limit);
          if (!Array.isArray(times)) return times;
          statements.countRename.run(JSON.stringify(times), id);
        }
        const rev = statements.nextRev.get()!.usersRev;
        statements.rename.run(name, nameKey, rev, id);
        return { name, rev };
      }),
    changedSince: (rev, limit) => statements.changedSince.all(rev, limit),
    changedAround: (user, rev, limit) => statements.changedAround.all(user, rev, limit),
    latestRev: () => statements.latestRev.get()!.usersRev,
    setPassword: (id, passwordHash, keep, at) =>
      transaction(() => {
        statements.setPassword.run(passwordHash, id);
        statements.signOutOthers.run(at, id, keep);
        return statements.removeOthers.all(id, keep).map((device) => device.id);
      }),

    setRecovery: (id, recoveryHash) => void statements.setRecovery.run(recoveryHash, id),
    addDevice: (device, since, verified) =>
      transaction(() => {
        const user = statements.byId.get(device.user);
        if (!user || (user.passwordHash ?? undefined) !== verified) return 'outdated';
        return addDevice(device, since) > 0 ? 'added' : 'claimed';
      }),
    byToken: (tokenHash) => signedInOf(statements.byToken.get(tokenHash)),
    byClaim: (claimHash, since) => signedInOf(statements.byClaim.get(claimHash, since)),
    replaceToken: (device, tokenHash) => void statements.replaceToken.run(tokenHash, device),
    removeDevice: (user, device, at) =>
      transaction(() => {
        statements.signOut.run(at, device, user);
        return statements.removeDevice.run(device, user) > 0;
      }),
    wasSignedOut: (tokenHash) => statements.wasSignedOut.get(tokenHash) !== undefined,
    countDevices: (user) => statements.countDevices.get(user)!.count,
    devicesOf: (user) => statements.devicesOf.all(user),
    devicesAlive: (devices) => new Set(statements.alive.all(JSON.stringify(devices)).map(({ id }) => id)),
    devicesSeen: (devices, at) => void statements.devicesSeen.run(at, JSON.stringify(devices), at),
    expireDevices: (unusedSince, limit) =>
      transaction(() => {
        const devices = statements.expireDevices.run(unusedSince, limit);
        return devices + statements.expireSignOuts.run(unusedSince, limit - devices);
      }),

    addPass: ({ hash, kind, user, device, createdAt, expiresAt }, keep) =>
      transaction(() => {
        statements.expirePasses.run(createdAt);
        if (statements.addPass.run(hash, kind, user, device, createdAt, expiresAt) === 0) return false;
        statements.dropPasses.run(user, kind, hash, user, kind, hash, keep - 1);
        return true;
      }),
    takePass: (hash, claimHash, at) => statements.takePass.get(claimHash, hash, at, claimHash),
  };

  function addDevice({ id, user, tokenHash, claimHash, createdAt }: NewDevice, since: number): number {
    return statements.addDevice.run(id, user, tokenHash, claimHash, createdAt, createdAt, claimHash, since);
  }
}

/** Above all characters that a name may have: no code point is greater. */
const LAST_CHARACTER = '\u{10ffff}';

interface NamedRow {
  id: string;
  name: string;
  rev: number;
}

interface UserRow extends NamedRow {
  createdAt: number;
  passwordHash: string | null;
  recoveryHash: string | null;
}

function userOf(row: UserRow | undefined): UserRecord | undefined {
  if (!row) return undefined;
  const { id, name, rev, createdAt, passwordHash, recoveryHash } = row;
  const hashes = { passwordHash: passwordHash ?? undefined, recoveryHash: recoveryHash ?? undefined };
  return { id, name, rev, createdAt, ...hashes };
}

interface SignedInRow extends UserRow {
  device: string;
  seenAt: number;
}

function signedInOf(row: SignedInRow | undefined): SignedInDevice | undefined {
  const user = userOf(row);
  return row && user && { device: row.device, user, seenAt: row.seenAt };
}

function prepare(db: DatabaseSync) {
  const user =
    'SELECT users.id, users.name, users.rev, users.createdAt, users.passwordHash, users.recoveryHash';
  const signedIn = `${user}, devices.id AS device, devices.seenAt FROM devices JOIN users ON users.id = devices.user`;
  const signOut = 'INSERT OR REPLACE INTO signedOut (tokenHash, at) SELECT tokenHash, ? FROM devices';
  return {
    create: query(
      db,
      `INSERT INTO users (id, name, nameKey, passwordHash, createdAt) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (nameKey) DO NOTHING`,
    ),
    byNameKey: query<UserRow>(db, `${user} FROM users WHERE nameKey = ?`),
    byId: query<UserRow>(db, `${user} FROM users WHERE id = ?`),
    search: query<NamedRow>(
      db,
      'SELECT id, name, rev FROM users WHERE nameKey >= ? AND nameKey < ? ORDER BY nameKey LIMIT ?',
    ),
    names: query<NamedRow>(
      db,
      'SELECT id, name, rev FROM users WHERE id IN (SELECT value FROM json_each(?))',
    ),
    nextRev: query<{ usersRev: number }>(db, 'UPDATE meta SET usersRev = usersRev + 1 RETURNING usersRev'),
    latestRev: query<{ usersRev: number }>(db, 'SELECT usersRev FROM meta'),
    renames: query<{ renames: string }>(db, 'SELECT renames FROM users WHERE id = ?'),
    countRename: query(db, 'UPDATE users SET renames = ? WHERE id = ?'),
    rename: query(db, 'UPDATE users SET name = ?, nameKey = ?, rev = ? WHERE id = ?'),
    changedSince: query<NamedRow>(
      db,
      'SELECT id, name, rev FROM users WHERE rev > 0 AND rev > ? ORDER BY rev LIMIT ?',
    ),
    changedAround: query<NamedRow>(
      db,
      `SELECT id, name, rev FROM users WHERE rev > 0 AND rev > ?2 AND EXISTS (
         SELECT 1 FROM members AS mine JOIN members AS theirs ON theirs.room = mine.room
         WHERE mine.user = ?1 AND mine.present = 1 AND theirs.user = users.id AND theirs.present = 1
       ) ORDER BY rev LIMIT ?3`,
    ),
    setPassword: query(db, 'UPDATE users SET passwordHash = ?, recoveryHash = NULL WHERE id = ?'),
    setRecovery: query(db, 'UPDATE users SET recoveryHash = ? WHERE id = ?'),
    addDevice: query(
      db,
      `INSERT INTO devices (id, user, tokenHash, claimHash, createdAt, seenAt) SELECT ?, ?, ?, ?, ?, ?
       WHERE NOT EXISTS (SELECT 1 FROM devices WHERE claimHash = ? AND createdAt > ?)`,
    ),
    byToken: query<SignedInRow>(db, `${signedIn} WHERE devices.tokenHash = ?`),
    byClaim: query<SignedInRow>(
      db,
      `${signedIn} WHERE devices.claimHash = ? AND devices.createdAt > ? ORDER BY devices.createdAt DESC LIMIT 1`,
    ),
    replaceToken: query(db, 'UPDATE devices SET tokenHash = ? WHERE id = ?'),
    removeDevice: query(db, 'DELETE FROM devices WHERE id = ? AND user = ?'),
    signOut: query(db, `${signOut} WHERE id = ? AND user = ?`),
    removeOthers: query<{ id: string }>(db, 'DELETE FROM devices WHERE user = ? AND id <> ? RETURNING id'),
    signOutOthers: query(db, `${signOut} WHERE user = ? AND id <> ?`),
    wasSignedOut: query<{ at: number }>(db, 'SELECT at FROM signedOut WHERE tokenHash = ?'),
    devicesOf: query<DeviceRecord>(
      db,
      'SELECT id, createdAt, seenAt FROM devices WHERE user = ? ORDER BY createdAt DESC, id',
    ),
    devicesSeen: query(
      db,
      'UPDATE devices SET seenAt = ? WHERE id IN (SELECT value FROM json_each(?)) AND seenAt < ?',
    ),
    expireDevices: query(
      db,
      'DELETE FROM devices WHERE id IN (SELECT id FROM devices WHERE seenAt < ? ORDER BY seenAt LIMIT ?)',
    ),
    expireSignOuts: query(
      db,
      'DELETE FROM signedOut WHERE tokenHash IN (SELECT tokenHash FROM signedOut WHERE at < ? ORDER BY at LIMIT ?)',
    ),
    addPass: query(
      db,
      `INSERT INTO passes (hash, kind, user, device, createdAt, expiresAt) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (hash) DO NOTHING`,
    ),
    expirePasses: query(db, 'DELETE FROM passes WHERE expiresAt <= ?'),
    dropPasses: query(
      db,
      `DELETE FROM passes WHERE user = ? AND kind = ? AND hash <> ? AND hash NOT IN (
         SELECT hash FROM passes WHERE user = ? AND kind = ? AND hash <> ? ORDER BY createdAt DESC LIMIT ?)`,
    ),
    takePass: query<TakenPass>(
      db,
      `UPDATE passes SET claimHash = ? WHERE hash = ? AND expiresAt > ? AND (claimHash IS NULL OR claimHash = ?)
       RETURNING user, device, kind`,
    ),
    countDevices: query<{ count: number }>(db, 'SELECT count(*) AS count FROM devices WHERE user = ?'),
    alive: query<{ id: string }>(db, 'SELECT id FROM devices WHERE id IN (SELECT value FROM json_each(?))'),
  };
}
