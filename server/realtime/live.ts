/** What this process's own sockets are told while they are open; which rooms they are in follows the log. */
import type { Entry } from '../../shared/entry.ts';
import type { CatchUp } from '../feed/catchUp.ts';
import type { Logger } from '../logger.ts';
import { endConnection, type LiveServer, type LiveSocket, socketsOf } from './types.ts';

export interface Live {
  /** A join or leave was committed: the user's sockets follow. */
  member(room: string, entry: Entry): void;
  /** Makes the user's sockets be in exactly these rooms, where one was not told of a join or leave. */
  settle(user: string, rooms: ReadonlySet<string>): void;
}

interface Deps {
  io: LiveServer;
  catchUp: CatchUp;
  logger: Logger;
}

export function createLive({ io, catchUp, logger }: Deps): Live {
  const { adapter, sockets } = io.of('/');

  function ofUser(user: string): LiveSocket[] {
    const ids = adapter.rooms.get(socketsOf.user(user)) ?? [];
    return [...ids].flatMap((id) => sockets.get(id) ?? []);
  }

  function add(socket: LiveSocket, room: string) {
    void socket.data
      .inOrder(async () => {
        if (!socket.rooms.has(socketsOf.room(room))) await catchUp.add(socket, room);
      })
      .catch((error: unknown) => {
        logger.warn({ err: error, room }, 'a socket could not be brought into a room; it begins anew');
        endConnection(socket);
      });
  }

  function remove(socket: LiveSocket, room: string) {
    void socket.data.inOrder(async () => {
      if (!socket.rooms.has(socketsOf.room(room))) return;
      await socket.leave(socketsOf.room(room));
      socket.data.told.delete(room);
      socket.emit('room', { removed: room });
    });
  }

  return {
    member(room, entry) {
      for (const socket of ofUser(entry.author)) (entry.kind === 'join' ? add : remove)(socket, room);
    },
    settle(user, rooms) {
      for (const socket of ofUser(user)) {
        const wanted = new Set([...rooms].map(socketsOf.room));
        const here = [...socket.rooms].filter((name) => name.startsWith(socketsOf.room('')));
        for (const name of here) if (!wanted.has(name)) remove(socket, name.slice(socketsOf.room('').length));
        for (const room of rooms) if (!socket.rooms.has(socketsOf.room(room))) add(socket, room);
      }
    },
  };
}

/** The heads this socket was not told of yet, by `welcome` or by this; `entries` do not count as telling. */
export function tellHeads(socket: LiveSocket, heads: ReadonlyMap<string, number>): void {
  const { told } = socket.data;
  const news = [...told].flatMap(([room, known]): [string, number][] => {
    const head = heads.get(room);
    return head !== undefined && head > known ? [[room, head]] : [];
  });
  if (news.length === 0) return;
  for (const [room, head] of news) told.set(room, head);
  socket.emit('heads', Object.fromEntries(news));
}
