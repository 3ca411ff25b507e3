/**
 * Keepers: users who let people back in that have lost every device and have neither password nor recovery code. Whoever has
 * lost a phone asks under their name, and gets a number; a keeper sees the request, hears the number from the person, and
 * approves or refuses. docs/SECURITY.md, "Keepers".
 */
import {
  COME_BACK_LIFETIME_MS,
  COME_BACKS_WAITING,
  COME_BACKS_WAITING_OF_USER,
  PASS_LIFETIME_MS,
} from '../../shared/limits.ts';
import { idFrom } from '../../shared/mint.ts';
import type {
  ComeBackAsked,
  ComeBackDecision,
  ComeBackState,
  WaitingRequest,
} from '../../shared/protocol/index.ts';
import { checkName, nameKey } from '../../shared/text.ts';
import type { Audit } from '../base/audit.ts';
import { RefusedError, toWireError } from '../base/refusal.ts';
import { KEEPERS_CACHED_MS } from '../base/serverLimits.ts';
import { addressKey } from '../limits/addressKey.ts';
import type { KeeperStore, UserStore } from '../store/port.ts';
import type { Identity } from './auth.ts';
import { hashPass, PASSES_KEPT } from './passes.ts';
import type { SignInLimits } from './signInLimits.ts';
import { signOutAllBut } from './signOutAllBut.ts';

type Role = 'keeper' | 'first';

export interface Keepers {
  /** May be KEEPERS_CACHED_MS old. */
  roleOf(user: string): Promise<Role | undefined>;
  /** Throws `forbidden` for who is no keeper, which may be KEEPERS_CACHED_MS old. */
  mustBeKeeper(identity: Identity): Promise<void>;
  /** Gives a user the role of a keeper, or takes it. Throws `conflict` where it would be taken from the last one. */
  setRole(user: string, isKeeper: boolean): Promise<void>;
  /** Makes the first user of a server without keepers one. Throws `forbidden` for anybody else. */
  become(identity: Identity): Promise<void>;
  /** Throws `not-found` for a name that nobody has, `forbidden` where there is no keeper or there are too many requests. */
  ask(name: string, address: string): Promise<ComeBackAsked>;
  /** Throws `not-found` for a request that has expired. */
  stateOf(request: string, address: string): Promise<ComeBackState['state']>;
  /** The requests that wait. Throws `forbidden` for who is no keeper. */
  requests(identity: Identity): Promise<WaitingRequest[]>;
  /** Throws `forbidden` for who is no keeper, `not-found` where somebody else has decided, or the request has expired. */
  decide(identity: Identity, id: string, decision: ComeBackDecision): Promise<void>;
}

interface Deps {
  store: KeeperStore;
  users: Pick<UserStore, 'byNameKey' | 'names' | 'addPass' | 'devicesOf' | 'removeDevice'>;
  limits: Pick<SignInLimits, 'askToComeBack' | 'lookAfterRequest'>;
  /** The wall clock in milliseconds. */
  now: () => number;
  /** A monotonic clock in milliseconds. */
  ticks: () => number;
  /** Cryptographically secure random bytes. */
  random: (bytes: number) => Uint8Array;
  onSignedOut: (device: string) => unknown;
  audit: Pick<Audit, 'record'>;
}

