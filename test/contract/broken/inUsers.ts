/** People and their devices: what is forgotten, kept too long, or given to two. */
import type { Store, UserStore } from '../../../server/store/port.ts';
import { newId } from '../support.ts';
import type { Fault } from './faults.ts';

export const userFaults: Fault[] = [
  {
    name: 'a name is given to two',
    around: (store) =>
      withUsers(store, {
        create: async (user, device) =>
          store.users.create({ ...user, nameKey: `${user.nameKey} ${newId()}` }, device),
      }),
    caughtBy: [
      'a name is one user’s',
      'of many who want a name at once',
      'a name that is wanted at several stores',
    ],
  },
  {
    name: 'a removed device stays signed in',
    around: (store) => withUsers(store, { removeDevice: async () => true }),
    caughtBy: ['devices come and go', 'a device that signs in at one store'],
  },
  {
    name: 'a claim is good for ever',
    around: (store) => withUsers(store, { byClaim: (claim) => store.users.byClaim(claim, 0) }),
    caughtBy: ['a claim finds its device while it is young'],
  },
  {
    name: 'a claim is known to the store that it was made at, and to no other',
    around: (store) => {
      const mine = new Set<string>();
      return withUsers(store, {
        create(user, device) {
          mine.add(device.claimHash);
          return store.users.create(user, device);
        },
        addDevice(device, since) {
          const isMine = mine.has(device.claimHash);
          mine.add(device.claimHash);
          return store.users.addDevice(device, isMine ? since : Infinity);
        },
        byClaim: async (claim, since) => (mine.has(claim) ? store.users.byClaim(claim, since) : undefined),
      });
    },
    caughtBy: ['one claim with a password, at several stores at once, is one device'],
  },
  {
    name: 'a store finds its own sign-up by a claim, whoever won the name',
    around: (store) => {
      const made = new Map<string, string>();
      return withUsers(store, {
        create(user, device) {
          made.set(device.claimHash, device.id);
          return store.users.create(user, device);
        },
        async byClaim(claim, since) {
          const found = await store.users.byClaim(claim, since);
          return found && { ...found, device: made.get(claim) ?? found.device };
        },
      });
    },
    caughtBy: ['one sign-up sent to two stores, its first answer lost'],
  },
  {
    name: 'a fresh token is not taken',
    around: (store) => withUsers(store, { replaceToken: async () => {} }),
    caughtBy: ['a fresh token takes the place of the old one', 'fresh tokens at several stores at once'],
  },
  {
    name: 'a password is not kept',
    around: (store) => withUsers(store, { setPassword: async () => {} }),
    caughtBy: ['keeps a password’s hash', 'a password that is set at one store is every store’s'],
  },
  {
    name: 'everybody has a name',
    around: (store) =>
      withUsers(store, {
        names: async (ids) => new Map(ids.map((id) => [id, { name: 'Somebody', rev: 0 }])),
        byNameKey: async () => ({ id: newId(), name: 'Somebody', rev: 0, passwordHash: undefined }),
      }),
    caughtBy: ['knows nobody that is not there', 'names those that exist'],
  },
  {
    name: 'reopening signs everybody out',
    around: (store, nth, data) => {
      if (nth > 0) data.devices.clear();
      return store;
    },
    caughtBy: ['all of it is there after reopening'],
  },
];

function withUsers(store: Store, changed: Partial<UserStore>): Store {
  return { ...store, users: { ...store.users, ...changed } };
}
