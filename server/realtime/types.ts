/** The socket and what hangs on it. */
import type { Server, ServerOptions, Socket } from 'socket.io';
import type { Cursor, Frame, FrameName, Handshake, User } from '../../shared/protocol/index.ts';
import type { createSerial } from '../../shared/serial.ts';
import type { Identity } from '../auth/auth.ts';

export interface SocketData {
  identity: Identity;
  /** Until the welcome. */
  handshake: Handshake | undefined;
  /**
   * Where what the client holds ends in rooms that its user was not in, or that could not be read, for when they come into
   * one again, or it can (S1).
   */
  cursorsElsewhere: Map<string, { cursor: Cursor | undefined; proof: Cursor | undefined }>;
  /** Rooms that could not be read and are tried again. */
  retrying: Map<string, NodeJS.Timeout>;
  /** The heads this socket was told of by `welcome` and `heads`. */
  told: Map<string, number>;
  /** Rooms come and go one after the other, beginning with the welcome: nothing live is sent before it. */
  inOrder: ReturnType<typeof createSerial>;
}

type Sent = { [Name in FrameName]: (payload: Frame<Name>) => void };
type Received = Record<string, (...args: unknown[]) => void>;

/** What the processes of one chat tell each other. It may be lost. */
interface BetweenProcesses {
  userChanged: (user: User) => void;
}

export type LiveServer = Server<Received, Sent, BetweenProcesses, SocketData>;
export type LiveSocket = Socket<Received, Sent, BetweenProcesses, SocketData>;

/** What Socket.IO's processes tell each other by. */
export type AdapterConstructor = NonNullable<ServerOptions['adapter']>;

/** Names of Socket.IO's own rooms. */
export const socketsOf = {
  room: (id: string) => `room:${id}`,
  user: (id: string) => `user:${id}`,
  device: (id: string) => `device:${id}`,
};

/** Ends the connection as a lost network would, after what was said is out: the client comes back by itself. */
export function endConnection(socket: LiveSocket): void {
  socket.conn.close();
}
