/**
 * Signing in and out, over HTTP. A claim (a one-time secret that makes a sign-in idempotent) is durable before it is
 * sent, and is kept until the cookie is on disk. So a sign-in whose answer or cookie was lost is repeated for the same
 * user and device.
 */
import { classOf } from '../../shared/protocol/codes.ts';
import type { User } from '../../shared/protocol/index.ts';
import { checkName, nameKey } from '../../shared/text.ts';
import { storageReason } from '../db/failure.ts';
import type { LocalDatabase, SignedInHere } from '../db/local.ts';
import { exactReasonOf, type Reason } from '../records/errorReason.ts';
import type { SessionCalls } from '../transport/sessionCalls.ts';
import type { Outcome, RecoveryProof } from './model.ts';

/** Either shows that a taken name is one's own. An empty password is none. */
interface Proof {
  password: string | undefined;
  recovery: RecoveryProof | undefined;
  /** Lets somebody new in. */
  invite: string | undefined;
}

/** Which user a sign-in may result in. */
export type Whom =
  /** Nobody is signed in. */
  | { tag: 'anybody' }
  /** Only the user of this page, and no user is created: their name must not go to another user (O4). */
  | { tag: 'again'; user: User }
  /**
   * The server does not know the user of this page. A user who is created here, or who has the same name, is their
   * heir.
   */
  | { tag: 'heir'; of: User };

interface Account {
  http: SessionCalls;
  local: LocalDatabase;
  newId: () => string;
}

export async function signInAs(
  { http, local, newId }: Account,
  raw: string,
  { password, recovery, invite }: Proof,
  whom: Whom,
): Promise<{ ok: true; session: SignedInHere } | { ok: false; reason: Reason }> {
  if (raw.trim() === '') return refuse({ code: 'empty' });
  const name = checkName(raw);
  if (!name.ok) return refuse({ code: name.code, message: name.message });
  try {
    const claim = await local.claim(name.text, newId());
    const proof = mayProve(whom, name.text) ? { ...(password && { password }), ...recovery } : {};
    const as = whom.tag === 'again' ? { as: whom.user.id } : {};
    const result = await http.signIn({
      name: name.text,
      claim,
      credential: 'cookie',
      ...proof,
      ...as,
      ...(invite && { invite }),
    });
    if (!result.ok) {
      if (isAnswer(result.error.code) && result.error.code !== 'not-found') await local.dropClaim(name.text);
      return refuse(exactReasonOf(result.error));
    }
    const { user, hasPassword, devices } = result.value;
    const heirOf = whom.tag === 'heir' && whom.of.id !== user.id ? { heirOf: whom.of.id } : {};
    const session = { user, hasPassword, devices, ...heirOf };
    await local.signIn(session);
    return { ok: true, session };
  } catch (error) {
    return refuse(storageReason(error));
  }
}

/** Ends the session at the server. Ok also where it has ended before. */
export async function endSession(
  { http, local }: Pick<Account, 'http' | 'local'>,
  user: User | undefined,
): Promise<Outcome> {
  // First: a tab that hears of the sign-out from the server before it does from us would sign in again with the claim.
  if (user) await local.dropClaim(user.name);
  const result = await http.signOut();
  if (result.ok || result.error.code === 'unauthorized') return { ok: true };
  return refuse(exactReasonOf(result.error));
}

export async function setPassword(
  http: SessionCalls,
  password: string,
  current: string | undefined,
): Promise<Outcome> {
  if (password === '') return refuse({ code: 'empty' });
  const result = await http.setPassword(password, current);
  return result.ok ? { ok: true } : refuse(exactReasonOf(result.error));
}

/** A password signs in to an existing user of that name: as an heir only for the same name. */
function mayProve(whom: Whom, name: string): boolean {
  return whom.tag !== 'heir' || nameKey(whom.of.name) === nameKey(name);
}

/** True when the server has decided. Otherwise the same claim has to be sent again. */
export function isAnswer(code: string): boolean {
  const errorClass = classOf(code);
  return errorClass === 'permanent' || errorClass === 'auth';
}

function refuse(reason: Reason): { ok: false; reason: Reason } {
  return { ok: false, reason };
}
