/**
 * Signing in and out. A claim is durable before it is sent, and kept until it is answered and the cookie is safe: a lost
 * answer is repeated, and so is an answer whose cookie was lost with a killed browser.
 */

import { classOf } from '../../shared/protocol/codes.ts';
import type { Session, User } from '../../shared/protocol/index.ts';
import { checkName, nameKey } from '../../shared/text.ts';
import { storageReason } from '../db/failure.ts';
import type { LocalDatabase, SignedInHere } from '../db/local.ts';
import { reasonOf } from '../outbox/row.ts';
import type { Http } from '../transport/http.ts';
import type { Outcome, Reason } from './model.ts';

export interface Account {
  signIn(
    name: string,
    password: string | undefined,
    whom: Whom,
  ): Promise<{ ok: true; session: SignedInHere } | { ok: false; reason: Reason }>;
  /** The cookie holds. */
  proven(user: User): Promise<void>;
  /** Ends the session at the server; one that is ended already is ended. */
  signOut(user: User | undefined): Promise<Outcome>;
  setPassword(password: string, current: string | undefined): Promise<Outcome>;
  /** What the server says of the session that this browser's cookie proves; undefined when it says none or nothing. */
  session(): Promise<Session | undefined>;
}

/** Who may be signed in from here. */
export type Whom =
  /** Nobody is in here. */
  | { tag: 'anybody' }
  /** The one whose page this is, and nobody is made: their name must not go to another user (O4). */
  | { tag: 'again'; user: User }
  /** The server does not know the one whose page this is. Who is made from here, or has the same name, is their heir. */
  | { tag: 'heir'; of: User };

export function createAccount(http: Http, local: LocalDatabase, newId: () => string): Account {
  return {
    async signIn(raw, password, whom) {
      if (raw.trim() === '') return refuse({ code: 'empty' });
      const name = checkName(raw);
      if (!name.ok) return refuse({ code: name.code, message: name.message });
      try {
        const claim = await local.claim(name.text, newId());
        const proof = password && mayProve(whom, name.text) ? { password } : {};
        const as = whom.tag === 'again' ? { as: whom.user.id } : {};
        const called = await http.signIn({ name: name.text, claim, credential: 'cookie', ...proof, ...as });
        if (!called.ok) {
          if (isAnswer(called.error.code) && called.error.code !== 'not-found')
            await local.dropClaim(name.text);
          return refuse(reasonOf(called.error));
        }
        const { user, hasPassword, devices } = called.value;
        const heirOf = whom.tag === 'heir' && whom.of.id !== user.id ? { heirOf: whom.of.id } : {};
        const session = { user, hasPassword, devices, ...heirOf };
        await local.signIn(session);
        return { ok: true, session };
      } catch (error) {
        return refuse(storageReason(error));
      }
    },

    proven: (user) => local.dropOldClaim(user.name),

    async signOut(user) {
      // First, and for all tabs: one that is told by the server before it is told by us would come back by it.
      if (user) await local.dropClaim(user.name);
      const called = await http.signOut();
      if (called.ok || called.error.code === 'unauthorized') return { ok: true };
      return refuse(reasonOf(called.error));
    },

    async setPassword(password, current) {
      if (password === '') return refuse({ code: 'empty' });
      const called = await http.setPassword(password, current);
      return called.ok ? { ok: true } : refuse(reasonOf(called.error));
    },

    async session() {
      const called = await http.session();
      return called.ok ? called.value : undefined;
    },
  };
}

/** By a password one becomes who has that name: nobody's heir but one's own. */
function mayProve(whom: Whom, name: string): boolean {
  return whom.tag !== 'heir' || nameKey(whom.of.name) === nameKey(name);
}

/** True when the server decided; else the same claim has to be asked about again. */
export function isAnswer(code: string): boolean {
  const errorClass = classOf(code);
  return errorClass === 'permanent' || errorClass === 'auth';
}

function refuse(reason: Reason): { ok: false; reason: Reason } {
  return { ok: false, reason };
}
