/** Authentication: users, their devices, and the tokens of those devices. docs/PROTOCOL.md, "Authentication". */
import {
  CLAIM_LIFETIME_MS,
  CODE_LENGTH,
  DEVICES_MAX,
  PASS_LIFETIME_MS,
  RENAMES_PER_DAY,
} from '../../shared/limits.ts';
import { idFrom } from '../../shared/mint.ts';
import type { Device, PassRequest, Session, SessionRequest, User } from '../../shared/protocol/index.ts';
import { checkName, checkNewName, nameKey } from '../../shared/text.ts';
import type { SignUp } from '../base/env.ts';
import { RefusedError } from '../base/refusal.ts';
import { HASH_WAIT_MS, HASHES_AT_ONCE, HASHES_WAITING } from '../base/serverLimits.ts';
import { addressKey } from '../limits/addressKey.ts';
import { createFairSemaphore } from '../limits/fairSemaphore.ts';
import {
  type OneTimePass,
  type SignedInDevice,
  Unavailable,
  type UserRecord,
  type UserStore,
} from '../store/port.ts';
import type { DeviceUse } from './deviceUse.ts';
import { createKeyedMutex } from './keyedMutex.ts';
import { codeFrom, PASSES_KEPT, readPass } from './passes.ts';
import { checkPassword, hashPassword, SALT_BYTES, verifyPassword } from './passwords.ts';
import type { SignInLimits } from './signInLimits.ts';
import { signOutAllBut } from './signOutAllBut.ts';
import { hashClaim, hashRecovery, hashToken, looksLikeToken, TOKEN_BYTES, tokenFrom } from './tokens.ts';

/** The authenticated user and device of a request or socket, as read from the store at that time. */
export interface Identity {
  device: string;
  user: User;
  hasPassword: boolean;
  hasRecoveryCode: boolean;
}

export interface Auth {
  /**
   * Signs up a new user or signs in an existing one; makes one device per claim, so a retry is idempotent. With `as`, signs
   * in only that user and never creates one: a database restored from a backup does not know users who signed up after the
   * backup, and their apps must not take their names by signing up anew. With `recovery`, a recovery code stands in place of
   * the password, and nobody is created. Rejects with `RefusedError` or `Unavailable`.
   */
  signIn(
    request: Omit<SessionRequest, 'credential'>,
    address: string,
  ): Promise<{ session: Session; token: string; isNew: boolean }>;
  /** Makes a recovery code, which replaces the user's last one and is valid until then, or until the password is changed. */
  makeRecoveryCode(identity: Identity): Promise<string>;
  /** Makes a one-time pass, with which a new device of this user signs in until `expiresAt`. */
  makePass(identity: Identity, kind: OneTimePass['kind']): Promise<{ pass: string; expiresAt: number }>;
  /**
   * Signs in the user of a one-time pass on a new device. The same claim with the same pass is the same device, until the pass
   * expires. Throws `unauthorized` for a pass that is wrong, expired, used under another claim, or made by a device that
   * was signed out since.
   */
  signInByPass(
    request: Omit<PassRequest, 'credential'>,
    address: string,
  ): Promise<{ session: Session; token: string }>;
  /**
   * Undefined if the token is not known: it is forged, replaced or expired, or the database was restored from a backup.
   * Throws `unauthorized` with the reason `signed-out` if somebody signed the device out, and `unavailable` for a user who is suspended. `address`: of the client, where
   * this user now is known.
   */
  identify(token: string, address: string): Promise<Identity | undefined>;
  session(identity: Identity): Promise<Session>;
  /** Ends the device's session, then calls `onSignedOut`, also if it had ended before. */
  signOut(identity: Identity): Promise<void>;
  devices(identity: Identity): Promise<Device[]>;
  /** Signs out another device of the same user, then calls `onSignedOut`. Throws `not-found` if the user has none with this id. */
  removeDevice(identity: Identity, device: string): Promise<void>;
  /**
   * Renames the user, then calls `onRenamed`. Throws `conflict` if the name is taken; `forbidden` above RENAMES_PER_DAY,
   * with the time until the next one in `retryAfter`. The current name changes nothing and does not count.
   */
  rename(identity: Identity, name: string): Promise<User>;
  /**
   * Signs out all other devices, then calls `onSignedOut` for each. Throws `unauthorized` if the user has a password and
   * `current` is not it, `forbidden` after too many of these or too many changes.
   */
  setPassword(
    identity: Identity,
    change: { password: string; current?: string | undefined },
    address: string,
  ): Promise<void>;
}

