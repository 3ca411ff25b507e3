/**
 * Invitations to rooms: a link with 128 random bits, and a short code. A member of a room makes one, a private room's its moderators.
 * Whoever has one joins the room, and on a server that takes new users by invitation alone signs up, if a keeper has marked it so.
 * docs/SECURITY.md, "Invitations".
 */
import {
  CODE_LENGTH,
  INVITATION_LIFETIME_MS,
  INVITATION_USES,
  INVITATIONS_OF_MEMBER,
} from '../../shared/limits.ts';
import { idFrom } from '../../shared/mint.ts';
import type { Invitation, InvitationRequest, Invited } from '../../shared/protocol/index.ts';
import type { Identity } from '../auth/auth.ts';
import type { Keepers } from '../auth/keepers.ts';
import { codeFrom, hashPass, readPass } from '../auth/passes.ts';
import type { SignInLimits } from '../auth/signInLimits.ts';
import type { Audit } from '../base/audit.ts';
import type { SignUp } from '../base/env.ts';
import { RefusedError } from '../base/refusal.ts';
import { INVITATION_KEPT_MS } from '../base/serverLimits.ts';
import {
  type InvitationRecord,
  type InvitationState,
  type InvitationStore,
  type RoomRecord,
  type RoomStore,
  stateOfInvitation,
  Unavailable,
  type UserStore,
} from '../store/port.ts';
import { noSuchRoom, notMember } from './access.ts';
import type { Moderation } from './moderation.ts';

export interface Invitations {
  /** Throws where this user may not invite to the room, or has too many invitations that are valid. */
  make(
    identity: Identity,
    request: InvitationRequest,
  ): Promise<{ invitation: Invitation; token: string; code: string }>;
  /**
   * Those that are valid and that this user may revoke: of a room, one's own; all, for its moderators and keepers. Without a room,
   * all of the server, for keepers alone.
   */
  list(identity: Identity, room: string | undefined): Promise<Invitation[]>;
  /** Throws `not-found` where there is none with this id that this user may revoke. */
  revoke(identity: Identity, id: string): Promise<void>;
  /** What somebody sees who follows a link or has typed a code. Throws where it is not valid, and says why. */
  look(invite: string, address: string): Promise<Invited>;
  /** Counts that this user joins this room by the invitation. Throws where that is not possible. */
  useToJoin(invite: string, user: string, room: string, address: string): Promise<void>;
  /** The same for signing up. Resolves with a function that takes it back: somebody else had the name after all. */
  useToSignUp(invite: string | undefined, user: string, address: string): Promise<() => Promise<void>>;
  /** The user has left the room: the invitations to it that they have made end. */
  left(user: string, room: string): Promise<void>;
}

interface Deps {
  store: InvitationStore;
  rooms: Pick<RoomStore, 'byId' | 'isMember'>;
  users: Pick<UserStore, 'names'>;
  roleOf: Keepers['roleOf'];
  moderation: Pick<Moderation, 'rankOf'>;
  limits: Pick<SignInLimits, 'makePass' | 'tryInvitation'>;
  signUp: SignUp;
  /** The wall clock in milliseconds. */
  now: () => number;
  /** Cryptographically secure random bytes. */
  random: (bytes: number) => Uint8Array;
  audit: Pick<Audit, 'record'>;
}

