/** Faults with users and their devices. */
import type { Store, UserStore } from '../../../server/store/port.ts';
import { withRename } from '../../../server/store/renames.ts';
import { newId } from '../support.ts';
import type { Fault } from './faults.ts';

export const userFaults: Fault[] = [
  {
    name: 'two users get one name',
    around: (store) =>
      withUsers(store, {
        create: async (user, device) =>
          store.users.create({ ...user, nameKey: `${user.nameKey} ${newId()}` }, device),
      }),
    caughtBy: [
      'a name belongs to one user',
      'of many concurrent sign-ups with one name, one succeeds',
      'concurrent sign-ups with one name at several stores',
      'creates a user and the first device atomically',
    ],
  },
  {
    name: 'a removed device stays signed in',
    around: (store) => withUsers(store, { removeDevice: async () => true }),
    caughtBy: ['devices can be added and removed', 'a device that signs in at one store'],
  },
  {
    name: 'a claim never expires',
    around: (store) => withUsers(store, { byClaim: (claim) => store.users.byClaim(claim, 0) }),
    caughtBy: [
      'a claim finds its device for a limited time',
      'a claim creates one device, and another one when it has expired',
    ],
  },
  {
    name: 'a claim is known only to the store that created it',
    around: (store) => {
      const mine = new Set<string>();
      return withUsers(store, {
        create(user, device) {
          mine.add(device.claimHash);
          return store.users.create(user, device);
        },
        addDevice(device, since, verified) {
          const isMine = mine.has(device.claimHash);
          mine.add(device.claimHash);
          return store.users.addDevice(device, isMine ? since : Infinity, verified);
        },
        byClaim: async (claim, since) => (mine.has(claim) ? store.users.byClaim(claim, since) : undefined),
      });
    },
    caughtBy: ['concurrent sign-ins with one claim at several stores: one device'],
  },
  {
    name: 'a store finds its own failed sign-up by its claim',
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
    caughtBy: ['a sign-up repeated at another store after its answer was lost'],
  },
  {
    name: 'a fresh token is not stored',
    around: (store) => withUsers(store, { replaceToken: async () => {} }),
    caughtBy: ['a fresh token replaces the old one', 'fresh tokens at several stores concurrently'],
  },
  {
    name: 'a password is not stored',
    around: (store) => withUsers(store, { setPassword: async () => [] }),
    caughtBy: [
      'stores the hash of a password, from the start or set later',
      'a password that is set at one store is valid at every store',
    ],
  },
  {
    name: 'a store counts only its own renames',
    around: (store) => {
      const counted = new Map<string, number[]>();
      return withUsers(store, {
        async rename(id, name, nameKey, limit) {
          const times = limit ? withRename(counted.get(id) ?? [], limit) : [];
          if (!Array.isArray(times)) return times;
          const renamed = await store.users.rename(id, name, nameKey);
          if (limit && renamed !== 'taken') counted.set(id, times);
          return renamed;
        },
      });
    },
    caughtBy: [
      'a user is renamed so often within a time',
      'of concurrent renames of one user at several stores, only so many as are allowed are done',
    ],
  },
  {
    name: 'a recovery code is not stored',
    around: (store) => withUsers(store, { setRecovery: async () => {} }),
    caughtBy: ['stores the hash of a recovery code'],
  },
  {
    name: 'a recovery code outlasts the password',
    around: (store) =>
      withUsers(store, {
        async setPassword(id, ...rest) {
          const hash = (await store.users.byId(id))?.recoveryHash;
          const others = await store.users.setPassword(id, ...rest);
          if (hash) await store.users.setRecovery(id, hash);
          return others;
        },
      }),
    caughtBy: ['stores the hash of a recovery code'],
  },
  {
    name: 'a change of the password signs nobody out',
    around: (store, _, data) =>
      withUsers(store, {
        async setPassword(id, passwordHash) {
          data.users.set(id, { ...data.users.get(id)!, passwordHash });
          return [];
        },
      }),
    caughtBy: ['a change of the password signs out all devices of the user but one'],
  },
  {
    name: 'the password is not looked at again when a device is added',
    around: (store, _, data) =>
      withUsers(store, {
        addDevice: async (device, since) => {
          for (;;) {
            const current = data.users.get(device.user)?.passwordHash;
            const answer = await store.users.addDevice(device, since, current);
            if (answer !== 'outdated' || !data.users.has(device.user)) return answer; // else it was changed meanwhile
          }
        },
      }),
    caughtBy: [
      'a sign-in with a password that was changed since it was verified adds no device',
      'of sign-ins concurrent with a change of the password, none with the old one stays',
    ],
  },
  {
    name: 'anybody may remove a device',
    around: (store, _, data) =>
      withUsers(store, {
        removeDevice: (user, device, at) =>
          store.users.removeDevice(data.devices.get(device)?.user ?? user, device, at),
      }),
    caughtBy: ['a device of somebody else is not removed'],
  },
  {
    name: 'a sign-out leaves no trace',
    around: (store) => withUsers(store, { wasSignedOut: async () => false }),
    caughtBy: [
      'tells a token that was signed out from one that is not known',
      'a change of the password signs out all devices of the user but one',
    ],
  },
  {
    name: 'a token that is not known counts as signed out',
    around: (store) =>
      withUsers(store, { wasSignedOut: async (token) => !(await store.users.byToken(token)) }),
    caughtBy: [
      'tells a token that was signed out from one that is not known',
      'devices that nobody uses expire in slices',
    ],
  },
  {
    name: 'the time when a device was last seen is not stored',
    around: (store) => withUsers(store, { devicesSeen: async () => {} }),
    caughtBy: ['lists the devices of a user, the newest first', 'devices that nobody uses expire in slices'],
  },
  {
    name: 'devices expire without a limit',
    around: (store) =>
      withUsers(store, { expireDevices: (since, limit) => store.users.expireDevices(since, limit * 10) }),
    caughtBy: ['devices that nobody uses expire in slices'],
  },
  {
    name: 'a pass can be taken by several',
    around: (store) =>
      withUsers(store, {
        takePass: (hash, _claim, at) => store.users.takePass(hash, 'one claim for all', at),
      }),
    caughtBy: [
      'a pass is taken once',
      'of concurrent calls with different claims one takes the pass',
      'of concurrent calls at several stores one takes a pass',
    ],
  },
  {
    name: 'a pass never expires',
    around: (store) => withUsers(store, { takePass: (hash, claim) => store.users.takePass(hash, claim, 0) }),
    caughtBy: ['a pass expires', 'a pass that was taken is given again to the same claim'],
  },
  {
    name: 'the answer to a pass cannot be had again',
    around: (store) =>
      withUsers(store, {
        takePass: (hash, claim, at) => store.users.takePass(hash, `${claim} ${newId()}`, at),
      }),
    caughtBy: ['a pass that was taken is given again to the same claim'],
  },
  {
    name: 'all passes of a user stay',
    around: (store) => withUsers(store, { addPass: (pass) => store.users.addPass(pass, 99) }),
    caughtBy: ['of a user and kind only the newest stay'],
  },
  {
    name: 'a pass replaces another one with its hash',
    around: (store, _, data) =>
      withUsers(store, {
        addPass(pass, keep) {
          data.passes.delete(pass.hash);
          return store.users.addPass(pass, keep);
        },
      }),
    caughtBy: ['a hash belongs to one pass'],
  },
  {
    name: 'passes that have expired stay',
    around: (store) =>
      withUsers(store, { addPass: (pass, keep) => store.users.addPass({ ...pass, createdAt: 0 }, keep) }),
    caughtBy: ['what has expired is deleted when somebody makes a pass'],
  },
  {
    name: 'an invitation is used without looking who and how many have',
    around: (store, _, data) => ({
      ...store,
      invitations: {
        ...store.invitations,
        async use(hash) {
          const invitation = data.invitations.get(hash);
          if (!invitation) return undefined;
          if (invitation.uses >= invitation.maxUses) return 'used-up';
          await store.invitations.find(hash);
          invitation.uses++;
          return 'used';
        },
      },
    }),
    caughtBy: [
      'each user uses an invitation once',
      'of concurrent users no more get in than the maximum',
      'what has expired or was revoked is used by nobody',
    ],
  },
  {
    name: 'the code of an invitation finds nothing',
    around: (store) => ({
      ...store,
      invitations: {
        ...store.invitations,
        async find(hash) {
          const found = await store.invitations.find(hash);
          return found?.hash === hash ? found : undefined;
        },
      },
    }),
    caughtBy: ['an invitation is found by the hash of its token and of its code'],
  },
  {
    name: 'invitations outlast their revocation, and their time in the lists',
    around: (store) => ({
      ...store,
      invitations: {
        ...store.invitations,
        revokeOf: async () => {},
        ofRoom: (room) => store.invitations.ofRoom(room, 0),
      },
    }),
    caughtBy: ['what has expired or was revoked is used by nobody'],
  },
  {
    name: 'a suspension is stored by one store alone, and cannot be lifted',
    around: (store) => {
      const mine = new Set<string>();
      return {
        ...store,
        keepers: {
          ...store.keepers,
          suspend: async (user) => void mine.add(user),
          suspended: async () => [...mine],
        },
      };
    },
    caughtBy: ['who is suspended stays so until that is lifted'],
  },
  {
    name: 'the same is reported by one user again and again',
    around: (store) => ({
      ...store,
      reports: {
        ...store.reports,
        add: (report, most) => store.reports.add({ ...report, about: newId() }, most),
      },
    }),
    caughtBy: ['the same is reported once by each', 'a report is found by its recipients'],
  },
  {
    name: 'reports are not counted',
    around: (store) => ({
      ...store,
      reports: {
        ...store.reports,
        add: (report) => store.reports.add(report, { ofUser: 1_000, since: 0, open: 1_000 }),
      },
    }),
    caughtBy: ['a user reports so often within a time', 'what has expired is not seen'],
  },
  {
    name: 'reports outlast their time, and are seen by moderators and keepers alike',
    around: (store) => ({
      ...store,
      reports: {
        ...store.reports,
        find: (id) => store.reports.find(id, 0),
        open: async (room, at) => [
          ...(await store.reports.open(room, at)),
          ...(room === undefined ? [] : await store.reports.open(undefined, at)),
        ],
      },
    }),
    caughtBy: ['what has expired is not seen', 'a report is found by its recipients'],
  },
  {
    name: 'a report does not keep what it shows',
    around: (store) => ({
      ...store,
      reports: {
        ...store.reports,
        add: ({ message, ...report }, most) => {
          if (!message) return store.reports.add(report, most);
          const { shown: _, ...kept } = message;
          return store.reports.add({ ...report, message: kept }, most);
        },
      },
    }),
    caughtBy: ['a report is found by its recipients'],
  },
  {
    name: 'a report is not passed on',
    around: (store) => ({ ...store, reports: { ...store.reports, toKeepers: async () => {} } }),
    caughtBy: ['an open report is passed on to the keepers'],
  },
  {
    name: 'a closed report is open',
    around: (store) => ({ ...store, reports: { ...store.reports, close: async () => true } }),
    caughtBy: [
      'a report is found by its recipients',
      'the same is reported once by each',
      'a user reports so often within a time',
      'what has expired is not seen',
    ],
  },
  {
    name: 'the role is taken from the last keeper, too',
    around: (store, _, data) => ({
      ...store,
      keepers: { ...store.keepers, remove: async (user) => data.keepers.delete(user) },
    }),
    caughtBy: ['the role is taken from all but the last keeper'],
  },
  {
    name: 'a search finds every name',
    around: (store) => withUsers(store, { search: (_, limit) => store.users.search('', limit) }),
    caughtBy: ['finds users by the beginning of their names'],
  },
  {
    name: 'who hides what they have read shows it again when they are seen, and hides all else',
    around: (store) => ({
      ...store,
      presence: {
        ...store.presence,
        hideReads: (user, hides) => store.presence.hide(user, hides),
      },
    }),
    caughtBy: ['who hides what they have read does so by itself'],
  },
  {
    name: 'what a device has stored is taken for all before it',
    around: (store) => ({
      ...store,
      rooms: {
        ...store.rooms,
        reach: (user, ranges) =>
          store.rooms.reach(
            user,
            ranges.map((range) => ({ ...range, from: 1 })),
          ),
      },
    }),
    caughtBy: ['of what a device has stored of a room, the last range is kept'],
  },
  {
    name: 'of what two devices have stored, what one wrote last counts',
    around: (store, _, data) => ({
      ...store,
      rooms: {
        ...store.rooms,
        async reach(user, ranges) {
          for (const { room, from, to } of ranges) data.reached.set(`${room} ${user}`, { from, to });
        },
      },
    }),
    caughtBy: [
      'of what a device has stored of a room, the last range is kept',
      'ranges that two devices store at the same moment',
    ],
  },
  {
    name: 'the time at which somebody was here last falls back',
    around: (store, _, data) => ({
      ...store,
      presence: {
        ...store.presence,
        async seen(users) {
          for (const { user, at } of users)
            data.presence.set(user, { hides: data.presence.get(user)?.hides ?? false, seenAt: at });
        },
      },
    }),
    caughtBy: ['when somebody was here last only rises', 'of those who hide it no time is stored'],
  },
  {
    name: 'only the first time at which somebody was here is stored',
    around: (store, _, data) => ({
      ...store,
      presence: {
        ...store.presence,
        async seen(users) {
          for (const { user, at } of users)
            if (!data.presence.has(user)) data.presence.set(user, { hides: false, seenAt: at });
        },
      },
    }),
    caughtBy: ['when somebody was here last only rises', 'people who were never seen before are seen by two'],
  },
  {
    name: 'nobody hides',
    around: (store) => ({ ...store, presence: { ...store.presence, hide: async () => {} } }),
    caughtBy: ['of those who hide it no time is stored'],
  },
  {
    name: 'a page of members begins anew',
    around: (store) => ({
      ...store,
      rooms: { ...store.rooms, members: (room, _, limit) => store.rooms.members(room, '', limit) },
    }),
    caughtBy: ['the members of a room are listed by pages'],
  },
  {
    name: 'keepers are forgotten',
    around: (store) => ({ ...store, keepers: { ...store.keepers, add: async () => {} } }),
    caughtBy: ['keepers stay keepers'],
  },
  {
    name: 'anybody is the first user',
    around: (store, _, data) => ({
      ...store,
      keepers: { ...store.keepers, firstUser: async () => [...data.users.keys()][0] },
    }),
    caughtBy: ['the first user is the one who signed up first'],
  },
  {
    name: 'a later decision replaces an earlier one',
    around: (store, _, data) => ({
      ...store,
      keepers: {
        ...store.keepers,
        async decide(hash, state) {
          const request = data.requests.get(hash);
          if (request) request.state = state;
          return request;
        },
      },
    }),
    caughtBy: ['a request waits until it is decided', 'of concurrent decisions that differ one holds'],
  },
  {
    name: 'a request never expires',
    around: (store) => ({
      ...store,
      keepers: {
        ...store.keepers,
        requests: () => store.keepers.requests(0),
        requestState: (hash) => store.keepers.requestState(hash, 0),
        addRequest: (request) => store.keepers.addRequest({ ...request, createdAt: 0 }),
      },
    }),
    caughtBy: ['a request waits until it is decided', 'requests that have expired are deleted'],
  },
  {
    name: 'every id has a name',
    around: (store) =>
      withUsers(store, {
        names: async (ids) => new Map(ids.map((id) => [id, { name: 'Somebody', rev: 0 }])),
        byNameKey: async () => ({
          id: newId(),
          name: 'Somebody',
          rev: 0,
          createdAt: 0,
          passwordHash: undefined,
          recoveryHash: undefined,
        }),
      }),
    caughtBy: ['finds no user or device that does not exist', 'returns the names of existing users'],
  },
  {
    name: 'reopening signs everybody out',
    around: (store, nth, data) => {
      if (nth > 0) data.devices.clear();
      return store;
    },
    caughtBy: ['all of it is there after reopening the store'],
  },
];

function withUsers(store: Store, changed: Partial<UserStore>): Store {
  return { ...store, users: { ...store.users, ...changed } };
}
