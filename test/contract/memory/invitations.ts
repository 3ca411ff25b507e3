/** Invitations to rooms, in memory. */
import {
  type InvitationRecord,
  type InvitationStore,
  stateOfInvitation,
} from '../../../server/store/port.ts';
import type { MemoryData } from './data.ts';

export function invitationsIn(data: MemoryData, call: <T>(work: () => T) => Promise<T>): InvitationStore {
  const found = (hash: string) =>
    [...data.invitations.values()].find((one) => one.hash === hash || one.codeHash === hash);
  const valid = (at: number) =>
    [...data.invitations.values()]
      .filter((one) => one.revokedAt === undefined && one.expiresAt > at)
      .toSorted((a, b) => a.createdAt - b.createdAt)
      .map(copied);

  return {
    add: (made, keptSince) =>
      call(() => {
        for (const { hash, expiresAt } of [...data.invitations.values()])
          if (expiresAt <= keptSince) data.invitations.delete(hash);
        if (found(made.hash) || found(made.codeHash)) return false;
        data.invitations.set(made.hash, { ...made, uses: 0, revokedAt: undefined, users: new Set() });
        return true;
      }),
    find: (hash) => call(() => copied(found(hash))),
    use: (hash, user, at) =>
      call(() => {
        const invitation = data.invitations.get(hash);
        if (!invitation) return undefined;
        const state = stateOfInvitation(invitation, at);
        if (state === 'revoked' || state === 'expired') return state;
        if (invitation.users.has(user)) return 'before';
        if (state === 'used-up') return state;
        invitation.users.add(user);
        invitation.uses++;
        return 'used';
      }),
    giveBack: (hash, user) =>
      call(() => {
        const invitation = data.invitations.get(hash);
        if (invitation?.users.delete(user)) invitation.uses--;
      }),
    ofRoom: (room, at) => call(() => valid(at).filter((one) => one.room === room)),
    all: (at) => call(() => valid(at)),
    revoke: (hash, at) =>
      call(() => {
        const invitation = data.invitations.get(hash);
        if (invitation) invitation.revokedAt ??= at;
      }),
    revokeOf: (user, room, at) =>
      call(() => {
        for (const one of data.invitations.values())
          if (one.createdBy === user && (room === undefined || one.room === room)) one.revokedAt ??= at;
      }),
  };
}

function copied<T extends (InvitationRecord & { users: Set<string> }) | undefined>(
  one: T,
): T extends undefined ? undefined : InvitationRecord {
  if (!one) return undefined as never;
  const { users: _, ...record } = one;
  return record as never;
}
