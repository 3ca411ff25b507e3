/** Who somebody is: users, their devices, and the tokens that prove them. docs/PROTOCOL.md, "Who you are". */

import { CLAIM_LIFETIME_MS } from '../../shared/limits.ts';
import { idFrom } from '../../shared/mint.ts';
import type { Session, SessionRequest, User } from '../../shared/protocol/index.ts';
import { checkName, nameKey } from '../../shared/text.ts';
import { RefusedError } from '../base/refusal.ts';
import { type SignedIn, type StoredUser, Unavailable, type UserStore } from '../store/port.ts';
import { createKeyedMutex } from './keyedMutex.ts';
import { checkPassword, hashPassword, SALT_BYTES, verifyPassword } from './passwords.ts';
import type { SignInLimits } from './signInLimits.ts';
import { hashClaim, hashToken, looksLikeToken, TOKEN_BYTES, tokenFrom } from './tokens.ts';

/** Who a request or a socket is, as the store said when it was asked. */
export interface Identity {
  device: string;
  user: User;
  hasPassword: boolean;
}

export interface Auth {
  /**
   * Makes the user, or signs an existing one in, as one device per claim. With `as` only that user, and nobody is made: a
   * database that was put back does not know whoever came after the copy, and their own app must not take their name from
   * them. Rejects with `RefusedError` or `Unavailable`.
   */
  signIn(
    request: Omit<SessionRequest, 'credential'>,
    address: string,
  ): Promise<{ session: Session; token: string }>;
  /** Undefined for a token that is forged, replaced or signed out. */
  identify(token: string): Promise<Identity | undefined>;
  session(identity: Identity): Promise<Session>;
  /** Ends the device's session, then tells `onSignedOut`, also when it had ended already. */
  signOut(identity: Identity): Promise<void>;
  /**
   * Gives the user another name, then tells `onRenamed`. `conflict` where it is taken, `forbidden` beyond so many a day. The
   * same name again changes nothing.
   */
  rename(identity: Identity, name: string): Promise<User>;
  /** `unauthorized` without the right `current` where a password is set already. */
  setPassword(identity: Identity, change: { password: string; current?: string | undefined }): Promise<void>;
}

export interface AuthOptions {
  store: UserStore;
  /** Milliseconds by the wall clock. */
  now: () => number;
  /** So many cryptographically random bytes. */
  random: (bytes: number) => Uint8Array;
  limits: SignInLimits;
  /** Awaited before every answer to a sign-in, not only the first: it may have failed then. Must be idempotent. */
  onUserCreated: (user: string) => Promise<unknown>;
  onSignedOut: (device: string) => unknown;
  onRenamed: (user: User) => Promise<unknown>;
  /** What this server takes beyond what every server does. */
  features: () => string[];
}

