/** Faults with rooms, members and read markers. */
import type { Reader, RoomStore, Store } from '../../../server/store/port.ts';
import { settingsOf, withChoice } from '../../../server/store/storedSettings.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { newId } from '../support.ts';
import type { Fault } from './faults.ts';

export const roomFaults: Fault[] = [
  {
    name: 'every opening has another epoch',
    around: (store) => ({ ...store, epoch: newId() }),
    caughtBy: [
      'the epoch stays the same over reopening, and differs between databases',
      'the epoch is the same at every store',
      'many stores open an empty database concurrently',
    ],
  },
  {
    name: 'creating an existing room returns the new values',
    around: (store) =>
      withRooms(store, {
        async create(room) {
          await store.rooms.create(room);
          return { ...room, head: 0, members: 0 };
        },
      }),
    caughtBy: [
      'creates a room once',
      'a room that is created at two stores concurrently is one room, with the values of one of the two',
    ],
  },
  {
    name: 'the last choice of a setting holds, however old it is',
    around: (store) => {
      let at = 0;
      const { choose } = store.rooms;
      return withRooms(store, { choose: (room, user, choice) => choose(room, user, choice, 1e6 + at++) });
    },
    caughtBy: ['of each setting of a room the newest choice holds'],
  },
  {
    name: 'concurrent choices of settings overwrite each other',
    around: (store, _, data) =>
      withRooms(store, {
        async choose(room, user, choice, at) {
          const next = withChoice(data.settings.get(`${room} ${user}`), choice, at);
          await store.ping();
          data.settings.set(`${room} ${user}`, next);
          return settingsOf(next);
        },
      }),
    caughtBy: ['concurrent choices of settings are all kept'],
  },
  {
    name: 'a block that was lifted holds since then',
    around: (store, _, data) =>
      withRooms(store, {
        blockedSince: async (room, user) => data.settings.get(`${room} ${user}`)?.chosen.blocked?.at,
      }),
    caughtBy: ['since when a user has blocked the other one is the time of that choice'],
  },
  {
    name: 'settings are not listed with the rooms',
    around: (store) =>
      withRooms(store, {
        ofUser: async (user) =>
          (await store.rooms.ofUser(user)).map(({ room, readUpTo }) => ({ room, readUpTo })),
      }),
    caughtBy: ['settings are of one user and one room'],
  },
  {
    name: 'who asks for their rooms at the same moment as somebody else is answered as that one',
    around: (store) => {
      let underWay: ReturnType<RoomStore['ofUser']> | undefined;
      return withRooms(store, {
        ofUser(user) {
          underWay ??= store.rooms.ofUser(user).finally(() => {
            underWay = undefined;
          });
          return underWay;
        },
      });
    },
    caughtBy: ['what many ask at the same moment is what each is answered alone'],
  },
  {
    name: 'the rooms of a user are those that were read shortly before',
    around: (store) => {
      const kept = new Map<string, ReturnType<RoomStore['ofUser']>>();
      return withRooms(store, {
        ofUser(user) {
          const before = kept.get(user);
          if (before) return before;
          const found = store.rooms.ofUser(user);
          kept.set(user, found);
          setTimeout(() => kept.delete(user), 20);
          return found;
        },
      });
    },
    caughtBy: ['whoever asks sees all that was written before, also while others read'],
  },
  {
    name: 'a read marker can be lowered',
    around: (store) => {
      const latest = new Map<string, number>();
      return withRooms(store, {
        async mark(marks) {
          await store.rooms.mark(marks);
          for (const { room, user, upTo } of marks) latest.set(`${room} ${user}`, upTo);
        },
        async readUpTo(user, rooms) {
          const upTo = await store.rooms.readUpTo(user, rooms);
          return rooms.map((room, i) => latest.get(`${room} ${user}`) ?? upTo[i]!);
        },
      });
    },
    caughtBy: [
      'read markers only rise',
      'every store raises the same read marker',
      'the read marker of a member begins at the entry by which they joined, each time',
    ],
    byHistories: true,
  },
  {
    name: 'somebody who has left is still among the readers of a room',
    around: (store) => {
      const seen = new Map<string, Reader>();
      return withRooms(store, {
        async readers(room, limit) {
          for (const one of await store.rooms.readers(room, limit)) seen.set(`${room} ${one.user}`, one);
          return [...seen].filter(([key]) => key.startsWith(room)).map(([, one]) => one);
        },
        async mark(marks) {
          for (const { room, user, upTo } of marks) seen.set(`${room} ${user}`, { user, upTo });
          await store.rooms.mark(marks);
        },
      });
    },
    caughtBy: ['the readers of a room are its members, each with their read marker, up to a limit'],
  },
  {
    name: 'a store caches members without invalidation',
    around: (store) => {
      const kept = new Map<string, Promise<boolean>>();
      return withRooms(store, {
        isMember(room, user) {
          const key = `${room} ${user}`;
          if (!kept.has(key)) kept.set(key, store.rooms.isMember(room, user));
          return kept.get(key)!;
        },
      });
    },
    caughtBy: [
      'members follow joins and leaves',
      'a join or leave at one store is known at every other',
      'joins and leaves at several stores',
    ],
  },
  {
    name: 'there is no lobby',
    around: (store) =>
      withRooms(store, { byId: async (id) => (id === LOBBY ? undefined : store.rooms.byId(id)) }),
    caughtBy: ['the lobby exists from the start, without a creator'],
  },
  {
    name: 'a search of rooms finds names only, in the same case',
    around: (store) =>
      withRooms(store, {
        async searchPublic(key, after, limit, look) {
          const found = await store.rooms.searchPublic(key, after, limit, look);
          return { ...found, rooms: found.rooms.filter(({ name }) => name.includes(key)) };
        },
      }),
    caughtBy: ['finds public rooms by a part of the name or the description'],
  },
  {
    name: 'a search of rooms ends after the first page',
    around: (store) =>
      withRooms(store, {
        async searchPublic(key, after, limit, look) {
          if (after) return { rooms: [], next: undefined };
          return store.rooms.searchPublic(key, after, limit, look);
        },
      }),
    caughtBy: ['looks at so many rooms at once, finds at most so many, and goes on where it stopped'],
  },
  {
    name: 'every page of rooms is the first one',
    around: (store) =>
      withRooms(store, { listPublic: (_, limit) => store.rooms.listPublic(undefined, limit) }),
    caughtBy: ['lists public rooms by activity', 'rooms of the same activity are on one page each'],
  },
  {
    name: 'rooms are listed by their creation',
    around: (store) =>
      withRooms(store, {
        async listPublic(after, limit) {
          const rooms = (await store.rooms.listPublic(undefined, 1_000))
            .map((room) => ({ ...room, activeAt: room.createdAt }))
            .toSorted((one, other) => other.createdAt - one.createdAt);
          return rooms.filter(({ activeAt }) => !after || activeAt < after.activeAt).slice(0, limit);
        },
      }),
    caughtBy: [
      'lists public rooms by activity',
      'the time of activity follows',
      'the activity of a room at one store moves it up in the list of every other',
    ],
  },
  {
    name: 'a page begins after the room that the last one ended with, wherever that is now',
    around: (store) =>
      withRooms(store, {
        async listPublic(after, limit) {
          const rooms = await store.rooms.listPublic(undefined, 1_000);
          const from = after ? rooms.findIndex(({ id }) => id.startsWith(after.id)) + 1 : 0;
          return rooms.slice(from, from + limit);
        },
      }),
    caughtBy: ['a room that becomes active between two pages is not listed twice'],
  },
  {
    name: 'of rooms of the same activity only those of one page are listed',
    around: (store) =>
      withRooms(store, {
        listPublic: (after, limit) => store.rooms.listPublic(after && { ...after, id: '' }, limit),
      }),
    caughtBy: ['rooms of the same activity are on one page each'],
  },
  {
    name: 'private rooms are listed, too',
    around: (store) => {
      const made: string[] = [];
      return withRooms(store, {
        create(room) {
          made.push(room.id);
          return store.rooms.create(room);
        },
        async listPublic(after, limit) {
          if (after) return store.rooms.listPublic(after, limit);
          const rooms = await Promise.all(made.map((id) => store.rooms.byId(id)));
          const hidden = rooms.filter((room) => room?.kind === 'private');
          const listed = hidden.map((room) => ({ ...room!, activeAt: room!.createdAt }));
          return [...listed, ...(await store.rooms.listPublic(undefined, limit))].slice(0, limit);
        },
      });
    },
    caughtBy: ['lists public rooms by activity'],
  },
  {
    name: 'rooms that were left count as memberships',
    around: (store) => {
      const most = new Map<string, number>();
      return withRooms(store, {
        async countOf(user) {
          most.set(user, Math.max(most.get(user) ?? 0, await store.rooms.countOf(user)));
          return most.get(user)!;
        },
      });
    },
    caughtBy: ['counts the rooms that a user is a member of'],
  },
  {
    name: 'rooms are counted whenever they were created',
    around: (store) => withRooms(store, { countCreated: (user) => store.rooms.countCreated(user, 0) }),
    caughtBy: ['counts the rooms that a user has created since a time'],
  },
  {
    name: 'a store counts only the rooms that it created itself',
    around: (store) => {
      const created: { createdBy: string; createdAt: number }[] = [];
      return withRooms(store, {
        create(room) {
          created.push(room);
          return store.rooms.create(room);
        },
        countCreated: async (user, since) =>
          created.filter(({ createdBy, createdAt }) => createdBy === user && createdAt >= since).length,
      });
    },
    caughtBy: ['every store counts what any of them wrote'],
  },
  {
    name: 'a direct conversation begins without its people',
    around: (store) =>
      withRooms(store, {
        begin: async (room) => void (await store.rooms.create({ ...room, kind: 'direct', name: '' })),
      }),
    caughtBy: [
      'a direct conversation has its two people as members from its beginning on, and begins once',
      'a notebook has one member',
      'a direct conversation that is begun at every store at once is one, with both people',
    ],
  },
  {
    name: 'whoever begins a direct conversation again has begun it',
    around: (store) => {
      const begun = new Map<string, string>();
      return withRooms(store, {
        async begin(room) {
          await store.rooms.begin(room);
          begun.set(room.id, room.createdBy);
        },
        countBegun: async (user, since) =>
          (await store.rooms.countBegun(user, since)) +
          [...begun.values()].filter((createdBy) => createdBy === user).length,
      });
    },
    caughtBy: [
      'direct conversations are counted apart from rooms, since a time, for whoever began them',
      'a direct conversation that is begun at every store at once is one, with both people',
    ],
  },
  {
    name: 'direct conversations count as rooms',
    around: (store) => withRooms(store, { countOf: async (user) => (await store.rooms.ofUser(user)).length }),
    caughtBy: ['direct conversations are counted apart from rooms, since a time, for whoever began them'],
  },
  {
    name: 'all leaves of a room are listed',
    around: (store) => withRooms(store, { leaves: (room) => store.rooms.leaves(room, 0) }),
    caughtBy: ['lists the leaves of a room beyond an offset'],
  },
];

function withRooms(store: Store, changed: Partial<RoomStore>): Store {
  return { ...store, rooms: { ...store.rooms, ...changed } };
}
