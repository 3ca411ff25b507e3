/**
 * The server refuses a session although nobody signed out. Either a browser that was killed soon after the sign-in has
 * lost the cookie, or the device was signed out elsewhere, or the server was restored from an older backup. Asks the
 * server which, until it answers. Only where the server says that somebody signed this device out, the log is deleted, as
 * after a sign-out here; a lost cookie or a restored database deletes nothing.
 */
import type { Session, User } from '../../shared/protocol/index.ts';
import type { Clock } from '../db/clock.ts';
import type { LocalDatabase } from '../db/local.ts';
import type { SessionCalls } from '../transport/sessionCalls.ts';
import { isAnswer } from './account.ts';
import { deleteLogOf } from './leftBehind.ts';
import type { UserClient } from './user.ts';

export interface SessionCheck {
  http: SessionCalls;
  local: LocalDatabase;
  newId: () => string;
  clock: Clock;
  indexedDB: IDBFactory;
  /** The delay before the next request, in ms, after so many without an answer. */
  pauseMs(failures: number): number;
  isCurrent(user: UserClient): boolean;
  /** The user whose session the claim has renewed. Only once: a server that refuses it would be asked for ever. */
  renewed: UserClient | undefined;
  /** The user whom the server does not know any more. */
  unknown: UserClient | undefined;
  /** Runs work whose failure is only logged. */
  run(work: () => Promise<void>): void;
}

export async function checkRefusedSession(of: UserClient, check: SessionCheck, failures = 0): Promise<void> {
  const { local, clock, pauseMs } = check;
  if (!check.isCurrent(of)) return;
  const session = await local.session();
  if (session?.user.id !== of.id) return;
  const fate = await fateOf(session.user, check, check.renewed !== of);
  if (!check.isCurrent(of)) return;
  const wasUnknown = check.unknown === of;
  switch (fate.tag) {
    case 'renewed': {
      const { user, hasPassword, devices } = fate.session;
      check.renewed = of;
      of.signedIn({ user, hasPassword, devices });
      return;
    }
    case 'user-unknown':
      check.unknown = of;
      of.know(session);
      return;
    case 'signed-out':
      check.unknown = undefined;
      if (wasUnknown)
        of.signedIn(session); // restored from a backup once more: the cookie may be valid again
      else if (of.wasSignedOut()) {
        await deleteLogOf(check.indexedDB, clock, of.id);
        of.refresh();
      }
      return;
    case 'unanswered':
      clock.setTimeout(
        () => check.run(() => checkRefusedSession(of, check, failures + 1)),
        pauseMs(failures),
      );
      return;
    default:
      fate satisfies never;
  }
}

type Fate =
  | { tag: 'renewed'; session: Session }
  | { tag: 'signed-out' }
  /** There is no such user: the server was restored from a backup. */
  | { tag: 'user-unknown' }
  | { tag: 'unanswered' };

/** `renews`: tries to get the session back with the claim, if it is still stored. */
async function fateOf(user: User, { http, local, newId }: SessionCheck, renews: boolean): Promise<Fate> {
  const stored = renews ? await local.claimOf(user.name) : undefined;
  const claim = stored ?? newId(); // a fresh claim renews nothing
  const result = await http.signIn({ name: user.name, claim, credential: 'cookie', as: user.id });
  if (result.ok && result.value.user.id === user.id) return { tag: 'renewed', session: result.value };
  if (!result.ok && result.error.code === 'not-found') return { tag: 'user-unknown' }; // keeps the claim: it may be the heir's already
  if (!result.ok && !isAnswer(result.error.code)) return { tag: 'unanswered' };
  if (stored !== undefined) await local.dropClaim(user.name);
  return { tag: 'signed-out' };
}
