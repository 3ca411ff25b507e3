/** A Socket.IO socket as the feed's `Recipient`, and the types and room names of our Socket.IO server. */
import type { Server, ServerOptions, Socket } from 'socket.io';
import { DIRECT } from '../../shared/directPair.ts';
import type { Frame, FrameName, Handshake, User } from '../../shared/protocol/index.ts';
import { createSerial } from '../../shared/serial.ts';
import type { Identity } from '../auth/auth.ts';
import type { Recipient } from '../feed/recipient.ts';
import type { Payer } from '../limits/workMeter.ts';
import type { PresenceMessage } from '../rooms/presenceService.ts';

/**
 * The state of one authenticated connection; `socket.data` of its socket. Socket and address are private fields
 * because adapters serialize `socket.data` to show it to other processes.
 */
export class SocketRecipient implements Recipient {
  readonly identity: Identity;
  onlyOpenRoom = false;
  readonly readsDirect: boolean;
  handshake: Handshake | undefined;
  readonly pendingCursors: Recipient['pendingCursors'] = new Map();
  readonly retryTimers: Recipient['retryTimers'] = new Map();
  readonly sentHeads: Recipient['sentHeads'] = new Map();
  readonly inOrder: Recipient['inOrder'] = createSerial();
  readonly #socket: LiveSocket;
  readonly #address: string;

  /** `address`: a key of `addressKey`. */
  constructor(socket: LiveSocket, identity: Identity, address: string, handshake: Handshake) {
    this.#socket = socket;
    this.identity = identity;
    this.#address = address;
    this.handshake = handshake;
    this.readsDirect = handshake.features?.includes(DIRECT) === true;
  }

  /** Who pays for the work of this connection. */
  get payer(): Payer {
    return { user: this.identity.user.id, address: this.#address };
  }

  isConnected(): boolean {
    return this.#socket.connected;
  }

  isPolling(): boolean {
    return this.#socket.conn.transport.name === 'polling';
  }

  emit<Name extends FrameName>(name: Name, payload: Frame<Name>): void {
    (this.#socket as Socket).emit(name, payload);
  }

  /** Synchronous: the adapter's rooms are in memory. */
  join(room: string): void {
    void this.#socket.join(socketsOf.room(room));
  }

  isIn(room: string): boolean {
    return this.#socket.rooms.has(socketsOf.room(room));
  }
}

type SentEvents = { [Name in FrameName]: (payload: Frame<Name>) => void };
type ReceivedEvents = Record<string, (...args: unknown[]) => void>;

/** Messages between the processes of one deployment. They may be lost. */
interface ProcessEvents {
  userChanged: (user: User) => void;
  presence: (message: PresenceMessage) => void;
}

export type LiveServer = Server<ReceivedEvents, SentEvents, ProcessEvents, SocketRecipient>;
export type LiveSocket = Socket<ReceivedEvents, SentEvents, ProcessEvents, SocketRecipient>;

/** The Socket.IO adapter that connects the processes of one deployment. */
export type AdapterConstructor = NonNullable<ServerOptions['adapter']>;

/** The names of our Socket.IO rooms: the sockets in a chat room, of a user, of a device. */
export const socketsOf = {
  room: (id: string) => `room:${id}`,
  user: (id: string) => `user:${id}`,
  device: (id: string) => `device:${id}`,
  /** Of users who hide what they have read. */
  hidingReads: 'hiding-reads',
};

/**
 * Closes the connection after what was sent is flushed. The client sees a lost network and reconnects; after
 * `socket.disconnect()` it would not.
 */
export function endConnection(socket: LiveSocket): void {
  socket.conn.close();
}
