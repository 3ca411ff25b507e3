/**
 * Backpressure: what a client has not received yet is bounded. A slow client gets `heads` instead of live frames, its ranges
 * wait, and beyond a bound its connection is closed: it comes back by its cursors and has lost nothing.
 */
import { Unavailable } from '../base/refusal.ts';
import {
  SLOW_FOR_MS,
  UNSENT_CHECK_MS,
  UNSENT_MAX_BYTES,
  UNSENT_SLOW_BYTES,
  UNSENT_TOTAL_BYTES,
} from '../base/serverLimits.ts';
import type { LiveServer, LiveSocket } from './socketRecipient.ts';

export interface Backpressure {
  /**
   * True if the client is to get `heads` instead of this live frame of `length`, which ends at `head`. Called for each
   * delivery.
   */
  replaces(socket: LiveSocket, room: string, head: number, length: number): boolean;
  /** Resolves when the client has received most of what was sent. Rejects with `Unavailable` when it is gone. */
  drained(socket: LiveSocket): Promise<void>;
  /** Call after something of any size was sent to this client alone. */
  sent(socket: LiveSocket): void;
  /** True for a device whose connection was closed within the last minute because it did not keep up. */
  wasSlow(device: string): boolean;
  stop(): void;
}

interface Deps {
  io: LiveServer;
  /** All unsent bytes, a few times a second. */
  onMeasured: (bytes: number) => void;
  /** A connection is closed: `slow` because of its own unsent bytes, `memory` because of those of all. */
  onEvicted: (reason: 'slow' | 'memory') => void;
}

export function createBackpressure({ io, onMeasured, onEvicted }: Deps): Backpressure {
  const { sockets } = io.of('/');
  /** The newest head of each room whose live frames a client was not sent. */
  const skipped = new Map<LiveSocket, Map<string, number>>();
  const waiting = new Map<LiveSocket, PromiseWithResolvers<void>>();
  const slowUntil = new Map<string, number>();
  let uncounted = 0;

  function evict(socket: LiveSocket, reason: 'slow' | 'memory') {
    slowUntil.set(socket.data.identity.device, performance.now() + SLOW_FOR_MS);
    onEvicted(reason);
    dropConnection(socket);
  }

  function checkSlow() {
    for (const [socket, heads] of skipped) {
      if (socket.connected && unsentBytes(socket.conn) > UNSENT_SLOW_BYTES / 2) continue;
      skipped.delete(socket);
      if (!socket.connected) continue;
      for (const [room, head] of heads) socket.data.sentHeads.set(room, head);
      socket.data.emit('heads', Object.fromEntries(heads));
    }
    for (const [socket, { resolve, reject }] of waiting) {
      if (socket.connected && unsentBytes(socket.conn) > UNSENT_SLOW_BYTES) continue;
      waiting.delete(socket);
      if (socket.connected) resolve();
      else reject(new Unavailable('The connection was lost.'));
    }
  }

  function checkAll() {
    uncounted = 0;
    let total = 0;
    const holders: [LiveSocket, number][] = [];
    for (const socket of sockets.values()) {
      const bytes = unsentBytes(socket.conn);
      if (bytes === 0 || !socket.connected) continue;
      if (bytes > UNSENT_MAX_BYTES) evict(socket, 'slow');
      else {
        total += bytes;
        holders.push([socket, bytes]);
      }
    }
    if (total > UNSENT_TOTAL_BYTES) {
      holders.sort(([, a], [, b]) => b - a);
      for (const [socket, bytes] of holders) {
        if (total <= UNSENT_TOTAL_BYTES / 2) break;
        total -= bytes;
        evict(socket, 'memory');
      }
    }
    onMeasured(total);
    const now = performance.now();
    for (const [device, until] of slowUntil) if (until < now) slowUntil.delete(device);
  }

  let rounds = 0;
  const timer = setInterval(() => {
    checkSlow();
    if (rounds++ % ALL_EVERY_ROUNDS === 0) checkAll();
  }, UNSENT_CHECK_MS).unref();

  return {
    replaces(socket, room, head, length) {
      const heads = skipped.size > 0 ? skipped.get(socket) : undefined;
      if (heads) heads.set(room, head);
      else if (isSlow(socket.conn, length)) skipped.set(socket, new Map([[room, head]]));
      else return false;
      return true;
    },
    async drained(socket) {
      if (unsentBytes(socket.conn) <= UNSENT_SLOW_BYTES) return;
      const until = waiting.get(socket) ?? Promise.withResolvers<void>();
      waiting.set(socket, until);
      await until.promise;
    },
    sent(socket) {
      if (partsOf(socket.conn).writeBuffer.length === 0) return;
      const bytes = unsentBytes(socket.conn);
      if (bytes > UNSENT_MAX_BYTES) return evict(socket, 'slow');
      uncounted += bytes;
      if (uncounted > UNSENT_TOTAL_BYTES) checkAll();
    },
    wasSlow: (device) => (slowUntil.get(device) ?? 0) > performance.now(),
    stop() {
      clearInterval(timer);
      for (const { reject } of waiting.values()) reject(new Unavailable('The server is closing.'));
    },
  };
}

/** Looking at all connections takes a millisecond for five thousand. */
const ALL_EVERY_ROUNDS = 4;

/**
 * Engine.IO hands its buffer on when the last frames have left, so a client that keeps up has few in it. Adding up costs as
 * much as writing a frame: it is done when many frames wait, or a long one comes.
 */
function isSlow(connection: LiveSocket['conn'], length: number): boolean {
  const { writeBuffer } = partsOf(connection);
  const isWorthAdding = writeBuffer.length >= MANY_FRAMES || (writeBuffer.length > 0 && length >= LONG_FRAME);
  return isWorthAdding && unsentBytes(connection) > UNSENT_SLOW_BYTES;
}

const MANY_FRAMES = 16;
/** In UTF-16 units: sixteen shorter frames are less than UNSENT_SLOW_BYTES. */
const LONG_FRAME = UNSENT_SLOW_BYTES / MANY_FRAMES;

/**
 * What Engine.IO and the WebSocket hold for this client, in UTF-16 units and bytes. A response of long polling that is being
 * received is not counted: there is at most one.
 */
export function unsentBytes(connection: LiveSocket['conn']): number {
  const { writeBuffer, transport } = partsOf(connection);
  let bytes = transport.socket?.bufferedAmount ?? 0;
  for (const { data } of writeBuffer) bytes += typeof data === 'string' ? data.length : 0;
  return bytes;
}

/** Closes the connection at once and drops what was not sent. The client sees a lost network. */
export function dropConnection({ conn }: LiveSocket): void {
  const { socket } = partsOf(conn).transport;
  if (socket) socket.terminate();
  else conn.close(true);
}

/** The parts of Engine.IO's connection that are used here. `socket` is the one of `ws`; long polling has none. */
interface ConnectionParts {
  writeBuffer: { data?: unknown }[];
  transport: { socket?: { bufferedAmount: number; terminate(): void } };
}

function partsOf(connection: LiveSocket['conn']): ConnectionParts {
  return connection as unknown as ConnectionParts;
}
