/**
 * Signing in and out. A claim is durable before it is sent, and kept until it is answered and the cookie is safe: a lost
 * answer is repeated, and so is an answer whose cookie was lost with a killed browser.
 */

import { classOf } from '../../shared/protocol/codes.ts';
import type { Session, User } from '../../shared/protocol/index.ts';
import { checkName } from '../../shared/text.ts';
import { storageReason } from '../db/failure.ts';
import type { LocalDatabase } from '../db/local.ts';
import { reasonOf } from '../outbox/row.ts';
import type { Http } from '../transport/http.ts';
import type { Outcome, Reason } from './model.ts';

export interface Account {
  signIn(
    name: string,
    password: string | undefined,
  ): Promise<{ ok: true; session: Session } | { ok: false; reason: Reason }>;
  /** The cookie is gone although nobody signed out: the claim brings it again, while it is kept. */
  resume(user: User): Promise<Session | undefined>;
  /** The cookie holds. */
  proven(user: User): Promise<void>;
  /** Ends the session at the server; one that is ended already is ended. */
  signOut(user: User | undefined): Promise<Outcome>;
  setPassword(password: string, current: string | undefined): Promise<Outcome>;
  /** What the server says of the session that this browser's cookie proves; undefined when it says none or nothing. */
  session(): Promise<Session | undefined>;
}

export function createAccount(http: Http, local: LocalDatabase, newId: () => string): Account {
  return {
    async signIn(raw, password) {
      if (raw.trim() === '') return refuse({ code: 'empty' });
      const name = checkName(raw);
      if (!name.ok) return refuse({ code: name.code, message: name.message });
      try {
        const claim = await local.claim(name.text, newId());
        const proof = password ? { password } : {};
        const called = await http.signIn({ name: name.text, claim, credential: 'cookie', ...proof });
        if (!called.ok) {
          if (isAnswer(called.error.code)) await local.dropClaim(name.text);
          return refuse(reasonOf(called.error));
        }
        const { user, device, hasPassword, devices } = called.value;
        await local.signIn({ user, hasPassword, devices });
        return { ok: true, session: { user, device, hasPassword, devices } };
      } catch (error) {
        return refuse(storageReason(error));
      }
    },

    async resume(user) {
      const claim = await local.claimOf(user.name);
      if (claim === undefined) return undefined;
      const called = await http.signIn({ name: user.name, claim, credential: 'cookie' });
      if (called.ok && called.value.user.id === user.id) return called.value;
      if (called.ok || isAnswer(called.error.code)) await local.dropClaim(user.name);
      return undefined;
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

/** True when the server decided; else the same claim has to be asked about again. */
function isAnswer(code: string): boolean {
  const errorClass = classOf(code);
  return errorClass === 'permanent' || errorClass === 'auth';
}

function refuse(reason: Reason): { ok: false; reason: Reason } {
  return { ok: false, reason };
}