export interface AuthOptions {
  store: UserStore;
  /** The wall clock in milliseconds. */
  now: () => number;
  /** Cryptographically secure random bytes. */
  random: (bytes: number) => Uint8Array;
  limits: SignInLimits;
  /** `closed`: signs in users, and creates none; `invite`: creates those whom `admit` lets in. */
  signUp: SignUp;
  /**
   * Uses an invitation for a new user, or throws. Resolves with a function that takes it back, where somebody else has got the
   * name. Where it is unknown whether the user was created, it stays used.
   */
  admit: (invite: string | undefined, user: string, address: string) => Promise<() => Promise<unknown>>;
  deviceUse: Pick<DeviceUse, 'seen' | 'isExpired'>;
  /** Called and awaited at every sign-in, since it may have failed at the first one. Must be idempotent. */
  onUserCreated: (user: string) => Promise<unknown>;
  onSignedOut: (device: string) => unknown;
  onRenamed: (user: User) => Promise<unknown>;
  /** Throws for a user who is suspended (suspensions.ts). */
  checkSuspended: (user: string) => Promise<void>;
  /** The role of this user on the server (keepers.ts). */
  roleOf: (user: string) => Promise<Session['role']>;
  /** The features of this server beyond those that every server has. */
  features: () => string[];
}

