/** Invitations to rooms, and who has used them. */
import type { DatabaseSync } from 'node:sqlite';
import { type InvitationRecord, type InvitationStore, stateOfInvitation } from '../port.ts';
import type { Synchronous } from './calls.ts';
import { query, transactionOn } from './rows.ts';

type InvitationRow = Omit<InvitationRecord, 'makesAccounts' | 'revokedAt'> & {
  makesAccounts: 0 | 1;
  revokedAt: number | null;
};

export function invitationsOn(db: DatabaseSync): Synchronous<InvitationStore> {
  const transaction = transactionOn(db);
  const columns =
    'hash, codeHash, room, createdBy, createdAt, expiresAt, maxUses, makesAccounts, uses, revokedAt';
  const select = `SELECT ${columns} FROM invitations`;
  const valid = 'revokedAt IS NULL AND expiresAt > ?';
  const expireUses = query(
    db,
    'DELETE FROM invitationUses WHERE invitation IN (SELECT hash FROM invitations WHERE expiresAt <= ?)',
  );
  const expire = query(db, 'DELETE FROM invitations WHERE expiresAt <= ?');
  const add = query(
    db,
    `INSERT INTO invitations (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, NULL) ON CONFLICT DO NOTHING`,
  );
  const find = query<InvitationRow>(db, `${select} WHERE hash = ? OR codeHash = ?`);
  const used = query<{ user: string }>(
    db,
    'SELECT user FROM invitationUses WHERE invitation = ? AND user = ?',
  );
  const addUse = query(db, 'INSERT INTO invitationUses (invitation, user) VALUES (?, ?)');
  const removeUse = query(db, 'DELETE FROM invitationUses WHERE invitation = ? AND user = ?');
  const count = query(db, 'UPDATE invitations SET uses = uses + ? WHERE hash = ?');
  const order = 'ORDER BY createdAt, hash';
  const ofRoom = query<InvitationRow>(db, `${select} WHERE room = ? AND ${valid} ${order}`);
  const all = query<InvitationRow>(db, `${select} WHERE ${valid} ${order}`);
  const revoke = query(db, 'UPDATE invitations SET revokedAt = ? WHERE hash = ? AND revokedAt IS NULL');
  const revokeOf = query(
    db,
    'UPDATE invitations SET revokedAt = ? WHERE createdBy = ? AND room = coalesce(?, room) AND revokedAt IS NULL',
  );

  return {
    add: (made, keptSince) =>
      transaction(() => {
        expireUses.run(keptSince);
        expire.run(keptSince);
        const { hash, codeHash, room, createdBy, createdAt, expiresAt, maxUses, makesAccounts } = made;
        const flag = makesAccounts ? 1 : 0;
        return add.run(hash, codeHash, room, createdBy, createdAt, expiresAt, maxUses, flag) > 0;
      }),
    find: (hash) => recordOf(find.get(hash, hash)),
    use: (hash, user, at) =>
      transaction(() => {
        const invitation = recordOf(find.get(hash, hash));
        if (!invitation) return undefined;
        const state = stateOfInvitation(invitation, at);
        if (state === 'revoked' || state === 'expired') return state;
        if (used.get(hash, user)) return 'before';
        if (state === 'used-up') return state;
        addUse.run(hash, user);
        count.run(1, hash);
        return 'used';
      }),
    giveBack: (hash, user) =>
      transaction(() => {
        if (removeUse.run(hash, user) > 0) count.run(-1, hash);
      }),
    ofRoom: (room, at) => ofRoom.all(room, at).map((row) => recordOf(row)!),
    all: (at) => all.all(at).map((row) => recordOf(row)!),
    revoke: (hash, at) => void revoke.run(at, hash),
    revokeOf: (user, room, at) => void revokeOf.run(at, user, room ?? null),
  };
}

function recordOf(row: InvitationRow | undefined): InvitationRecord | undefined {
  if (!row) return undefined;
  const { makesAccounts, revokedAt, ...rest } = row;
  return { ...rest, makesAccounts: makesAccounts === 1, revokedAt: revokedAt ?? undefined };
}
