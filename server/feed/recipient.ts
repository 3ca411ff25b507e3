/**
 * What the feed needs of the transport. server/realtime implements it with Socket.IO; the feed itself knows no sockets.
 */
import type { Cursor, Frame, FrameName, Handshake } from '../../shared/protocol/index.ts';
import type { Identity } from '../auth/auth.ts';

/** One connected client. */
export interface Recipient {
  readonly identity: Identity;
  /** What the client sent with its handshake. Undefined once the welcome has used it. */
  handshake: Handshake | undefined;
  /**
   * True for a device that did not keep up within the last minute: its catch-up has entries of the open room alone, so that
   * it is not lost again to the same amount of data.
   */
  onlyOpenRoom: boolean;
  /** It can read the rooms of direct conversations: to others these do not exist. */
  readonly readsDirect: boolean;
  isConnected(): boolean;
  /** True over long polling, where a whole catch-up is one HTTP response. */
  isPolling(): boolean;
  /** Sends a frame to this client alone. Frames arrive in the order of the calls. */
  emit<Name extends FrameName>(name: Name, payload: Frame<Name>): void;
  /** Subscribes to the live frames of a room, from this moment on: takes effect before it returns. */
  join(room: string): void;
  /** True while subscribed to the room. */
  isIn(room: string): boolean;
  /**
   * Runs tasks one at a time, in order; the first is the welcome. All that adds or removes rooms goes through it, so nothing
   * is sent before the welcome.
   */
  readonly inOrder: <T>(task: () => Promise<T>) => Promise<T>;

  /**
   * The client's cursors and proofs of rooms that it was not caught up in: its user is not a member, or the room could not
   * be read. Used when it is caught up in that room later (S1).
   */
  readonly pendingCursors: Map<string, { cursor: Cursor | undefined; proof: Cursor | undefined }>;
  /** Timers of the rooms that could not be read and are retried, by room. */
  readonly retryTimers: Map<string, NodeJS.Timeout>;
  /** The newest head that this client was sent by `welcome` or `heads`, by room. */
  readonly sentHeads: Map<string, number>;
}

/**
 * Sends one frame to all recipients of this process that are in the room. Encodes it once: every connection is written the
 * same bytes.
 */
export type Broadcast = <Name extends FrameName>(room: string, name: Name, payload: Frame<Name>) => void;
