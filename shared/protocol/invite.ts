/** Bodies of the HTTP routes of invitations: `/api/invitations`. */
import * as v from 'valibot';
import { Millis } from '../entry.ts';
import { Id, RoomId } from '../ids.ts';
import { INVITATION_LIFETIME_MAX_MS, INVITATION_USES_MAX, STRING_MAX_LENGTH } from '../limits.ts';
import { User } from './down.ts';

const upTo = (most: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(most));

/** Without the optional fields: INVITATION_LIFETIME_MS, INVITATION_USES, and no accounts. */
export const InvitationRequest = v.object({
  room: RoomId,
  lifetimeMs: v.optional(upTo(INVITATION_LIFETIME_MAX_MS)),
  uses: v.optional(upTo(INVITATION_USES_MAX)),
  /** Whether somebody new may sign up with it where the server takes new users by invitation alone. Only for keepers. */
  makesAccounts: v.optional(v.boolean()),
});
export type InvitationRequest = v.InferOutput<typeof InvitationRequest>;

/** What those see who may revoke it. */
export const Invitation = v.object({
  id: v.pipe(v.string(), v.regex(/^[\w-]{43}$/)),
  room: RoomId,
  by: User,
  createdAt: Millis,
  expiresAt: Millis,
  maxUses: v.number(),
  uses: v.number(),
  makesAccounts: v.boolean(),
});
export type Invitation = v.InferOutput<typeof Invitation>;

/** `token`: the secret of the link, and `code`: the same for people to type; both only here, since the server keeps hashes. */
export const InvitationAnswer = v.object({ invitation: Invitation, token: Id, code: v.string() });
export type InvitationAnswer = v.InferOutput<typeof InvitationAnswer>;

export const InvitationsAnswer = v.object({ invitations: v.array(Invitation) });
export type InvitationsAnswer = v.InferOutput<typeof InvitationsAnswer>;

/** `invite`: a token or a code. */
export const InvitationLook = v.object({ invite: v.pipe(v.string(), v.maxLength(STRING_MAX_LENGTH)) });

/** What whoever follows an invitation sees. `newcomers`: whether somebody new can sign up with it. */
export const Invited = v.object({
  room: v.object({ id: RoomId, name: v.string(), members: v.number() }),
  by: User,
  newcomers: v.boolean(),
});
export type Invited = v.InferOutput<typeof Invited>;
