/**
 * Passes on who is typing: a hint that is not stored, not answered and not sent again. It goes to the sockets that are in the
 * room now, on all processes, and only where their connection can take it at once.
 */
import { requests } from '../../shared/protocol/index.ts';
import { parseUpToFault } from '../base/parse.ts';
import { TYPING_SIGNS } from '../base/serverLimits.ts';
import { createLimiter } from '../limits/limiter.ts';
import type { SmallRooms } from '../rooms/smallRooms.ts';
import { type LiveSocket, socketsOf } from './socketRecipient.ts';

/** Handles one `typing` of a socket. What may not be passed on is dropped: nobody waits for an answer. */
export type PassOnTyping = (socket: LiveSocket, payload: unknown) => Promise<void>;

interface Deps {
  smallRooms: Pick<SmallRooms, 'isSmall'>;
  /** A monotonic clock in milliseconds. */
  now: () => number;
}

export function createPassOnTyping({ smallRooms, now }: Deps): PassOnTyping {
  const signs = createLimiter({ ...TYPING_SIGNS, now });

  return async (socket, payload) => {
    const { identity } = socket.data;
    const user = identity.user.id;
    const parsed = parseUpToFault(requests.typing, payload);
    if (!parsed.ok || !socket.data.isIn(parsed.value.room)) return;
    const { room, typing } = parsed.value;
    if (signs.take(user, 1) > 0) return;
    const isSmall = await smallRooms.isSmall(room).catch(() => false); // the store does not answer now
    if (!isSmall || !socket.data.isIn(room)) return;
    socket.volatile
      .to(socketsOf.room(room))
      .except(socketsOf.user(user))
      .emit('typing', { room, user, typing });
  };
}
