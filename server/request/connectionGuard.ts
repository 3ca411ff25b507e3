/**
 * Bounds TCP connections: how long one may be silent at first, how many there may be on which nobody is authenticated, and
 * how many bytes they may leave unread. Node bounds the rest: headers, bodies and idle time (`HTTP_OPTIONS`).
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  FIRST_BYTE_WITHIN_MS,
  HEADERS_WITHIN_MS,
  KEEP_ALIVE_MS,
  REQUEST_WITHIN_MS,
  REQUESTS_PER_CONNECTION,
  STRANGERS,
  STRANGERS_OF_ADDRESS,
  UNSENT_MAX_BYTES,
  UNSENT_TOTAL_BYTES,
} from '../base/serverLimits.ts';
import { addressKey } from '../limits/addressKey.ts';
import { createStrangers } from '../limits/strangers.ts';

/** Options of `http.createServer` and `https.createServer`. */
export const HTTP_OPTIONS = {
  keepAliveTimeout: KEEP_ALIVE_MS,
  headersTimeout: HEADERS_WITHIN_MS,
  requestTimeout: REQUEST_WITHIN_MS,
  connectionsCheckingInterval: 1_000,
  /** Of TLS. */
  handshakeTimeout: HEADERS_WITHIN_MS,
};

export interface ConnectionGuard {
  /** The connection of this request has an authenticated client: it does not count as a stranger's any more. */
  authenticated(request: IncomingMessage): void;
  stop(): void;
}

interface Options {
  /** False behind proxies, where all connections come from a few addresses. */
  countsAddresses: boolean;
  /** True for an address that makes too many requests: its connections are closed before a byte of them is read. */
  isShunned: (address: string) => boolean;
  /** Called for each connection that is closed. `address`: a key of `addressKey`, unless it is that of a proxy. */
  onClosed: (
    reason: 'silent' | 'strangers' | 'shunned' | 'unread' | 'pipelined',
    address: string | undefined,
  ) => void;
  /** A monotonic clock in milliseconds. */
  now: () => number;
}

interface Visitor {
  socket: Socket;
  /** What HTTP writes to: the socket, or the TLS socket on it. */
  stream: Duplex;
  address: string;
  since: number;
  /** No byte within FIRST_BYTE_WITHIN_MS, at the last look. */
  isLate: boolean;
  /** Requests that are not answered yet. */
  pending: number;
  /** A WebSocket: its unsent bytes are counted elsewhere (server/realtime/unsent.ts). */
  isUpgraded: boolean;
}

export function guardConnections(
  http: HttpServer,
  { countsAddresses, isShunned, onClosed, now }: Options,
): ConnectionGuard {
  /** By remote address and port. */
  const visitors = new Map<string, Visitor>();
  const silent = new Set<Visitor>();
  const strangers = createStrangers<Visitor>({
    ofAddress: countsAddresses ? STRANGERS_OF_ADDRESS : Number.POSITIVE_INFINITY,
    inAll: STRANGERS,
    evict: (visitor) => close(visitor, 'strangers'),
  });

  function close(visitor: Visitor, reason: Parameters<Options['onClosed']>[0]) {
    onClosed(reason, countsAddresses ? visitor.address : undefined);
    forget(visitor);
    visitor.socket.destroy();
  }

  function forget(visitor: Visitor) {
    silent.delete(visitor);
    strangers.remove(visitor.address, visitor);
  }

  http.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    if (!name) return socket.destroy();
    const address = countsAddresses ? addressKey(socket.remoteAddress!) : 'all';
    const visitor = {
      socket,
      stream: socket,
      address,
      since: now(),
      isLate: false,
      pending: 0,
      isUpgraded: false,
    };
    if (countsAddresses && isShunned(address)) {
      onClosed('shunned', address);
      return socket.destroy();
    }
    visitors.set(name, visitor);
    silent.add(visitor);
    socket.once('close', () => {
      visitors.delete(name);
      forget(visitor);
    });
    strangers.add(address, visitor);
  });
  http.on('secureConnection', (stream: Socket) => {
    const visitor = visitors.get(nameOf(stream) ?? '');
    if (visitor) visitor.stream = stream;
  });
  http.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const visitor = visitors.get(nameOf(request.socket) ?? '');
    if (!visitor) return;
    if (++visitor.pending > REQUESTS_PER_CONNECTION) {
      stopParsing(request.socket);
      return close(visitor, 'pipelined');
    }
    response.once('close', () => visitor.pending--);
  });
  http.prependListener('upgrade', ({ socket }: IncomingMessage) => {
    const visitor = visitors.get(nameOf(socket) ?? '');
    if (visitor) visitor.isUpgraded = true;
  });

  /** After a turn of the event loop that took long, bytes may have arrived that are not read yet: so at the second look. */
  function closeSilent() {
    for (const visitor of silent) {
      if (visitor.socket.bytesRead > 0) silent.delete(visitor);
      else if (now() - visitor.since < FIRST_BYTE_WITHIN_MS)
        return; // the rest is younger
      else if (visitor.isLate) close(visitor, 'silent');
      else visitor.isLate = true;
    }
  }

  function closeUnread() {
    let total = 0;
    const holders: Visitor[] = [];
    for (const visitor of visitors.values()) {
      const bytes = visitor.isUpgraded ? 0 : visitor.stream.writableLength;
      if (bytes === 0) continue;
      if (bytes > UNSENT_MAX_BYTES) close(visitor, 'unread');
      else {
        total += bytes;
        holders.push(visitor);
      }
    }
    if (total <= UNSENT_TOTAL_BYTES) return;
    holders.sort((a, b) => b.stream.writableLength - a.stream.writableLength);
    for (const visitor of holders.slice(0, Math.ceil(holders.length / 2))) close(visitor, 'unread');
  }

  const timer = setInterval(() => {
    closeSilent();
    closeUnread();
  }, CHECK_EVERY_MS).unref();

  return {
    authenticated(request) {
      const visitor = visitors.get(nameOf(request.socket) ?? '');
      if (visitor) forget(visitor);
    },
    stop: () => clearInterval(timer),
  };
}

const CHECK_EVERY_MS = 1_000;

/**
 * Otherwise Node makes requests of all bytes that have arrived, also after `destroy`: 1,500 of 64 KiB, 20 µs each. 2 is what
 * it answers its parser for an upgrade. `parser` is internal: without it, the requests are made and dropped.
 */
function stopParsing(socket: Socket): void {
  const { parser } = socket as Socket & { parser?: { onIncoming: () => number } };
  if (parser) parser.onIncoming = () => 2;
}

/** The same for a TCP socket and the TLS socket on it. Undefined when the connection is closed already. */
function nameOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}
