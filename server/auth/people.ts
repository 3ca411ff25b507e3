/**
 * What keepers do about people: find them by name, sign out their devices, rename where a name offends, and give the role of a
 * keeper or take it. docs/SECURITY.md, "Keepers".
 */
import { PEOPLE_FOUND_MAX } from '../../shared/limits.ts';
import type { Device, Person, PersonChange, User } from '../../shared/protocol/index.ts';
import { checkNewName, nameKey } from '../../shared/text.ts';
import type { Audit } from '../base/audit.ts';
import { RefusedError } from '../base/refusal.ts';
import type { UserStore } from '../store/port.ts';
import type { Identity } from './auth.ts';
import type { Keepers } from './keepers.ts';
import type { SignInLimits } from './signInLimits.ts';
import { signOutAllBut } from './signOutAllBut.ts';

/** All throw `forbidden` for who is no keeper. */
export interface People {
  /** Those whose names begin so, in the order of their names, at most PEOPLE_FOUND_MAX. */
  find(identity: Identity, name: string): Promise<Person[]>;
  /**
   * Does what is given, in this order: the name, the role, the devices. Throws `not-found` where there is no such user, `conflict`
   * where the name is taken or the user is the last keeper.
   */
  change(identity: Identity, user: string, change: PersonChange): Promise<void>;
  /** Their devices, as they see them themselves. Throws `not-found` where there is no such user. */
  devices(identity: Identity, user: string): Promise<Device[]>;
  /** Throws `not-found` where the user is not signed in on such a device. */
  removeDevice(identity: Identity, user: string, device: string): Promise<void>;
}

interface Deps {
  keepers: Pick<Keepers, 'mustBeKeeper' | 'setRole' | 'roleOf'>;
  users: Pick<UserStore, 'search' | 'byId' | 'rename' | 'devicesOf' | 'removeDevice'>;
  limits: Pick<SignInLimits, 'attemptRename'>;
  /** The wall clock in milliseconds. */
  now: () => number;
  onSignedOut: (device: string) => unknown;
  onRenamed: (user: User) => Promise<unknown>;
  audit: Pick<Audit, 'record'>;
}

export function createPeople({ keepers, users, limits, now, onSignedOut, onRenamed, audit }: Deps): People {
  async function rename(keeper: string, id: string, raw: string): Promise<void> {
    const name = checkNewName(raw);
    if (!name.ok) throw new RefusedError(name.code, name.message);
    limits.attemptRename(keeper);
    const named = await users.rename(id, name.text, nameKey(name.text)); // does not count as the user's own
    if (named === 'taken') throw new RefusedError('conflict', 'That name is taken.');
    if ('name' in named) await onRenamed({ id, ...named });
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
          return { user, devices: devices.length, ...(seenAt > 0 && { seenAt }), keeper };
        }),
      );
    },

    async change(identity, id, { name, keeper, signOut }) {
      await keepers.mustBeKeeper(identity);
      const user = await mustBe(id);
      const by = { user: id, device: identity.device };
      if (name !== undefined && name !== user.name) {
        await rename(identity.user.id, id, name);
        audit.record('renamed-by-keeper', by);
      }
      if (keeper !== undefined) {
        await keepers.setRole(id, keeper);
        audit.record(keeper ? 'keeper-made' : 'keeper-removed', by);
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

/** Of a name in UTF-16 units: 40 code points, and some that are not looked at. */
const NAME_MAX_LENGTH = 100;
