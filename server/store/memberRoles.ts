/** What entries do to the roles of members, for all stores. */
import { hasSideEffects, ruleOf, subjectOf } from '../../shared/kinds.ts';
import type { RoomRole } from '../../shared/protocol/index.ts';
import type { NewEntry } from './port.ts';

export interface SetRole {
  user: string;
  role: RoomRole;
}

/**
 * The roles that an entry gives: to its subject, and to its author, if it says so in `authorRole`. A role lasts until another entry
 * gives one, or the member leaves.
 */
export function rolesSetBy({
  kind,
  author,
  subject,
  content = {},
}: Pick<NewEntry, 'kind' | 'author' | 'subject' | 'content'>): SetRole[] {
  const { role, authorRole } = content as { role?: RoomRole; authorRole?: RoomRole };
  const user = subjectOf({ author, ...(subject && { subject }) });
  const given = role && ruleOf(kind)?.sets === 'role' ? [{ user, role }] : [];
  return authorRole && hasSideEffects(kind) ? [...given, { user: author, role: authorRole }] : given;
}

/** The bans of an entry: who, and whether it bans or lifts the ban. */
export function banSetBy({
  kind,
  author,
  subject,
}: Pick<NewEntry, 'kind' | 'author' | 'subject'>): { user: string; banned: boolean } | undefined {
  const sets = ruleOf(kind)?.sets;
  if (sets !== 'ban' && sets !== 'unban') return undefined;
  return { user: subjectOf({ author, ...(subject && { subject }) }), banned: sets === 'ban' };
}
