/**
 * What keepers do about people: find them by name, sign out their devices, rename where a name offends, suspend them, and give the
 * role of a keeper or take it. docs/SECURITY.md, "Keepers".
 */
import { PEOPLE_FOUND_MAX } from '../../shared/limits.ts';
import type { Device, Person, PersonChange, User } from '../../shared/protocol/index.ts';
import { checkNewName, nameKey } from '../../shared/text.ts';
import type { Audit } from '../base/audit.ts';
import { RefusedError } from '../base/refusal.ts';
import type { KeeperStore, UserStore } from '../store/port.ts';
import type { Identity } from './auth.ts';
import type { Keepers } from './keepers.ts';
import type { SignInLimits } from './signInLimits.ts';
import { signOutAllBut } from './signOutAllBut.ts';
import type { Suspensions } from './suspensions.ts';

/** All throw `forbidden` for who is no keeper. */
export interface People {
  /** Those whose names begin so, in the order of their names, at most PEOPLE_FOUND_MAX. */
  find(identity: Identity, name: string): Promise<Person[]>;
  /**
   * Does what is given, in this order: the name, the role, the suspension, the devices. Throws `not-found` where there is no such
   * user, `conflict` where the name is taken or the user is the last keeper, `forbidden` where a keeper would be suspended, or a
   * suspended user become one.
   */
  change(identity: Identity, user: string, change: PersonChange): Promise<void>;
  /** Their devices, as they see them themselves. Throws `not-found` where there is no such user. */
  devices(identity: Identity, user: string): Promise<Device[]>;
  /** Throws `not-found` where the user is not signed in on such a device. */
  removeDevice(identity: Identity, user: string, device: string): Promise<void>;
}

interface Deps {
  keepers: Pick<Keepers, 'mustBeKeeper' | 'setRole' | 'roleOf'>;
  /** Not from a cache. */
  keeperIds: KeeperStore['all'];
  users: Pick<UserStore, 'search' | 'byId' | 'rename' | 'devicesOf' | 'removeDevice'>;
  suspensions: Pick<Suspensions, 'isSuspended' | 'set'>;
  limits: Pick<SignInLimits, 'attemptRename'>;
  /** The wall clock in milliseconds. */
  now: () => number;
  onSignedOut: (device: string) => unknown;
  onRenamed: (user: User) => Promise<unknown>;
  audit: Pick<Audit, 'record'>;
}

export function createPeople(deps: Deps): People {
  const { keepers, users, suspensions, limits, now, onSignedOut, onRenamed, audit } = deps;

  const isKeeperNow = async (id: string) => (await deps.keeperIds()).includes(id);

  async function rename(keeper: string, id: string, raw: string): Promise<void> {
    const name = checkNewName(raw);
    if (!name.ok) throw new RefusedError(name.code, name.message);
    limits.attemptRename(keeper);
    const named = await users.rename(id, name.text, nameKey(name.text)); // does not count as the user's own
    if (named === 'taken') throw new RefusedError('conflict', 'That name is taken.');
    if ('name' in named) await onRenamed({ id, ...named });
  }

  /**
   * A keeper is not suspended: so there is always one who is not. Both this and `setSuspended` write first and look then: where they
   * meet, at least one of them takes back what it did.
   */
  async function setRole(id: string, isKeeper: boolean): Promise<void> {
    if (isKeeper && (await suspensions.isSuspended(id))) throw isSuspendedAlready();
    await keepers.setRole(id, isKeeper);
    if (!isKeeper || !(await suspensions.isSuspended(id))) return;
    await keepers.setRole(id, false);
    throw isSuspendedAlready();
  }

  async function setSuspended(keeper: string, id: string, suspends: boolean): Promise<void> {
    if (suspends && id === keeper)
      throw new RefusedError('forbidden', 'You cannot suspend yourself.', undefined, 'role-yourself');
    if (suspends && (await isKeeperNow(id))) throw isAKeeper();
    await suspensions.set(id, suspends);
    if (!suspends || !(await isKeeperNow(id))) return;
    await suspensions.set(id, false);
    throw isAKeeper();
  }

  async function mustBe(id: string) {
    const user = await users.byId(id);
    if (!user) throw new RefusedError('not-found', 'There is no such person.');
    return user;
  }

  return {
    async find(identity, name) {
      await keepers.mustBeKeeper(identity);
      const found = await users.search(nameKey(name.slice(0, NAME_MAX_LENGTH)), PEOPLE_FOUND_MAX);
      return Promise.all(
        found.map(async (user) => {
          const devices = await users.devicesOf(user.id);
          const seenAt = Math.max(0, ...devices.map((device) => device.seenAt));
          const keeper = (await keepers.roleOf(user.id)) === 'keeper';
          const suspended = await suspensions.isSuspended(user.id);
          return {
            ...{ user, devices: devices.length, keeper },
            ...(seenAt > 0 && { seenAt }),
            ...(suspended && { suspended }),
          };
        }),
      );
    },

    async change(identity, id, { name, keeper, suspend, signOut }) {
      await keepers.mustBeKeeper(identity);
      const user = await mustBe(id);
      const by = { user: id, device: identity.device };
      if (name !== undefined && name !== user.name) {
        await rename(identity.user.id, id, name);
        audit.record('renamed-by-keeper', by);
      }
      if (keeper !== undefined) {
        await setRole(id, keeper);
        audit.record(keeper ? 'keeper-made' : 'keeper-removed', by);
      }
      if (suspend !== undefined) {
        await setSuspended(identity.user.id, id, suspend);
        audit.record(suspend ? 'suspended' : 'suspension-lifted', by);
      }
      if (signOut) {
        const keep = id === identity.user.id ? identity.device : '';
        await signOutAllBut({ store: users, now, onSignedOut }, id, keep);
        audit.record('signed-out-by-keeper', by);
      }
    },

    async devices(identity, user) {
      await keepers.mustBeKeeper(identity);
      await mustBe(user);
      const devices = await users.devicesOf(user);
      return devices.map(({ id, createdAt, seenAt }) => ({
        ...{ id, createdAt, seenAt },
        current: id === identity.device,
      }));
    },

    async removeDevice(identity, user, device) {
      await keepers.mustBeKeeper(identity);
      if (!(await users.removeDevice(user, device, now())))
        throw new RefusedError('not-found', 'This person is not signed in on a device with this id.');
      await onSignedOut(device);
      audit.record('signed-out-by-keeper', { user, device: identity.device });
    },
  };
}

function isAKeeper(): RefusedError {
  return new RefusedError(
    'forbidden',
    'A keeper cannot be suspended: take the role first.',
    undefined,
    'role-keeper',
  );
}

function isSuspendedAlready(): RefusedError {
  return new RefusedError(
    'forbidden',
    'Somebody who is suspended cannot become a keeper.',
    undefined,
    'role-suspended',
  );
}

/** Of a name in UTF-16 units: 40 code points, and some that are not looked at. */
const NAME_MAX_LENGTH = 100;
