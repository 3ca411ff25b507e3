/**
 * What owners and moderators do: give roles, hand a room on, remove and ban members. Each change is an entry. It is decided on the
 * roles as they are after the change `roleSeq`, and written as the next one: whoever loses a race decides again, so two owners who
 * take the role from each other on two processes leave the room with one.
 */
import { BANNED_LISTED, MODERATORS_MAX } from '../../shared/limits.ts';
import { idFrom, LOBBY } from '../../shared/mint.ts';
import type { Answer, Request, RoomRole, User, Users } from '../../shared/protocol/index.ts';
import type { Keepers } from '../auth/keepers.ts';
import { RefusedError, Unavailable } from '../base/refusal.ts';
import type { EntryKey, OwnFields, RolesOfRoom, RoomRecord, RoomStore } from '../store/port.ts';
import { type Access, noSuchRoom } from './access.ts';
import { hasOwner, heirOf, ownersOf, RANK, roleIn } from './roles.ts';
import type { RoomLimits } from './roomLimits.ts';
import type { EntryWriter } from './roomService.ts';

export interface Moderation {
  roles(user: User, request: Request<'room:roles'>): Promise<Omit<Answer<'room:roles'>, 'ok' | 'epoch'>>;
  setRole(user: User, request: Request<'room:role'>): Promise<void>;
  /** A moderator removes somebody with a lower role, an owner anybody else; `ban` also somebody who has left. */
  remove(user: User, request: Request<'room:remove'>): Promise<void>;
  unban(user: User, request: Request<'room:unban'>): Promise<void>;
  /** Throws for whoever is neither owner nor moderator of the room. */
  mustModerate(user: User, room: string): Promise<void>;
  /** What this user may do in the room: in the lobby, keepers do what owners do elsewhere. */
  rankOf(user: string, room: RoomRecord): Promise<RoomRole>;
  /** Its owners and moderators, `without` this user; keepers are none of them. */
  moderators(room: RoomRecord, without?: string): Promise<string[]>;
  /** The same as `rankOf` by the id of a room. */
  rankIn(user: string, room: string): Promise<RoomRole>;
  /**
   * Before a member leaves: the only owner hands the room on. Resolves with the `roleSeq` of the leave, where the room keeps its
   * other owners only if none of them goes at the same moment.
   */
  handOn(user: string, room: string): Promise<number | undefined>;
}

interface Deps {
  store: Pick<RoomStore, 'byId' | 'roles' | 'banned'>;
  entries: EntryWriter;
  access: Pick<Access, 'refusalOf'>;
  names: { ofUsers(ids: readonly string[]): Promise<Users> };
  limits: Pick<RoomLimits, 'charged'>;
  keeperRole: Keepers['roleOf'];
  /** Called after somebody was removed, by the id of the user and of the room; may come twice. */
  onRemoved: (user: string, room: string) => Promise<void>;
  /** False while the database takes no entries of these kinds yet. */
  isOn: () => boolean;
  /** Cryptographically secure random bytes. */
  random: (bytes: number) => Uint8Array;
}

/** What a change is decided on. */
interface RolesNow {
  room: RoomRecord;
  roles: RolesOfRoom;
  /** The role of who makes the change. */
  own: RoomRole;
}

/** The entry to write; undefined where everything is as it should be. */
interface Decision {
  kind: string;
  fields: OwnFields;
}

