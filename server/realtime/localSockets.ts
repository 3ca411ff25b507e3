/** Keeps the Socket.IO rooms of this process's sockets in step with the memberships of their users. */
import { pairOf } from '../../shared/directPair.ts';
import type { Entry } from '../../shared/entry.ts';
import { expellingKinds, membershipOf, ruleOf, subjectOf } from '../../shared/kinds.ts';
import type { RefusalReason } from '../../shared/protocol/index.ts';
import type { Logger } from '../base/logger.ts';
import type { CatchUp } from '../feed/catchUp.ts';
import { endConnection, type LiveServer, type LiveSocket, socketsOf } from './socketRecipient.ts';

export interface LocalSockets {
  /** Call for each committed entry that changes a membership: the sockets of that user join or leave the room. */
  applyMembership(room: string, entry: Entry): void;
  /** A direct conversation has begun: the sockets of its people join its room. */
  begun(room: string): void;
  /**
   * Reconciliation with the store, in case a join or leave was missed: adds and removes rooms of the user's sockets so that
   * they are `rooms`, which were just read.
   */
  reconcile(user: string, rooms: readonly string[]): void;
  /** Call once a round: what the log showed 10 s ago, the rows of the store show as well. */
  forgetOldChanges(): void;
}

interface Deps {
  io: LiveServer;
  catchUp: CatchUp;
  logger: Logger;
  /** A monotonic clock in milliseconds. */
  now: () => number;
}

const ROOM_PREFIX = socketsOf.room('');

/** For how long an entry from the log has precedence over a member's row: the row may be stale for some seconds. */
const RECENT_CHANGE_MS = 10_000;

export function createLocalSockets({ io, catchUp, logger, now }: Deps): LocalSockets {
  const { adapter, sockets } = io.of('/');
  /** When the log last showed a membership change of a user with sockets here. */
  const changedAt = new Map<string, number>();
  const keyOf = (room: string, user: string) => `${room} ${user}`;

  function socketsOfUser(user: string): LiveSocket[] {
    const ids = adapter.rooms.get(socketsOf.user(user)) ?? [];
    return [...ids].flatMap((id) => sockets.get(id) ?? []);
  }

  function moved(room: string, user: string, move: (socket: LiveSocket, room: string) => void) {
    const sockets = socketsOfUser(user);
    if (sockets.length > 0) changedAt.set(keyOf(room, user), now());
    for (const socket of sockets) move(socket, room);
  }

  function add(socket: LiveSocket, room: string) {
    const recipient = socket.data;
    void recipient
      .inOrder(async () => {
        if (!recipient.isIn(room)) await catchUp.add(recipient, room);
      })
      .catch((error: unknown) => {
        logger.warn(
          { err: error, room },
          'adding a room to a socket failed; closing its connection so that it reconnects',
        );
        endConnection(socket);
      });
  }

  function remove(socket: LiveSocket, room: string, reason?: RefusalReason) {
    const recipient = socket.data;
    void recipient.inOrder(async () => {
      if (!recipient.isIn(room)) return;
      await socket.leave(socketsOf.room(room));
      recipient.sentHeads.delete(room);
      recipient.emit('room', { removed: room, ...(reason && { reason }) });
    });
  }

  return {
    applyMembership(room, entry) {
      const reason = reasonOfExit(entry);
      const move =
        membershipOf(entry) === 'joined' ? add : (socket: LiveSocket) => remove(socket, room, reason);
      moved(room, subjectOf(entry), move);
    },
    begun(room) {
      for (const user of new Set(pairOf(room))) moved(room, user, add);
    },
    reconcile(user, rooms) {
      const wanted = new Set(rooms);
      for (const socket of socketsOfUser(user)) reconcileSocket(socket, user, wanted);
    },
    forgetOldChanges() {
      for (const [key, at] of changedAt) if (now() - at > RECENT_CHANGE_MS) changedAt.delete(key);
    },
  };

  function reconcileSocket(socket: LiveSocket, user: string, wanted: ReadonlySet<string>) {
    const joined = new Set(
      [...socket.rooms].flatMap((name) =>
        name.startsWith(ROOM_PREFIX) ? [name.slice(ROOM_PREFIX.length)] : [],
      ),
    );
    const isStable = (room: string) => !changedAt.has(keyOf(room, user)); // else the row may be older than the entry
    for (const room of joined) if (!wanted.has(room) && isStable(room)) remove(socket, room);
    for (const room of wanted) if (!joined.has(room) && isStable(room)) add(socket, room);
  }
}

/** Why the subject is no member any more, where somebody else has ended that. */
function reasonOfExit({ kind }: Entry): RefusalReason | undefined {
  if (!expellingKinds().includes(kind)) return undefined;
  return ruleOf(kind)?.sets === 'ban' ? 'out-banned' : 'out-removed';
}
