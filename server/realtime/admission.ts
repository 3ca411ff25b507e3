/**
 * Admits connections: how many handshakes an address and a user may make, how many sockets a device, a user and an address
 * may have, and for how long somebody stays out who went on after many refusals. Each process counts for itself: a load
 * balancer spreads an address over the processes, and their sum has also as many times the memory.
 */
import type { OnLimit } from '../base/audit.ts';
import { RefusedError } from '../base/refusal.ts';
import {
  HANDSHAKES_OF_ADDRESS,
  HANDSHAKES_OF_USER,
  OFFENCES_OF_USER,
  OFFENDER_RETRY_MS,
  REFUSED_HANDSHAKE_COST,
  SOCKETS_OF_ADDRESS,
  SOCKETS_OF_DEVICE,
  SOCKETS_OF_USER,
} from '../base/serverLimits.ts';
import { createLimiter } from '../limits/limiter.ts';
import { endConnection, type LiveServer, type LiveSocket, socketsOf } from './socketRecipient.ts';
import { dropConnection } from './unsent.ts';

export interface Admission {
  /** Before the handshake is looked at. `address`: a key of `addressKey`. Throws `rate-limited`. */
  approach(address: string): void;
  /** The handshake was refused: it costs more. */
  refused(address: string): void;
  /** The handshake is authenticated. Throws `rate-limited`. */
  identified(user: string, address: string): void;
  /** The socket is connected and in the Socket.IO rooms of its user and device. Closes the oldest ones beyond the limits. */
  entered(socket: LiveSocket): void;
  /** The user was refused because of a limit. One that goes on all the same is disconnected, and stays out for a while. */
  offended(socket: LiveSocket): void;
}

interface Deps {
  io: LiveServer;
  /** A monotonic clock in milliseconds. */
  now: () => number;
  onLimit: OnLimit;
}

export function createAdmission({ io, now, onLimit }: Deps): Admission {
  const { adapter, sockets } = io.of('/');
  const ofAddress = createLimiter({ ...HANDSHAKES_OF_ADDRESS, now });
  const ofUser = createLimiter({ ...HANDSHAKES_OF_USER, now });
  const offences = createLimiter({ ...OFFENCES_OF_USER, now });
  const outUntil = new Map<string, number>();
  const socketsOfAddress = new Map<string, number>();

  function refuse(limit: string, who: Parameters<OnLimit>[1], retryAfter: number): never {
    onLimit(limit, who);
    throw new RefusedError('rate-limited', 'Too many connections; wait a moment and try again.', retryAfter);
  }

  /** The ids of a Socket.IO room are in the order in which the sockets joined it. */
  function closeOldest(room: string, most: number, limit: string) {
    const ids = adapter.rooms.get(room);
    if (!ids || ids.size <= most) return;
    for (const id of [...ids].slice(0, ids.size - most)) {
      const socket = sockets.get(id);
      onLimit(limit, socket?.data.payer);
      sendAway(socket, OFFENDER_RETRY_MS);
    }
  }

  function isOut(user: string): number {
    const left = (outUntil.get(user) ?? 0) - now();
    if (left <= 0) outUntil.delete(user);
    return left;
  }

  return {
    approach(address) {
      const retryAfter = ofAddress.take(address, 1);
      if (retryAfter > 0) refuse('handshakes of address', { address }, retryAfter);
    },
    refused: (address) => ofAddress.spend(address, REFUSED_HANDSHAKE_COST - 1),
    identified(user, address) {
      const out = isOut(user);
      if (out > 0) refuse('offender', { user, address }, out);
      const retryAfter = ofUser.take(user, 1);
      if (retryAfter > 0) refuse('handshakes of user', { user, address }, retryAfter);
      if ((socketsOfAddress.get(address) ?? 0) >= SOCKETS_OF_ADDRESS)
        refuse('sockets of address', { user, address }, OFFENDER_RETRY_MS);
    },
    entered(socket) {
      const { identity, payer } = socket.data;
      const { address } = payer;
      socketsOfAddress.set(address, (socketsOfAddress.get(address) ?? 0) + 1);
      socket.on('disconnect', () => {
        const left = socketsOfAddress.get(address)! - 1;
        if (left > 0) socketsOfAddress.set(address, left);
        else socketsOfAddress.delete(address);
      });
      closeOldest(socketsOf.device(identity.device), SOCKETS_OF_DEVICE, 'sockets of device');
      closeOldest(socketsOf.user(identity.user.id), SOCKETS_OF_USER, 'sockets of user');
    },
    offended(socket) {
      const { id } = socket.data.identity.user;
      if (offences.take(id, 1) === 0) return;
      onLimit('offender', socket.data.payer);
      if (outUntil.size >= MAX_OUT) outUntil.clear();
      outUntil.set(id, now() + OFFENDER_RETRY_MS);
      for (const sid of [...(adapter.rooms.get(socketsOf.user(id)) ?? [])])
        sendAway(sockets.get(sid), OFFENDER_RETRY_MS);
    },
  };
}

const MAX_OUT = 10_000;

/** The client sees a lost network, and comes back after `retryAfter` ms. */
function sendAway(socket: LiveSocket | undefined, retryAfter: number): void {
  if (!socket) return;
  socket.data.emit('bye', { retryAfter });
  endConnection(socket);
  // one that does not read what was sent is not waited for
  setTimeout(() => dropConnection(socket), FAREWELL_MS).unref();
}

const FAREWELL_MS = 1_000;