export function createAuth(options: AuthOptions): Auth {
  const {
    store,
    now,
    random,
    limits,
    signUp,
    admit,
    deviceUse,
    onUserCreated,
    onSignedOut,
    onRenamed,
    checkSuspended,
    roleOf,
    features,
  } = options;
  const exclusively = createKeyedMutex();
  const hashing = createFairSemaphore({
    maxRunning: HASHES_AT_ONCE,
    maxWaiting: HASHES_WAITING,
    waitMs: HASH_WAIT_MS,
  });

  return {
    async signIn(
      { name: rawName, password: rawPassword, recovery, signOutOthers, invite, claim, as },
      address,
    ) {
      const name = checkName(rawName);
      if (!name.ok) throw new RefusedError(name.code, name.message);
      const password = rawPassword === undefined ? undefined : checkPassword(rawPassword);
      const key = nameKey(name.text);
      const claimHash = hashClaim(claim, key);
      const attempt = limits.attempt(address, key, claimHash);
      const token = tokenFrom(random(TOKEN_BYTES));
      const newcomer = {
        name: name.text,
        key,
        password,
        recoveryHash: recovery === undefined ? undefined : hashRecovery(recovery),
        claimHash,
        tokenHash: hashToken(token),
        as,
        invite,
        address,
      };
      const harmless = as !== undefined && !proves(newcomer); // creates no user and guesses no password
      if (harmless) attempt.harmless();
      // A client that timed out retries with the same claim while its first attempt may still be running.
      const { how, ...signedIn } = await exclusively(claimHash, () => enter(newcomer)).catch(
        (error: unknown) => {
          // what waited too long for its hash comes again under the same claim
          if (error instanceof RefusedError && error.code !== 'unavailable') attempt.refused();
          throw error;
        },
      );
      if (how !== 'created' && !harmless) attempt.harmless();
      if (signOutOthers && recovery !== undefined)
        await signOutAllBut(options, signedIn.user.id, signedIn.device);
      await onUserCreated(signedIn.user.id);
      return { session: await begin(signedIn, address), token, isNew: how === 'created' };
    },

    async makeRecoveryCode({ user }) {
      limits.makePass(user.id);
      const code = newId();
      await store.setRecovery(user.id, hashRecovery(code));
      return code;
    },

    async makePass({ user, device }, kind) {
      limits.makePass(user.id);
      for (let tries = 0; tries < CODE_TRIES; tries++) {
        const pass = kind === 'link' ? newId() : codeFrom(random(CODE_LENGTH));
        const { hash } = readPass(pass)!;
        const createdAt = now();
        const expiresAt = createdAt + PASS_LIFETIME_MS;
        const made = { hash, kind, user: user.id, device, createdAt, expiresAt };
        if (await store.addPass(made, PASSES_KEPT[kind])) return { pass, expiresAt };
      }
      throw new Unavailable('No free code was found; try again.');
    },

    async signInByPass({ pass: raw, claim }, address) {
      const pass = readPass(raw);
      const refund = limits.tryPass(address, pass?.kind ?? 'code');
      if (!pass) throw wrongPass();
      const token = tokenFrom(random(TOKEN_BYTES));
      const taking = { claim, claimHash: hashClaim(claim, pass.hash), tokenHash: hashToken(token) };
      const signedIn = await exclusively(taking.claimHash, () => enterByPass(pass.hash, taking)).catch(
        (error: unknown) => {
          refund();
          throw error;
        },
      );
      if (!signedIn) throw wrongPass();
      refund();
      return { session: await begin(signedIn, address), token };
    },

    async identify(token, address) {
      if (!looksLikeToken(token)) return undefined;
      const tokenHash = hashToken(token);
      const signedIn = await store.byToken(tokenHash);
      if (!signedIn) {
        if (await store.wasSignedOut(tokenHash)) throw wasSignedOut();
        return undefined;
      }
      const { device, seenAt } = signedIn;
      if (deviceUse.isExpired(seenAt)) return undefined;
      await checkSuspended(signedIn.user.id);
      deviceUse.seen(device, seenAt);
      limits.wasAt(signedIn.user.id, address);
      return toIdentity(signedIn);
    },

    session: sessionOf,

    async signOut({ user, device }) {
      await store.removeDevice(user.id, device, now());
      await onSignedOut(device);
    },

    async devices({ user, device }) {
      const devices = await store.devicesOf(user.id);
      return devices.map(({ id, createdAt, seenAt }) => ({ id, createdAt, seenAt, current: id === device }));
    },

    async removeDevice({ user }, device) {
      if (!(await store.removeDevice(user.id, device, now())))
        throw new RefusedError('not-found', 'You are not signed in on a device with this id.');
      await onSignedOut(device);
    },

    async rename({ user }, rawName) {
      const name = checkNewName(rawName);
      if (!name.ok) throw new RefusedError(name.code, name.message);
      const stored = await store.byId(user.id);
      if (!stored) throw new RefusedError('unauthorized', 'Sign in first.');
      if (stored.name === name.text) return toUser(stored);
      limits.attemptRename(user.id);
      const limit = { at: now(), most: RENAMES_PER_DAY, withinMs: DAY_MS };
      const named = await store.rename(user.id, name.text, nameKey(name.text), limit);
      if (named === 'taken') throw new RefusedError('conflict', 'That name is taken.');
      if ('againAt' in named) throw tooManyRenames(named.againAt - limit.at);
      const renamed = toUser({ ...stored, ...named });
      await onRenamed(renamed);
      return renamed;
    },

    async setPassword({ user, device }, change, address) {
      const password = checkPassword(change.password);
      const current = change.current === undefined ? undefined : checkPassword(change.current);
      const stored = await store.byId(user.id);
      if (!stored) throw new RefusedError('unauthorized', 'Sign in first.');
      const refundChange = limits.changePassword(user.id);
      try {
        const turn = { lane: addressKey(address), key: user.id, preferred: true };
        const { passwordHash } = stored;
        if (passwordHash !== undefined && current === undefined) throw wrongCurrent();
        const refundGuess = passwordHash === undefined ? () => {} : limits.guessCurrent(user.id, device);
        const hash = await hashing(turn, async () => {
          if (passwordHash !== undefined && !(await verifyPassword(current!, passwordHash))) return undefined;
          return hashPassword(password, random(SALT_BYTES));
        }).catch((error) => {
          refundGuess();
          throw error;
        });
        if (hash === undefined) throw wrongCurrent();
        refundGuess();
        const others = await store.setPassword(user.id, hash, device, now());
        await Promise.all(others.map(onSignedOut));
      } catch (error) {
        refundChange();
        throw error;
      }
    },
  };

  /** What every sign-in ends with. */
  async function begin(signedIn: SignedInDevice, address: string): Promise<Session> {
    limits.wasAt(signedIn.user.id, address);
    const session = await sessionOf(toIdentity(signedIn));
    if (session.devices > DEVICES_MAX) await signOutLeastUsed(session);
    return session;
  }

  /** Undefined where the pass is wrong. */
  async function enterByPass(hash: string, { claim, claimHash, tokenHash }: TakingPass) {
    const taken = await store.takePass(hash, claimHash, now());
    // In this order: a change of the password signs out the device that made the pass, or is seen by `addDevice`.
    const user = taken && (await store.byId(taken.user));
    if (!user || !(await store.devicesAlive([taken.device])).has(taken.device)) return undefined;
    // As after a sign-in by name: with this claim, the device gets another token where it has lost its cookie.
    const device = { claimHash: hashClaim(claim, nameKey(user.name)), tokenHash, as: user.id };
    return (await renew(device)) ?? storeDevice(device, user);
  }

  async function enter(newcomer: Newcomer): Promise<Entered> {
    const renewed = await renew(newcomer);
    if (renewed) return renewed;
    if (newcomer.as !== undefined) return enterAs(newcomer, newcomer.as);
    const user = await store.byNameKey(newcomer.key);
    if (user) return addDevice(newcomer, user);
    if (newcomer.recoveryHash !== undefined) throw wrongRecovery(); // whoever mistypes a name is no new user
    return createUser(newcomer);
  }

  async function enterAs(newcomer: Newcomer, as: string): Promise<Entered> {
    const user = await store.byId(as);
    if (!user)
      throw new RefusedError(
        'not-found',
        'This user does not exist here: the data may have been restored from a backup.',
      );
    if (!proves(newcomer) || nameKey(user.name) !== newcomer.key)
      throw new RefusedError('unauthorized', 'This device is signed out.');
    return addDevice(newcomer, user);
  }

  /** The answer to an earlier sign-in with this claim was lost: the same user and device get a new token. */
  async function renew({ claimHash, tokenHash, as }: ByClaim): Promise<Entered | undefined> {
    const before = await store.byClaim(claimHash, claimsSince());
    if (!before || (as !== undefined && as !== before.user.id)) return undefined;
    await checkSuspended(before.user.id);
    await store.replaceToken(before.device, tokenHash);
    return { ...before, how: 'renewed' };
  }

  async function createUser(newcomer: Newcomer): Promise<Entered> {
    const allowed = checkNewName(newcomer.name); // only here: who has had such a name before can still sign in
    if (!allowed.ok) throw new RefusedError(allowed.code, allowed.message);
    const user = { id: newId(), name: newcomer.name, rev: 0 };
    const device = deviceOf(newcomer, user.id);
    if (signUp === 'closed') throw signUpClosed();
    const { password } = newcomer;
    const secret =
      password === undefined
        ? {}
        : {
            passwordHash: await inTurn(newcomer, newcomer.key, () =>
              hashPassword(password, random(SALT_BYTES)),
            ),
          };
    const { id, name } = user;
    const createdAt = now();
    const takeBack =
      signUp === 'invite' ? await admit(newcomer.invite, user.id, newcomer.address) : undefined;
    const made = await store.create({ id, name, nameKey: newcomer.key, createdAt, ...secret }, device);
    if (made === 'created')
      return {
        device: device.id,
        user: { passwordHash: undefined, recoveryHash: undefined, createdAt, ...user, ...secret },
        seenAt: device.createdAt,
        how: 'created',
      };

    await takeBack?.();
    // Lost a race: against the same claim on another process, or against another person with this name.
    const renewed = await renew(newcomer);
    if (renewed) return renewed;
    const other = await store.byNameKey(newcomer.key);
    if (!other) throw new Unavailable('This name is being taken right now; try again.');
    return addDevice(newcomer, other);
  }

  async function addDevice(newcomer: Newcomer, user: UserRecord): Promise<Entered> {
    if (newcomer.recoveryHash !== undefined) return recover(newcomer, newcomer.recoveryHash, user);
    if (newcomer.password === undefined) throw new RefusedError('conflict', 'That name is taken.');
    if (!(await guess(user, newcomer.password, newcomer)))
      throw new RefusedError('unauthorized', 'That is not the password of this name.');
    return storeDevice(newcomer, user);
  }

  /** Wrong codes count as wrong passwords do. */
  async function recover(newcomer: Newcomer, hash: string, user: UserRecord): Promise<Entered> {
    const refund = limits.guess(user.id, newcomer.address);
    if (user.recoveryHash !== hash) throw wrongRecovery();
    refund();
    const entered = await storeDevice(newcomer, user);
    // it may have been replaced since it was read
    if ((await store.byId(user.id))?.recoveryHash === hash) return entered;
    await store.removeDevice(user.id, entered.device, now());
    throw wrongRecovery();
  }

  /** `user` has proven to be who they are. */
  async function storeDevice(newcomer: ByClaim, user: UserRecord): Promise<Entered> {
    await checkSuspended(user.id);
    limits.addDevice(user.id);
    const device = deviceOf(newcomer, user.id);
    const outcome = await store.addDevice(device, claimsSince(), user.passwordHash);
    if (outcome === 'added') return { device: device.id, user, seenAt: device.createdAt, how: 'proven' };
    if (outcome === 'outdated')
      throw new RefusedError('unauthorized', 'The password of this name has just been changed.');

    // While the password was verified, another process has signed in this same claim.
    const renewed = await renew(newcomer);
    if (!renewed) throw new Unavailable('This device has just been signed out; try again.');
    return renewed;
  }

  async function signOutLeastUsed({ user, device }: Session): Promise<void> {
    const others = (await store.devicesOf(user.id)).filter(({ id }) => id !== device.id);
    const [first] = others.sort((a, b) => a.seenAt - b.seenAt);
    if (!first) return;
    await store.removeDevice(user.id, first.id, now());
    await onSignedOut(first.id);
  }

  function claimsSince(): number {
    return now() - CLAIM_LIFETIME_MS;
  }

  async function guess(user: UserRecord, password: string, newcomer: Newcomer): Promise<boolean> {
    const refund = limits.guess(user.id, newcomer.address);
    let isWrong = false;
    try {
      isWrong = !(await inTurn(newcomer, user.id, () => verifyPassword(password, user.passwordHash)));
      return !isWrong;
    } finally {
      if (!isWrong) refund();
    }
  }

  /** Work that costs as much as a hash. `user`: an id or the key of a name, for which it runs one at a time. */
  function inTurn<T>({ address }: Newcomer, user: string, work: () => Promise<T>): Promise<T> {
    const preferred = limits.isKnownAt(user, address);
    return hashing({ lane: addressKey(address), key: user, preferred }, work);
  }

  async function sessionOf({ user, device, hasPassword, hasRecoveryCode }: Identity): Promise<Session> {
    const devices = await store.countDevices(user.id);
    if (devices === 0) throw new RefusedError('unauthorized', 'This device was signed out.');
    const role = await roleOf(user.id);
    return {
      user,
      device: { id: device },
      hasPassword,
      hasRecoveryCode,
      devices,
      ...(role && { role }),
      features: features(),
    };
  }

  function deviceOf({ tokenHash, claimHash }: ByClaim, user: string) {
    return { id: newId(), user, tokenHash, claimHash, createdAt: now() };
  }

  function newId(): string {
    return idFrom(random(16));
  }
}