export function createKeepers({
  store,
  users,
  limits,
  now,
  ticks,
  random,
  onSignedOut,
  audit,
}: Deps): Keepers {
  let cached: { at: number; ids: Promise<ReadonlySet<string>> } | undefined;
  let first: string | undefined;

  function keeperIds(): Promise<ReadonlySet<string>> {
    if (!cached || ticks() - cached.at > KEEPERS_CACHED_MS) {
      const ids = store.all().then((all) => new Set(all));
      const reading = { at: ticks(), ids };
      cached = reading;
      ids.catch(() => {
        if (cached === reading) cached = undefined;
      });
    }
    return cached.ids;
  }

  async function roleOf(user: string): Promise<Role | undefined> {
    const ids = await keeperIds();
    if (ids.has(user)) return 'keeper';
    if (ids.size > 0) return undefined;
    first ??= await store.firstUser();
    return user === first ? 'first' : undefined;
  }

  async function mustBeKeeper({ user }: Identity): Promise<void> {
    if (!(await keeperIds()).has(user.id))
      throw new RefusedError('forbidden', 'You are no keeper of this server.');
  }

  return {
    roleOf,
    mustBeKeeper,

    async setRole(user, isKeeper) {
      if (isKeeper) await store.add(user, now());
      else if (!(await store.remove(user)) && (await store.all()).includes(user))
        throw new RefusedError('conflict', 'This is the last keeper: make another one first.');
      cached = undefined;
    },

    async become({ user, device }) {
      cached = undefined;
      const role = await roleOf(user.id);
      if (role === 'keeper') return;
      if (role !== 'first')
        throw new RefusedError('forbidden', 'This server has a keeper already, or another first user.');
      await store.add(user.id, now());
      cached = undefined;
      audit.record('keeper-made', { user: user.id, device });
    },

    async ask(rawName, client) {
      const address = addressKey(client);
      const name = checkName(rawName);
      if (!name.ok) throw new RefusedError(name.code, name.message);
      const key = nameKey(name.text);
      try {
        limits.askToComeBack(client);
        if ((await keeperIds()).size === 0) throw noKeeper();
        const user = await users.byNameKey(key);
        if (!user) throw new RefusedError('not-found', 'Nobody here has this name.');
        const waiting = await store.requests(now());
        const ofUser = waiting.filter((one) => one.user === user.id);
        if (waiting.length >= COME_BACKS_WAITING || ofUser.length >= COME_BACKS_WAITING_OF_USER)
          throw new RefusedError('forbidden', 'Too many requests are waiting: try again in half an hour.');
        const request = idFrom(random(16));
        const createdAt = now();
        const made = {
          hash: hashPass(request),
          user: user.id,
          number: freeNumber(waiting.map(({ number }) => number)),
          createdAt,
          expiresAt: createdAt + COME_BACK_LIFETIME_MS,
        };
        await store.addRequest(made);
        audit.record('come-back-asked', { user: user.id, name: key, address });
        return { request, number: made.number, expiresAt: made.expiresAt };
      } catch (error) {
        audit.record('come-back-asked', { name: key, address, code: toWireError(error).code });
        throw error;
      }
    },

    async stateOf(request, client) {
      limits.lookAfterRequest(client);
      const state = await store.requestState(hashPass(request), now());
      if (!state) throw requestGone();
      return state;
    },

    async requests(identity) {
      await mustBeKeeper(identity);
      const waiting = await store.requests(now());
      const names = await users.names(waiting.map(({ user }) => user));
      return waiting.flatMap(({ hash, user, number, createdAt, expiresAt }) => {
        const named = names.get(user);
        return named ? [{ id: hash, user: { id: user, ...named }, number, createdAt, expiresAt }] : [];
      });
    },

    async decide(identity, id, { approve, signOutOthers }) {
      await mustBeKeeper(identity);
      const decided = await store.decide(id, approve ? 'approved' : 'refused', now());
      if (!decided) throw requestGone();
      const { user, hash } = decided;
      // In this order: what is interrupted is finished by whoever approves again, and lets nobody in before.
      if (approve && signOutOthers)
        await signOutAllBut({ store: users, now, onSignedOut }, user, identity.device);
      if (approve) {
        const createdAt = now();
        const expiresAt = createdAt + PASS_LIFETIME_MS;
        const pass = { hash, kind: 'link', user, device: identity.device, createdAt, expiresAt } as const;
        await users.addPass(pass, PASSES_KEPT.link);
      }
      audit.record(approve ? 'come-back-approved' : 'come-back-refused', { user, device: identity.device });
    },
  };

  function freeNumber(taken: readonly string[]): string {
    for (;;) {
      const [high, low] = random(2);
      const number = String(((high! << 8) | low!) % 10_000).padStart(4, '0');
      if (!taken.includes(number)) return number; // COME_BACKS_WAITING leaves most of them free
    }
  }
}

function noKeeper(): RefusedError {
  return new RefusedError(
    'forbidden',
    'This server has no keeper who could let you back in: ask whoever runs it.',
    undefined,
    'no-keeper',
  );
}

function requestGone(): RefusedError {
  return new RefusedError('not-found', 'This request was decided or has expired.');
}