export function createAuth(options: AuthOptions): Auth {
  const { store, now, random, limits, onUserCreated, onSignedOut, onRenamed, features } = options;
  const exclusively = createKeyedMutex();

  return {
    async signIn({ name: rawName, password: rawPassword, claim, as }, address) {
      const name = checkName(rawName);
      if (!name.ok) throw new RefusedError(name.code, name.message);
      const password = rawPassword === undefined ? undefined : checkPassword(rawPassword);
      const key = nameKey(name.text);
      limits.attempt(address, key);
      const token = tokenFrom(random(TOKEN_BYTES));
      const newcomer = {
        name: name.text,
        key,
        password,
        claimHash: hashClaim(claim, key),
        tokenHash: hashToken(token),
        as,
      };
      const harmless = as !== undefined && password === undefined; // makes nobody, and guesses at nothing
      if (harmless) limits.proven(address);
      // The first attempt may still be at work when the client, having given up on it, tries again.
      const { how, ...signedIn } = await exclusively(newcomer.claimHash, () => enter(newcomer));
      if (how !== 'created' && !harmless) limits.proven(address);
      await onUserCreated(signedIn.user.id);
      return { session: await sessionOf(toIdentity(signedIn)), token };
    },

    async identify(token) {
      const signedIn = looksLikeToken(token) ? await store.byToken(hashToken(token)) : undefined;
      return signedIn && toIdentity(signedIn);
    },

    session: sessionOf,

    async signOut({ device }) {
      await store.removeDevice(device);
      await onSignedOut(device);
    },

    async rename({ user }, rawName) {
      const name = checkName(rawName);
      if (!name.ok) throw new RefusedError(name.code, name.message);
      const stored = await store.byId(user.id);
      if (!stored) throw new RefusedError('unauthorized', 'Sign in first.');
      if (stored.name === name.text) return toUser(stored);
      const giveBack = limits.rename(user.id);
      const named = await store.rename(user.id, name.text, nameKey(name.text));
      if (named === 'taken') {
        giveBack();
        throw new RefusedError('conflict', 'That name is taken.');
      }
      const renamed = toUser({ ...stored, ...named });
      await onRenamed(renamed);
      return renamed;
    },

    async setPassword({ user }, change) {
      const password = checkPassword(change.password);
      const stored = await store.byId(user.id);
      if (!stored) throw new RefusedError('unauthorized', 'Sign in first.');
      const current = change.current === undefined ? undefined : checkPassword(change.current);
      if (stored.passwordHash !== undefined && !(await guess(stored, current))) {
        throw new RefusedError('unauthorized', 'That is not the current password.');
      }
      await store.setPassword(user.id, await hashPassword(password, random(SALT_BYTES)));
    },
  };

  async function enter(newcomer: Newcomer): Promise<Entered> {
    const renewed = await renew(newcomer);
    if (renewed) return renewed;
    if (newcomer.as !== undefined) return enterAs(newcomer, newcomer.as);
    const user = await store.byNameKey(newcomer.key);
    return user ? addDevice(newcomer, user) : createUser(newcomer);
  }

  async function enterAs(newcomer: Newcomer, as: string): Promise<Entered> {
    const user = await store.byId(as);
    if (!user)
      throw new RefusedError('not-found', 'There is no such user here: the data may have been put back.');
    if (newcomer.password === undefined || nameKey(user.name) !== newcomer.key)
      throw new RefusedError('unauthorized', 'This device is signed out.');
    return addDevice(newcomer, user);
  }

  /** The answer to this claim was lost: the same user and device, another token. */
  async function renew({ claimHash, tokenHash, as }: Newcomer): Promise<Entered | undefined> {
    const before = await store.byClaim(claimHash, claimsSince());
    if (!before || (as !== undefined && as !== before.user.id)) return undefined;
    await store.replaceToken(before.device, tokenHash);
    return { ...before, how: 'renewed' };
  }

  async function createUser(newcomer: Newcomer): Promise<Entered> {
    const user = { id: newId(), name: newcomer.name, rev: 0 };
    const device = deviceOf(newcomer, user.id);
    const secret =
      newcomer.password === undefined
        ? {}
        : { passwordHash: await hashPassword(newcomer.password, random(SALT_BYTES)) };
    const { id, name } = user;
    const made = await store.create({ id, name, nameKey: newcomer.key, createdAt: now(), ...secret }, device);
    if (made === 'created')
      return { device: device.id, user: { passwordHash: undefined, ...user, ...secret }, how: 'created' };

    // Somebody was first in between: this very claim on another node, or another person.
    const renewed = await renew(newcomer);
    if (renewed) return renewed;
    const other = await store.byNameKey(newcomer.key);
    if (!other) throw new Unavailable('That name is just being taken; try again.');
    return addDevice(newcomer, other);
  }

  async function addDevice(newcomer: Newcomer, user: StoredUser): Promise<Entered> {
    if (newcomer.password === undefined) throw new RefusedError('conflict', 'That name is taken.');
    if (!(await guess(user, newcomer.password)))
      throw new RefusedError('unauthorized', 'That is not the password of this name.');
    const device = deviceOf(newcomer, user.id);
    const outcome = await store.addDevice(device, claimsSince());
    if (outcome === 'added') return { device: device.id, user, how: 'proven' };

    // While the password was checked, another node has let this very claim in.
    const renewed = await renew(newcomer);
    if (!renewed) throw new Unavailable('This device has just been signed out; try again.');
    return renewed;
  }

  function claimsSince(): number {
    return now() - CLAIM_LIFETIME_MS;
  }

  async function guess(user: StoredUser, password: string | undefined): Promise<boolean> {
    if (password === undefined) return false;
    limits.guess(user.id);
    const right = await verifyPassword(password, user.passwordHash);
    if (right) limits.rightGuess(user.id);
    return right;
  }

  async function sessionOf({ user, device, hasPassword }: Identity): Promise<Session> {
    const devices = await store.countDevices(user.id);
    if (devices === 0) throw new RefusedError('unauthorized', 'This device was signed out.');
    return { user, device: { id: device }, hasPassword, devices, features: features() };
  }

  function deviceOf({ tokenHash, claimHash }: Newcomer, user: string) {
    return { id: newId(), user, tokenHash, claimHash, createdAt: now() };
  }

  function newId(): string {
    return idFrom(random(16));
  }
}

/** A sign-in whose name and password were checked. */
interface Newcomer {
  name: string;
  key: string;
  password: string | undefined;
  claimHash: string;
  tokenHash: string;
  /** The one user that may be signed in, where the request says so. */
  as: string | undefined;
}

type Entered = SignedIn & { how: 'created' | 'renewed' | 'proven' };

function toIdentity({ device, user }: SignedIn): Identity {
  return { device, user: toUser(user), hasPassword: user.passwordHash !== undefined };
}

function toUser({ id, name, rev }: StoredUser): User {
  return { id, name, rev };
}