/** The hashes of a new device. */
interface ByClaim {
  claimHash: string;
  tokenHash: string;
  /** The only user that may be signed in, if the request says so. */
  as: string | undefined;
}

/** Of whoever takes a pass. `claimHash` covers the pass, as another one covers the name. */
interface TakingPass {
  claim: string;
  claimHash: string;
  tokenHash: string;
}

/** Two codes that are the same by chance are one in ten million even where a hundred are valid. */
const CODE_TRIES = 3;

/** A sign-in request with a valid name and password format. */
interface Newcomer extends ByClaim {
  name: string;
  key: string;
  password: string | undefined;
  recoveryHash: string | undefined;
  /** The token or code of an invitation. */
  invite: string | undefined;
  /** Of the client. */
  address: string;
}

type Entered = SignedInDevice & { how: 'created' | 'renewed' | 'proven' };

function wrongCurrent(): RefusedError {
  return new RefusedError('unauthorized', 'That is not the current password.');
}

/** Whether it shows more than a claim. */
function proves({ password, recoveryHash }: Newcomer): boolean {
  return password !== undefined || recoveryHash !== undefined;
}

function wrongRecovery(): RefusedError {
  return new RefusedError('unauthorized', 'That is not the recovery code of this name.');
}

function wrongPass(): RefusedError {
  return new RefusedError('unauthorized', 'This code is wrong, was used, or is older than ten minutes.');
}

function wasSignedOut(): RefusedError {
  return new RefusedError('unauthorized', 'This device was signed out.', undefined, 'signed-out');
}

function signUpClosed(): RefusedError {
  return new RefusedError(
    'forbidden',
    'This server takes no new users. Check the spelling of your name, or ask whoever runs the server.',
    undefined,
    'sign-up-closed',
  );
}

/** `waitMs`: until the next one. `forbidden`, since clients repeat what is `rate-limited` within a minute. */
function tooManyRenames(waitMs: number): RefusedError {
  const hours = Math.ceil(waitMs / HOUR_MS);
  const message = `A name can be changed ${RENAMES_PER_DAY} times a day: again in ${hours === 1 ? 'an hour' : `${hours} hours`}.`;
  return new RefusedError('forbidden', message, waitMs);
}

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;

function toIdentity({ device, user }: SignedInDevice): Identity {
  const { passwordHash, recoveryHash } = user;
  return {
    device,
    user: toUser(user),
    hasPassword: passwordHash !== undefined,
    hasRecoveryCode: recoveryHash !== undefined,
  };
}

function toUser({ id, name, rev }: UserRecord): User {
  return { id, name, rev };
}