export function createModeration({
  store,
  entries,
  access,
  names,
  limits,
  keeperRole,
  onRemoved,
  isOn,
  random,
}: Deps): Moderation {
  async function existing(id: string): Promise<RoomRecord> {
    const room = await store.byId(id);
    if (!room) throw noSuchRoom();
    return room;
  }

  async function rankIn(user: string, room: RoomRecord, roles: RolesOfRoom): Promise<RoomRole> {
    if (room.id === LOBBY && (await keeperRole(user)) === 'keeper') return 'owner';
    return roleIn(room, roles, user);
  }

  /**
   * Decides and writes, again and again while others are first. `repeats`: the fields under which an earlier request with this key
   * may have been written.
   */
  async function change(
    user: string,
    key: EntryKey,
    about: readonly string[],
    repeats: { kind: string; fields: readonly OwnFields[] },
    decide: (now: RolesNow) => Decision | undefined,
  ): Promise<void> {
    for (let left = TRIES; left > 0; left--) {
      const known = await entries.lookUp(key, repeats.kind, ...repeats.fields);
      if (known === 'conflict') throw otherContent();
      if (known === 'repeat') return;
      const room = await existing(key.room);
      const roles = await store.roles(room.id, [user, room.createdBy, ...about]);
      const decision = decide({ room, roles, own: await rankIn(user, room, roles) });
      if (!decision) return;
      const authorRole = authorRoleOf(user, room, roles);
      const fields = {
        ...decision.fields,
        content: { ...(authorRole && { authorRole }), ...decision.fields.content },
        roleSeq: roles.roleSeq + 1,
      };
      const done = await limits.charged(user, async () => {
        const { tag } = await entries.appendOwn(key, decision.kind, fields);
        if (tag === 'conflict') throw otherContent();
        if (tag === 'no-room') throw noSuchRoom();
        if (tag !== 'appended' && tag !== 'repeat' && tag !== 'outdated')
          throw new Error(`a ${decision.kind} gave ${tag}`);
        return tag;
      });
      if (done !== 'outdated') return;
    }
    throw new Unavailable('Too many people change this room at once; try again.');
  }

  /** Throws for who is no member; keepers need not be one of the lobby. */
  async function mayActIn(user: User, room: string): Promise<void> {
    if (!isOn()) throw notYet();
    const refused = room === LOBBY ? undefined : await access.refusalOf(room, user.id);
    if (refused) throw refused;
  }

  return {
    async roles(user, { room: id }) {
      const refused = await access.refusalOf(id, user.id);
      if (refused) throw refused;
      const room = await existing(id);
      const state = await store.roles(id, [user.id, room.createdBy]);
      const owners = ownersOf(room, state).map((owner) => [owner, 'owner'] as const);
      const roles = Object.fromEntries([
        ...state.holders.map((holder) => [holder.user, holder.role] as const),
        ...owners,
      ]);
      const own = await rankIn(user.id, room, state);
      const banned = own === 'member' ? [] : await store.banned(id, BANNED_LISTED);
      return {
        roles,
        own,
        ...(banned.length > 0 && { banned }),
        users: await names.ofUsers([...Object.keys(roles), ...banned]),
      };
    },

    async setRole(user, { room: id, clientOffset, user: subject, role, handsOn = false }) {
      await mayActIn(user, id);
      const key = { room: id, author: user.id, clientOffset };
      const fields = AUTHOR_ROLES.map((authorRole) => ({
        subject,
        content: { ...(authorRole && { authorRole }), role },
      }));
      await change(user.id, key, [subject], { kind: 'role', fields }, ({ room, roles, own }) => {
        const before = roleIn(room, roles, subject);
        const isOwn = subject === user.id;
        if (!hasOwner(room) && (role === 'owner' || room.kind === 'direct'))
          throw new RefusedError('forbidden', 'This room has no owner.');
        if (own !== 'owner' && !(isOwn && RANK[role] < RANK[before])) throw ownersOnly();
        if (!roles.members.includes(subject)) throw noSuchMember();
        if (before === role) return undefined;
        const others = ownersOf(room, roles).filter((owner) => owner !== subject);
        if (before === 'owner' && others.length === 0) throw lastOwner();
        if (before === 'member' && roles.holders.length >= MODERATORS_MAX)
          throw new RefusedError('forbidden', `A room has at most ${MODERATORS_MAX} owners and moderators.`);
        // of oneself the entry sets the role that it is about
        const authorRole = isOwn ? undefined : handsOn && role === 'owner' ? 'moderator' : undefined;
        return { kind: 'role', fields: { subject, content: { ...(authorRole && { authorRole }), role } } };
      });
    },

    async remove(user, { room: id, clientOffset, user: subject, ban = false }) {
      await mayActIn(user, id);
      const key = { room: id, author: user.id, clientOffset };
      const kind = ban ? 'ban' : 'removal';
      if (subject === user.id)
        throw new RefusedError(
          'forbidden',
          'You cannot remove or ban yourself. Leave the room instead.',
          undefined,
          'role-yourself',
        );
      await change(user.id, key, [subject], { kind, fields: about(subject) }, ({ room, roles, own }) => {
        const theirs = roleIn(room, roles, subject);
        if (!hasOwner(room) && room.id !== LOBBY)
          throw new RefusedError('forbidden', 'Nobody can be removed from it.');
        if (own === 'member' || (own !== 'owner' && RANK[theirs] >= RANK[own])) throw moderatorsOnly();
        const isThere = roles.members.includes(subject);
        if (ban ? roles.banned.includes(subject) : !isThere) {
          if (ban) return undefined;
          throw noSuchMember();
        }
        return { kind, fields: { subject } };
      });
      await onRemoved(subject, id);
    },

    async unban(user, { room: id, clientOffset, user: subject }) {
      await mayActIn(user, id);
      const key = { room: id, author: user.id, clientOffset };
      await change(user.id, key, [subject], { kind: 'unban', fields: about(subject) }, ({ roles, own }) => {
        if (own === 'member') throw moderatorsOnly();
        return roles.banned.includes(subject) ? { kind: 'unban', fields: { subject } } : undefined;
      });
    },

    async mustModerate(user, id) {
      await mayActIn(user, id);
      const room = await existing(id);
      const own = await rankIn(user.id, room, await store.roles(id, [user.id, room.createdBy]));
      if (own === 'member') throw moderatorsOnly();
    },

    async rankOf(user, room) {
      return rankIn(user, room, await store.roles(room.id, [user, room.createdBy]));
    },

    async moderators(room, without) {
      const all = await store.roles(room.id, [room.createdBy]);
      const holders = all.holders.filter(({ user }) => user !== without);
      const [eldest, members] = [all.eldest, all.members].map((some) =>
        some.filter((user) => user !== without),
      );
      const owners = ownersOf(room, { ...all, holders, eldest: eldest!, members: members! });
      return [...owners, ...holders.map(({ user }) => user)];
    },

    async rankIn(user, id) {
      const room = await existing(id);
      return rankIn(user, room, await store.roles(id, [user, room.createdBy]));
    },

    async handOn(user, id) {
      const room = await existing(id);
      if (!hasOwner(room) || !isOn()) return undefined;
      const roles = await store.roles(id, [user, room.createdBy]);
      const owners = ownersOf(room, roles);
      if (!owners.includes(user)) return undefined;
      if (owners.length > 1) return roles.roleSeq + 1;
      if (heirOf(user, roles) === undefined) return undefined;
      const key = { room: id, author: user, clientOffset: idFrom(random(16)) };
      await change(user, key, [], { kind: 'role', fields: [] }, (now) => {
        const heir = heirOf(user, now.roles);
        const [owner, other] = ownersOf(room, now.roles);
        if (owner !== user || other !== undefined || heir === undefined) return undefined;
        const content = { authorRole: 'moderator', role: 'owner' };
        return { kind: 'role', fields: { subject: heir, content } };
      });
      return undefined;
    },
  };
}