export function createInvitations({
  store,
  rooms,
  users,
  roleOf,
  moderation,
  limits,
  signUp,
  now,
  random,
  audit,
}: Deps): Invitations {
  const isKeeper = async (user: string) => (await roleOf(user)) === 'keeper';

  /** As long as its maker is a keeper. */
  const makesAccounts = async (invitation: InvitationRecord) =>
    invitation.makesAccounts && (await isKeeper(invitation.createdBy));

  const isModerator = async (user: string, room: RoomRecord) =>
    (await moderation.rankOf(user, room)) !== 'member';

  /** Throws for who is no member, and for a private room to all but its moderators. */
  async function roomToInviteTo(user: string, id: string): Promise<RoomRecord> {
    const room = await rooms.byId(id);
    if (!room || !(await rooms.isMember(id, user))) throw notMember(room);
    if (room.kind === 'direct')
      throw new RefusedError('forbidden', 'Nobody can be invited to a direct conversation.');
    if (room.kind === 'private' && !(await isModerator(user, room)))
      throw new RefusedError(
        'forbidden',
        'Only moderators of this room can invite to it.',
        undefined,
        'role-needed',
      );
    return room;
  }

  async function present(records: readonly InvitationRecord[]): Promise<Invitation[]> {
    const names = await users.names([...new Set(records.map(({ createdBy }) => createdBy))]);
    return records.flatMap((record) => {
      const { hash: id, createdBy, codeHash: _, revokedAt: __, ...rest } = record;
      const named = names.get(createdBy);
      if (!named) return [];
      return [{ id, ...rest, by: { id: createdBy, ...named } }];
    });
  }

  /** Counts as a guess, unless there is one. One whose maker has left the room counts as revoked. */
  async function find(
    invite: string,
    address: string,
  ): Promise<{ invitation: InvitationRecord; state: InvitationState }> {
    const read = readPass(invite);
    const refund = limits.tryInvitation(address, read?.kind ?? 'code');
    if (!read) throw unknown();
    const invitation = await store.find(read.hash).catch((error: unknown) => {
      refund();
      throw error;
    });
    if (!invitation) throw unknown();
    refund();
    const isMakerThere = await rooms.isMember(invitation.room, invitation.createdBy);
    return { invitation, state: isMakerThere ? stateOfInvitation(invitation, now()) : 'revoked' };
  }

  async function use({ invitation, state }: Awaited<ReturnType<typeof find>>, user: string): Promise<void> {
    if (state === 'revoked' || state === 'expired') throw ended(state);
    const used = (await store.use(invitation.hash, user, now())) ?? 'revoked';
    if (used === 'before') return;
    if (used !== 'used') throw ended(used);
    audit.record('invitation-used', { user });
  }

  return {
    async make({ user, device }, { room, lifetimeMs, uses, makesAccounts: marked = false }) {
      await roomToInviteTo(user.id, room);
      if (marked && !(await isKeeper(user.id)))
        throw new RefusedError('forbidden', 'Only a keeper can invite people who are new on this server.');
      limits.makePass(user.id);
      const createdAt = now();
      const own = (await store.ofRoom(room, createdAt)).filter(({ createdBy }) => createdBy === user.id);
      if (own.length >= INVITATIONS_OF_MEMBER)
        throw new RefusedError(
          'forbidden',
          `You have ${INVITATIONS_OF_MEMBER} invitations to this room, which is the limit. Revoke one first.`,
        );
      for (let tries = 0; tries < CODE_TRIES; tries++) {
        const [token, code] = [idFrom(random(16)), codeFrom(random(CODE_LENGTH))];
        const made = {
          hash: hashPass(token),
          codeHash: readPass(code)!.hash,
          room,
          createdBy: user.id,
          createdAt,
          expiresAt: createdAt + (lifetimeMs ?? INVITATION_LIFETIME_MS),
          maxUses: uses ?? INVITATION_USES,
          makesAccounts: marked,
        };
        if (!(await store.add(made, createdAt - INVITATION_KEPT_MS))) continue;
        audit.record('invitation-made', { user: user.id, device });
        const { hash: id, createdBy: _, codeHash: __, ...rest } = made;
        return { invitation: { id, ...rest, by: user, uses: 0 }, token, code };
      }
      throw new Unavailable('No free code was found; try again.');
    },

    async list({ user }, id) {
      if (id === undefined) {
        if (!(await isKeeper(user.id))) throw new RefusedError('forbidden', 'Only keepers see them all.');
        return present(await store.all(now()));
      }
      const room = await rooms.byId(id);
      if (!room || !(await rooms.isMember(id, user.id))) throw notMember(room);
      const seesAll = (await isModerator(user.id, room)) || (await isKeeper(user.id));
      const valid = await store.ofRoom(id, now());
      return present(valid.filter(({ createdBy }) => seesAll || createdBy === user.id));
    },

    async revoke({ user, device }, id) {
      const invitation = await store.find(id);
      if (!invitation || invitation.hash !== id) throw unknown();
      const room = await rooms.byId(invitation.room);
      const mayRevoke =
        invitation.createdBy === user.id ||
        (room && (await isModerator(user.id, room))) ||
        (await isKeeper(user.id));
      if (!mayRevoke) throw unknown();
      await store.revoke(id, now());
      audit.record('invitation-revoked', { user: user.id, device });
    },

    async look(invite, address) {
      const { invitation, state } = await find(invite, address);
      if (state !== 'valid') throw ended(state);
      const room = await rooms.byId(invitation.room);
      const [shown] = await present([invitation]);
      if (!room || !shown) throw ended('revoked');
      const { id, name, members } = room;
      const newcomers = signUp === 'open' || (signUp === 'invite' && (await makesAccounts(invitation)));
      return { room: { id, name, members }, by: shown.by, newcomers };
    },

    async useToJoin(invite, user, room, address) {
      const found = await find(invite, address);
      if (found.invitation.room !== room) throw noSuchRoom();
      await use(found, user);
    },

    async useToSignUp(invite, user, address) {
      if (invite === undefined) throw invitationNeeded();
      const found = await find(invite, address);
      if (!(await makesAccounts(found.invitation))) throw invitationNeeded();
      await use(found, user);
      return () => store.giveBack(found.invitation.hash, user);
    },

    left: (user, room) => store.revokeOf(user, room, now()),
  };
}

/** Of a thousand million codes, some thousands may be valid. */
const CODE_TRIES = 3;

function unknown(): RefusedError {
  return new RefusedError(
    'not-found',
    'There is no such invitation. Check the code, or ask for a new one.',
    undefined,
    'invitation-unknown',
  );
}

function ended(state: Exclude<InvitationState, 'valid'>): RefusedError {
  return new RefusedError('forbidden', SENTENCES[state], undefined, `invitation-${state}`);
}

const SENTENCES = {
  'used-up': 'This invitation was used by as many people as it is for. Ask for a new one.',
  revoked: 'This invitation was taken back. Ask for a new one.',
  expired: 'This invitation has expired. Ask for a new one.',
} as const;

function invitationNeeded(): RefusedError {
  return new RefusedError(
    'forbidden',
    'New people need an invitation to this server. Check the spelling of your name, or ask a keeper for one.',
    undefined,
    'invitation-needed',
  );
}
