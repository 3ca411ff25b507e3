/**
 * Who may come into the namespace `/admin`: whoever has the password, or a session that was made with it. Nobody signs in
 * there but operators, so guesses are few: for an address, and for all. An address that has signed in has its own guesses,
 * so that strangers who use up those of all do not keep its operator out.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Audit, OnLimit } from '../base/audit.ts';
import { createRecentMap } from '../base/recentMap.ts';
import {
  OPERATOR_CHECKS_WAITING,
  OPERATOR_GUESSES,
  OPERATOR_GUESSES_OF_ADDRESS,
  OPERATOR_SESSION_MS,
  OPERATOR_SESSIONS,
  RECENT_ADDRESS_LIFETIME_MS,
  RECENT_ADDRESSES,
} from '../base/serverLimits.ts';
import { createLimiter } from '../limits/limiter.ts';

/**
 * What the processes tell each other of a session. `hash`: SHA-256 of its secret. `setting`: SHA-256 of the setting with the
 * password that it was made with. `until`: wall clock in ms.
 */
export interface OperatorSession {
  hash: string;
  setting: string;
  until: number;
}

export type Admitted = { tag: 'in'; session: OperatorSession; secret: string };
export type NotAdmitted = { tag: 'refused'; code: 'unauthorized' | 'rate-limited'; message: string };

export interface OperatorGuard {
  /** `auth`: what the client sent, of any form. `address`: a key of `addressKey`. Never rejects for what a client sent. */
  admit(auth: Readonly<Record<string, unknown>>, address: string): Promise<Admitted | NotAdmitted>;
  /** A session of another process. One that was made with another password is ignored: a new password ends all sessions. */
  learn(session: OperatorSession): void;
  find(hash: string): OperatorSession | undefined;
  /** Those that have not ended. */
  all(): OperatorSession[];
}

interface Deps {
  passwordHash: string;
  isPassword: (password: string, hash: string) => Promise<boolean>;
  /** There is no other process that may know a session. */
  isAlone: boolean;
  /** Asks the other processes for a session that this one does not know, and calls `learn` with what they answer. */
  ask: (hash: string) => Promise<void>;
  onLimit: OnLimit;
  audit: Audit;
  /** The wall clock in milliseconds. */
  now: () => number;
  /** A monotonic clock in milliseconds. */
  ticks: () => number;
}

/** The words that the page of admin-ui knows, and shows in the language of its reader. */
const WRONG = 'invalid credentials';

export function createOperatorGuard({
  passwordHash,
  isPassword,
  isAlone,
  ask,
  onLimit,
  audit,
  now,
  ticks,
}: Deps): OperatorGuard {
  const ofAddress = createLimiter({ ...OPERATOR_GUESSES_OF_ADDRESS, now: ticks });
  const ofAll = createLimiter({ ...OPERATOR_GUESSES, now: ticks });
  const sessions = createRecentMap<string, OperatorSession>({
    maxEntries: OPERATOR_SESSIONS,
    keepMs: OPERATOR_SESSION_MS,
    now: ticks,
  });
  const knownAddresses = createRecentMap<string, true>({
    maxEntries: RECENT_ADDRESSES,
    keepMs: RECENT_ADDRESS_LIFETIME_MS,
    now: ticks,
  });
  const setting = hashOf(passwordHash);
  let checking: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  function refuse(address: string, code: NotAdmitted['code'], message: string): NotAdmitted {
    audit.record('operator', { address, code });
    return { tag: 'refused', code, message };
  }

  function tooMany(address: string): NotAdmitted {
    onLimit('operator guesses', { address });
    return refuse(address, 'rate-limited', 'too many attempts, wait a minute');
  }

  /** One check at a time: together they take at most one of the processor's cores. */
  async function check(password: string): Promise<boolean> {
    waiting++;
    const checked = checking.then(() => isPassword(password, passwordHash));
    checking = checked.catch(() => {}).finally(() => waiting--);
    return checked;
  }

  function find(hash: string): OperatorSession | undefined {
    const session = sessions.get(hash);
    return session && session.until > now() ? session : undefined;
  }

  return {
    async admit({ password, sessionId }, address) {
      const secret = shortString(sessionId);
      const hash = secret && hashOf(secret);
      const known = hash && find(hash);
      if (secret && known) return { tag: 'in', session: known, secret };
      const guess = shortString(password);
      // an unknown session alone is no guess: its secret cannot be guessed, and nobody has to be asked
      if (!guess && (!secret || isAlone))
        return { tag: 'refused', code: 'unauthorized', message: 'type the password' };

      const isKnown = knownAddresses.get(address) === true;
      if (waiting >= OPERATOR_CHECKS_WAITING || ofAddress.waitFor(address, 1) > 0) return tooMany(address);
      if (!isKnown && ofAll.take('', 1) > 0) return tooMany(address);
      ofAddress.spend(address, 1);
      const giveBack = () => {
        ofAddress.giveBack(address, 1);
        if (!isKnown) ofAll.giveBack('', 1);
      };

      if (hash) await ask(hash);
      const elsewhere = hash && find(hash);
      if (secret && elsewhere) {
        giveBack();
        return { tag: 'in', session: elsewhere, secret };
      }
      if (!guess || !(await check(guess))) return refuse(address, 'unauthorized', WRONG);
      giveBack();
      knownAddresses.set(address, true);
      const made = randomBytes(16).toString('base64url');
      const session = { hash: hashOf(made), setting, until: now() + OPERATOR_SESSION_MS };
      sessions.set(session.hash, session);
      audit.record('operator', { address });
      return { tag: 'in', session, secret: made };
    },
    all: () => sessions.values().filter(({ until }) => until > now()),
    learn(session) {
      if (session.setting === setting) sessions.set(session.hash, session);
    },
    find,
  };
}

/** bcrypt reads 72 bytes: a longer password is no password of ours. */
const CREDENTIAL_MAX_BYTES = 72;

function shortString(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= CREDENTIAL_MAX_BYTES
    ? value
    : undefined;
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
