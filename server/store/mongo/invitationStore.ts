/**
 * Invitations to rooms. Each is one document with the users who have used it, so that a use, and the check against the maximum, is
 * one atomic write; INVITATION_USES_MAX keeps the document small.
 */
import {
  type InvitationRecord,
  type InvitationStore,
  type NewInvitation,
  stateOfInvitation,
  Unavailable,
} from '../port.ts';
import type { Collections, InvitationDocument } from './base/collections.ts';
import { isDuplicate } from './base/faults.ts';

export function invitationsOn({ invitations }: Pick<Collections, 'invitations'>): InvitationStore {
  const WITHOUT_USERS = { projection: { users: 0 } } as const;

  async function find(hash: string): Promise<InvitationRecord | undefined> {
    const found = await invitations.findOne({ $or: [{ _id: hash }, { codeHash: hash }] }, WITHOUT_USERS);
    return found ? recordOf(found) : undefined;
  }

  async function valid(room: string | undefined, at: number): Promise<InvitationRecord[]> {
    const found = await invitations
      .find({ ...(room !== undefined && { room }), expiresAt: { $gt: at } }, WITHOUT_USERS)
      .sort({ createdAt: 1, _id: 1 })
      .toArray();
    return found.map(recordOf).filter(({ revokedAt }) => revokedAt === undefined);
  }

  return {
    async add({ hash, ...invitation }: NewInvitation, keptSince) {
      await invitations.deleteMany({ expiresAt: { $lte: keptSince } });
      try {
        await invitations.insertOne({ _id: hash, ...invitation, uses: 0, users: [] });
        return true;
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
    },
    find,
    async use(hash, user, at) {
      for (let tries = 0; tries < USE_TRIES; tries++) {
        const invitation = await find(hash);
        if (!invitation) return undefined;
        const state = stateOfInvitation(invitation, at);
        if (state === 'revoked' || state === 'expired') return state;
        if (await invitations.findOne({ _id: hash, users: user }, WITHOUT_USERS)) return 'before';
        if (state === 'used-up') return state;
        const { matchedCount } = await invitations.updateOne(
          {
            _id: hash,
            revokedAt: { $exists: false },
            uses: { $lt: invitation.maxUses },
            users: { $ne: user },
          },
          { $inc: { uses: 1 }, $push: { users: user } },
        );
        if (matchedCount > 0) return 'used';
      }
      throw new Unavailable('Many people use this invitation right now; try again.');
    },
    async giveBack(hash, user) {
      await invitations.updateOne({ _id: hash, users: user }, { $inc: { uses: -1 }, $pull: { users: user } });
    },
    ofRoom: valid,
    all: (at) => valid(undefined, at),
    async revoke(hash, at) {
      await invitations.updateOne({ _id: hash, revokedAt: { $exists: false } }, { $set: { revokedAt: at } });
    },
    async revokeOf(user, room, at) {
      await invitations.updateMany(
        { createdBy: user, ...(room !== undefined && { room }), revokedAt: { $exists: false } },
        { $set: { revokedAt: at } },
      );
    },
  };
}

/** A use fails only where the document has changed since it was read, and then most often for good. */
const USE_TRIES = 10;

function recordOf(document: Omit<InvitationDocument, 'users'>): InvitationRecord {
  const { _id, codeHash, room, createdBy, createdAt, expiresAt, maxUses, makesAccounts, uses, revokedAt } =
    document;
  return {
    hash: _id,
    codeHash,
    room,
    createdBy,
    createdAt,
    expiresAt,
    maxUses,
    makesAccounts,
    uses,
    revokedAt,
  };
}
