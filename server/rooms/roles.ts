/** Who is owner or moderator of a room. Pure. */
import { LOBBY } from '../../shared/mint.ts';
import type { RoomRole } from '../../shared/protocol/index.ts';
import type { RolesOfRoom, RoomRecord } from '../store/port.ts';

/** What decides about the owner: nobody is one of the lobby, whose moderators keepers name, or of a direct conversation. */
type RoomOfRoles = Pick<RoomRecord, 'id' | 'kind' | 'createdBy'>;

/**
 * The owners. Where no member has that role, the room has one all the same: before the first change of roles its creator, later
 * its eldest moderator; else its eldest member. So a room that is older than roles has an owner, and so has one whose new owner
 * leaves at the moment at which the last one hands it on.
 */
export function ownersOf(room: RoomOfRoles, roles: RolesOfRoom): string[] {
  if (!hasOwner(room)) return [];
  const named = roles.holders.filter(({ role }) => role === 'owner').map(({ user }) => user);
  if (named.length > 0) return named;
  const creator = roles.roleSeq === 0 && roles.members.includes(room.createdBy) ? room.createdBy : undefined;
  const heir = creator ?? roles.holders[0]?.user ?? roles.eldest[0];
  return heir === undefined ? [] : [heir];
}

/** Who becomes owner when this member, the only one, leaves: the eldest moderator, else the eldest member. */
export function heirOf(user: string, { holders, eldest }: RolesOfRoom): string | undefined {
  const moderators = holders.map((holder) => holder.user);
  return [...moderators, ...eldest].find((one) => one !== user);
}

export function hasOwner({ id, kind }: Pick<RoomOfRoles, 'id' | 'kind'>): boolean {
  return id !== LOBBY && kind !== 'direct';
}

/** The role of a user; `member` also for somebody who is none. */
export function roleIn(room: RoomOfRoles, roles: RolesOfRoom, user: string): RoomRole {
  if (ownersOf(room, roles).includes(user)) return 'owner';
  return roles.holders.find((holder) => holder.user === user)?.role ?? 'member';
}

/** Owners before moderators before members. */
export const RANK: Record<RoomRole, number> = { owner: 2, moderator: 1, member: 0 };
