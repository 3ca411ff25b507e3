/** Rooms and who is in them. Joining and leaving are entries, written by ingest; what follows from them, the feed tells. */

import { ROOM_LIST_PAGE } from '../../shared/limits.ts';
import { LOBBY } from '../../shared/mint.ts';
import type { Request, Room, User } from '../../shared/protocol/index.ts';
import { checkName } from '../../shared/text.ts';
import { RefusedError } from '../base/refusal.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { type RoomStore, type StoredRoom, Unavailable } from '../store/port.ts';
import { type Access, noSuchRoom } from './access.ts';
import { presentRoom } from './present.ts';

export interface Rooms {
  list(user: User, request: Request<'room:list'>): Promise<{ rooms: Room[]; next?: string }>;
  create(user: User, request: Request<'room:create'>): Promise<{ room: Room }>;
  join(user: User, request: Request<'room:join'>): Promise<{ room: Room }>;
  leave(user: User, request: Request<'room:leave'>): Promise<void>;
  read(user: User, request: Request<'read'>): Promise<{ upTo: number }>;
  /** A new user is a member of the lobby. Again for the same user is no second entry, and no way back in after a leave. */
  welcomeToLobby(userId: string): Promise<void>;
}

interface Deps {
  store: RoomStore;
  ingest: Ingest;
  access: Access;
  now: () => number;
}

export function createRooms({ store, ingest, access, now }: Deps): Rooms {
  async function enter(user: string, room: string, clientOffset: string, kind: 'join' | 'leave') {
    const result = await ingest.appendOwn({ room, author: user, clientOffset }, kind);
    if (result.tag === 'conflict')
      throw new RefusedError('conflict', 'Something else was sent under this key.');
    if (result.tag === 'no-room') throw noSuchRoom();
    if (result.tag !== 'appended' && result.tag !== 'repeat') throw new Error(`a ${kind} gave ${result.tag}`);
  }

  async function existing(id: string): Promise<StoredRoom> {
    const room = await store.byId(id);
    if (!room) throw noSuchRoom();
    return room;
  }

  async function asMine(user: User, id: string): Promise<Room> {
    const room = await existing(id);
    if (room.head === undefined) throw unreadable(); // an answer without the head would say that the log was put back
    return presentRoom(room, await store.mark(id, user.id, 0));
  }

  return {
    async list(user, { after }) {
      const rooms = await store.listPublic(after, ROOM_LIST_PAGE + 1);
      const page = rooms.slice(0, ROOM_LIST_PAGE);
      const marks = new Map((await store.ofUser(user.id)).map(({ room, readUpTo }) => [room.id, readUpTo]));
      const presented = page.map((room) => presentRoom(room, marks.get(room.id) ?? 0));
      return rooms.length > page.length ? { rooms: presented, next: page.at(-1)!.id } : { rooms: presented };
    },

    async create(user, { id, kind, name: raw }) {
      if (kind === 'direct') throw new RefusedError('invalid', 'Direct rooms cannot be made yet.');
      const name = checkName(raw);
      if (!name.ok) throw new RefusedError(name.code, name.message);
      const room = await store.create({ id, kind, name: name.text, createdBy: user.id, createdAt: now() });
      if (room.createdBy !== user.id || room.kind !== kind || room.name !== name.text) {
        throw new RefusedError('conflict', 'There is another room with this id.');
      }
      await enter(user.id, id, id, 'join'); // the room's id is as random as any key, and a repeat finds it again
      return { room: await asMine(user, id) };
    },

    async join(user, { room: id, clientOffset }) {
      const key = { room: id, author: user.id, clientOffset };
      const known = await ingest.known(key, 'join');
      if (known === 'conflict') throw new RefusedError('conflict', 'Something else was sent under this key.');
      const room = await existing(id);
      if (known === 'new' && !(await access.isMember(id, user.id))) {
        if (room.kind !== 'public') throw noSuchRoom();
        await enter(user.id, id, clientOffset, 'join');
      }
      return { room: await asMine(user, id) };
    },

    async leave(user, { room, clientOffset }) {
      const key = { room, author: user.id, clientOffset };
      const known = await ingest.known(key, 'leave');
      if (known === 'repeat') return;
      if (known === 'conflict') throw new RefusedError('conflict', 'Something else was sent under this key.');
      const refused = await access.refusalOf(room, user.id);
      if (refused) throw refused;
      await enter(user.id, room, clientOffset, 'leave');
    },

    async read(user, { room, upTo }) {
      const refused = await access.refusalOf(room, user.id);
      if (refused) throw refused;
      const { head } = await existing(room);
      if (head === undefined) throw unreadable();
      return { upTo: await store.mark(room, user.id, Math.min(upTo, head)) };
    },

    async welcomeToLobby(userId) {
      const result = await ingest.appendOwn({ room: LOBBY, author: userId, clientOffset: userId }, 'join');
      if (result.tag !== 'appended' && result.tag !== 'repeat')
        throw new Unavailable(`the lobby gave ${result.tag}`);
    },
  };
}

function unreadable(): Unavailable {
  return new Unavailable('This room cannot be read at the moment; try again.');
}