/** Of a room's busiest moment: all its moderators act in the same second. */
const TRIES = 20;

/** What an entry may say of the role of its author. */
const AUTHOR_ROLES = [undefined, 'owner', 'moderator'] as const;

/** The fields under which an entry about somebody may have been written. */
function about(subject: string): OwnFields[] {
  return AUTHOR_ROLES.map((authorRole) => ({ subject, content: { ...(authorRole && { authorRole }) } }));
}

/** An owner whom no entry has made one becomes one by the first entry: otherwise it could make somebody else the only owner. */
function authorRoleOf(user: string, room: RoomRecord, roles: RolesOfRoom): 'owner' | undefined {
  const isNamed = roles.holders.some((holder) => holder.user === user && holder.role === 'owner');
  return !isNamed && ownersOf(room, roles).includes(user) ? 'owner' : undefined;
}

function notYet(): RefusedError {
  return new RefusedError('forbidden', 'This is not possible while older processes use the database.');
}

function ownersOnly(): RefusedError {
  return new RefusedError('forbidden', 'Only an owner of the room can do that.', undefined, 'role-needed');
}

function moderatorsOnly(): RefusedError {
  return new RefusedError(
    'forbidden',
    'Only a moderator of the room can do that, and only an owner to a moderator.',
    undefined,
    'role-needed',
  );
}

function lastOwner(): RefusedError {
  return new RefusedError(
    'forbidden',
    'A room always has an owner. Make somebody else an owner first.',
    undefined,
    'role-last-owner',
  );
}

function noSuchMember(): RefusedError {
  return new RefusedError('not-found', 'This person is not in the room.', undefined, 'role-no-member');
}

function otherContent(): RefusedError {
  return new RefusedError('conflict', 'Another item was sent under this key.');
}
