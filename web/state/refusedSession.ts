/**
 * The server refuses a session although nobody signed out: a browser that was killed soon after a sign-in has lost the
 * cookie, the device was signed out elsewhere, or the server's data was put back. It is asked which, until it answers.
 * Hardly anybody ever needs it, so it comes when it is needed. It is handed what it uses: a module that it shared with the
 * first page would become a file of its own there, and cost more than this saves.
 */
import type { Session, User } from '../../shared/protocol/index.ts';
import type { Clock } from '../db/clock.ts';
import type { LocalDatabase } from '../db/local.ts';
import type { Http } from '../transport/http.ts';
import type { UserClient } from './user.ts';

export interface Refused {
  http: Http;
  local: LocalDatabase;
  newId: () => string;
  clock: Clock;
  /** How long to wait after so many questions without an answer, in ms. */
  pauseMs(failures: number): number;
  /** Whether this code is an answer, or the same has to be asked again. */
  isAnswer(code: string): boolean;
  isIn(user: UserClient): boolean;
  /** For whom the claim has brought a session: once is enough, or a server that refuses it is asked for ever. */
  renewed: UserClient | undefined;
  /** Whom the server does not know any more. */
  unknown: UserClient | undefined;
  /** Work whose failure nobody waits for. */
  run(work: () => Promise<void>): void;
}

export async function askWhy(of: UserClient, refused: Refused, failures = 0): Promise<void> {
  const { local, clock, pauseMs } = refused;
  if (!refused.isIn(of)) return;
  const session = await local.session();
  if (session?.user.id !== of.id) return;
  const fate = await fateOf(session.user, refused, refused.renewed !== of);
  if (!refused.isIn(of)) return;
  const wasUnknown = refused.unknown === of;
  switch (fate.tag) {
    case 'renewed': {
      const { user, hasPassword, devices } = fate.session;
      refused.renewed = of;
      of.signedIn({ user, hasPassword, devices });
      return;
    }
    case 'unknown':
      refused.unknown = of;
      of.know(session);
      return;
    case 'signed-out':
      refused.unknown = undefined;
      if (wasUnknown) of.signedIn(session); // put back once more: the cookie may hold again
      return;
    case 'unanswered':
      clock.setTimeout(() => refused.run(() => askWhy(of, refused, failures + 1)), pauseMs(failures));
      return;
    default:
      fate satisfies never;
  }
}

type Fate =
  | { tag: 'renewed'; session: Session }
  | { tag: 'signed-out' }
  /** There is no such user: the server's data was put back. */
  | { tag: 'unknown' }
  | { tag: 'unanswered' };

/** The claim brings the session again, while it is kept. */
async function fateOf(user: User, { http, local, newId, isAnswer }: Refused, renews: boolean): Promise<Fate> {
  const kept = renews ? await local.claimOf(user.name) : undefined;
  const claim = kept ?? newId(); // one that nobody has renews nothing
  const called = await http.signIn({ name: user.name, claim, credential: 'cookie', as: user.id });
  if (called.ok && called.value.user.id === user.id) return { tag: 'renewed', session: called.value };
  if (!called.ok && called.error.code === 'not-found') return { tag: 'unknown' }; // the claim may be the heir's already
  if (!called.ok && !isAnswer(called.error.code)) return { tag: 'unanswered' };
  if (kept !== undefined) await local.dropClaim(user.name);
  return { tag: 'signed-out' };
}
