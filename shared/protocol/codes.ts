/** Error codes of the protocol: their HTTP status, and the class that tells a client how to react. */

export const ERROR_STATUS = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'too-large': 413,
  'upgrade-required': 426,
  'rate-limited': 429,
  internal: 500,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/**
 * What an error has in `reason`, where its code leaves open what a client should do. `signed-out`: the session was ended by
 * somebody. `sign-up-closed`: no user has this name, and the server takes no new ones. `no-keeper`: nobody
 * could let somebody back in. `invitation-…`: an invitation does not work, and why; `invitation-needed`: new users need one.
 * `role-…`: what a role does not allow, or whom it cannot be given to. `out-…`: somebody has removed the user from the room; `out-suspended`: a keeper has suspended the user, who is answered again once that is lifted.
 * `not-answered`: a stranger has sent as many messages as it may before it is answered.
 * `report-…`: why a report is not taken.
 * `announcements-only`: only owners and moderators write in this room.
 * `mention-of-stranger`: an item mentions somebody who is no member of its room.
 */
export type RefusalReason =
  | 'signed-out'
  | 'sign-up-closed'
  | 'no-keeper'
  | 'invitation-needed'
  | 'invitation-unknown'
  | 'invitation-used-up'
  | 'invitation-revoked'
  | 'invitation-expired'
  | 'role-needed'
  | 'role-last-owner'
  | 'role-no-member'
  | 'role-yourself'
  | 'role-keeper'
  | 'role-suspended'
  | 'out-removed'
  | 'out-banned'
  | 'out-suspended'
  | 'not-answered'
  | 'report-own'
  | 'report-no-keeper'
  | 'report-deleted'
  | 'report-many'
  | 'report-full'
  | 'mention-of-stranger'
  | 'announcements-only';

/** What a client does: retry, retry a few times, sign in again, report the item as not sent, or load a new version. */
export type ErrorClass = 'transient' | 'uncertain' | 'auth' | 'permanent' | 'upgrade';

/** Unknown codes, of a newer server, are `uncertain`. */
export function classOf(code: string): ErrorClass {
  return Object.hasOwn(CLASSES, code) ? CLASSES[code as ErrorCode] : 'uncertain';
}

const CLASSES: Record<ErrorCode, ErrorClass> = {
  unavailable: 'transient',
  'rate-limited': 'transient',
  internal: 'uncertain',
  unauthorized: 'auth',
  'upgrade-required': 'upgrade',
  invalid: 'permanent',
  'too-large': 'permanent',
  forbidden: 'permanent',
  'not-found': 'permanent',
  conflict: 'permanent',
};
