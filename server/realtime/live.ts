/** What this process's own sockets are told while they are open; which rooms they are in follows the log. */
import type { Entry } from '../../shared/entry.ts';
import { membershipOf, subjectOf } from '../../shared/kinds.ts';
import type { Logger } from '../base/logger.ts';
import type { CatchUp } from '../feed/catchUp.ts';
import { endConnection, type LiveServer, type LiveSocket, socketsOf } from './types.ts';

export interface Live {
  /** An entry that makes its subject a member, or ends that, was committed: the sockets of that user follow. */
  member(room: string, entry: Entry): void;
  /** Makes each user's sockets be in exactly these rooms, where one was not told of a join or leave. */
  settle(users: Iterable<string>, roomsOf: ReadonlyMap<string, readonly string[]>): void;
}

interface Deps {
  io: LiveServer;
  catchUp: CatchUp;
  logger: Logger;
  now: () => number;
}

const ROOM = socketsOf.room('');

/** The rows that `settle` is told of follow an entry a moment later, and are some time under way. */
const MOVED_LATELY_MS = 10_000;

export function createLive({ io, catchUp, logger, now }: Deps): Live {
  const { adapter, sockets } = io.of('/');
  /** When the log last showed a user, who is here, coming into a room or leaving it. */
  const moved = new Map<string, number>();
  const move = (room: string, user: string) => `${room} ${user}`;

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
      const user = subjectOf(entry);
      const theirs = ofUser(user);
      if (theirs.length > 0) moved.set(move(room, user), now());
      for (const socket of theirs) (membershipOf(entry) === 'joined' ? add : remove)(socket, room);
    },
    settle(users, roomsOf) {
      for (const [key, at] of moved) if (now() - at > MOVED_LATELY_MS) moved.delete(key);
      for (const user of users) {
        for (const socket of ofUser(user)) settleSocket(socket, user, new Set(roomsOf.get(user)));
      }
    },
  };

  function settleSocket(socket: LiveSocket, user: string, wanted: ReadonlySet<string>) {
    const here = new Set(
      [...socket.rooms].flatMap((name) => (name.startsWith(ROOM) ? [name.slice(ROOM.length)] : [])),
    );
    const follows = (room: string) => !moved.has(move(room, user)); // else the log's word is newer than the row's
    for (const room of here) if (!wanted.has(room) && follows(room)) remove(socket, room);
    for (const room of wanted) if (!here.has(room) && follows(room)) add(socket, room);
  }
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
