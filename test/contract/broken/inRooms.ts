/** Rooms, members and marks: what is forgotten, kept too long, or taken over. */
import type { RoomStore, Store } from '../../../server/store/port.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { newId } from '../support.ts';
import type { Fault } from './faults.ts';

export const roomFaults: Fault[] = [
  {
    name: 'every opening has an epoch of its own',
    around: (store) => ({ ...store, epoch: newId() }),
    caughtBy: [
      'the epoch is the database’s',
      'the epoch is the same at every store',
      'however many stores open',
    ],
  },
  {
    name: 'a room is answered as it was asked for',
    around: (store) =>
      withRooms(store, {
        async create(room) {
          await store.rooms.create(room);
          return { ...room, head: 0, members: 0 };
        },
      }),
    caughtBy: ['creates a room once', 'a room that is made at two stores at once'],
  },
  {
    name: 'a read mark shrinks',
    around: (store) =>
      withRooms(store, {
        async mark(room, user, upTo) {
          await store.rooms.mark(room, user, upTo);
          return upTo;
        },
      }),
    caughtBy: ['read marks only grow', 'read marks of several stores grow together'],
    byHistories: true,
  },
  {
    name: 'a store keeps who is a member as it first saw it',
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
      'who joined at one store is a member at every other',
      'joins and leaves at several stores',
    ],
  },
  {
    name: 'there is no lobby',
    around: (store) =>
      withRooms(store, { byId: async (id) => (id === LOBBY ? undefined : store.rooms.byId(id)) }),
    caughtBy: ['the lobby is there from the start'],
  },
  {
    name: 'every page of rooms is the first',
    around: (store) =>
      withRooms(store, { listPublic: (_, limit) => store.rooms.listPublic(undefined, limit) }),
    caughtBy: ['lists public rooms by id, page by page'],
  },
];

function withRooms(store: Store, changed: Partial<RoomStore>): Store {
  return { ...store, rooms: { ...store.rooms, ...changed } };
}
