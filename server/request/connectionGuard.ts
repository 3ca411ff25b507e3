/**
 * Bounds TCP connections: how long one may be silent at first, how many there may be on which nobody is authenticated, and
 * how many bytes they may leave unread. Node bounds the rest of HTTP/1.1: headers, bodies and idle time (`HTTP_OPTIONS`). Of
 * HTTP/2 it bounds sizes and the number of streams; times, resets and control frames are bounded here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CONTROL_FRAMES_PER_CONNECTION,
  FIRST_BYTE_WITHIN_MS,
  HEADERS_MAX_BYTES,
  HEADERS_WITHIN_MS,
  KEEP_ALIVE_MS,
  REQUEST_WITHIN_MS,
  REQUESTS_PER_CONNECTION,
  RESETS_PER_CONNECTION,
  STRANGERS,
  STRANGERS_OF_ADDRESS,
  UNSENT_MAX_BYTES,
  UNSENT_TOTAL_BYTES,
} from '../base/serverLimits.ts';
import { addressKey } from '../limits/addressKey.ts';
import { type Bucket, type Rate, takeTokens } from '../limits/bucket.ts';
import { createStrangers } from '../limits/strangers.ts';
import { sessionOf } from './webServer.ts';

export interface ConnectionGuard {
  /** The connection of this request has an authenticated client: it does not count as a stranger's any more. */
  authenticated(request: IncomingMessage): void;
  /**
   * Clients of HTTP/2 are told to open no more requests here (GOAWAY). Closes all connections when the requests that are
   * open are answered, or after `withinMs`, and looks at them no more.
   */
  stop(withinMs: number): Promise<void>;
}

interface Options {
  /** False behind proxies, where all connections come from a few addresses. */
  countsAddresses: boolean;
  /** The first bytes of each connection were read elsewhere, and its count of bytes begins after them. */
  hasFirstByte?: boolean;
  /** True for an address that makes too many requests: its connections are closed before a byte of them is read. */
  isShunned: (address: string) => boolean;
  /** Called for each connection that is closed. `address`: a key of `addressKey`, unless it is that of a proxy. */
  onClosed: (
    reason:
      | 'silent'
      | 'strangers'
      | 'shunned'
      | 'unread'
      | 'pipelined'
      | 'headers'
      | 'resets'
      | 'control frames',
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
  /** Requests of HTTP/1.1 that are not answered yet. */
  pending: number;
  /** Of HTTP/2. */
  session?: Session;
  isKnown: boolean;
  /** A WebSocket: its unsent bytes are counted elsewhere (server/realtime/unsent.ts). */
  isUpgraded: boolean;
  isClosed: boolean;
}

/** One connection of HTTP/2. */
interface Session {
  http2: ServerHttp2Session;
  open: Set<OpenStream>;
  /** Since when no stream is open. */
  idleSince: number;
  hasRequested: boolean;
  resets: Bucket;
  controls: Bucket;
}

/** One request of HTTP/2 that is not answered yet. */
interface OpenStream {
  visitor: Visitor;
  stream: ServerHttp2Stream;
  request: IncomingMessage;
  since: number;
}

export function guardConnections(
  http: NetServer,
  { countsAddresses, hasFirstByte = false, isShunned, onClosed, now }: Options,
): ConnectionGuard {
  /** By remote address and port. */
  const visitors = new Map<string, Visitor>();
  const silent = new Set<Visitor>();
  /** A stream of HTTP/2 counts as a connection would: it holds as much memory. */
  const strangers = createStrangers<Visitor | OpenStream>({
    ofAddress: countsAddresses ? STRANGERS_OF_ADDRESS : Number.POSITIVE_INFINITY,
    inAll: STRANGERS,
    evict: (one) => close('visitor' in one ? one.visitor : one, 'strangers'),
  });
  const visitorOf = new WeakMap<IncomingMessage, Visitor>();

  function close(visitor: Visitor, reason: Parameters<Options['onClosed']>[0]) {
    if (visitor.isClosed) return; // more was read together with what it was closed for
    visitor.isClosed = true;
    onClosed(reason, countsAddresses ? visitor.address : undefined);
    forget(visitor);
    visitor.session?.http2.destroy();
    visitor.socket.destroy();
  }

  function forget(visitor: Visitor) {
    silent.delete(visitor);
    strangers.remove(visitor.address, visitor);
    for (const open of visitor.session?.open ?? []) strangers.remove(visitor.address, open);
  }

  http.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    if (!name) return socket.destroy();
    const address = countsAddresses ? addressKey(socket.remoteAddress!) : 'all';
    const visitor: Visitor = {
      socket,
      stream: socket,
      address,
      since: now(),
      isLate: false,
      pending: 0,
      isUpgraded: false,
      isKnown: false,
      isClosed: false,
    };
    if (countsAddresses && isShunned(address)) {
      onClosed('shunned', address);
      return socket.destroy();
    }
    visitors.set(name, visitor);
    if (!hasFirstByte) silent.add(visitor);
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
    visitorOf.set(request, visitor);
    if (sessionOf(request)) return openStream(visitor, request, response);
    if (++visitor.pending > REQUESTS_PER_CONNECTION) {
      stopParsing(request.socket);
      return close(visitor, 'pipelined');
    }
    response.once('close', () => visitor.pending--);
  });
  http.prependListener('upgrade', (request: IncomingMessage) => {
    const visitor = visitors.get(nameOf(request.socket) ?? '');
    if (!visitor) return;
    visitorOf.set(request, visitor);
    visitor.isUpgraded = true;
  });
  http.on('session', (http2: ServerHttp2Session) => {
    const visitor = visitors.get(nameOf(http2.socket) ?? '');
    if (!visitor) return http2.destroy();
    const session: Session = {
      http2,
      open: new Set(),
      idleSince: now(),
      hasRequested: false,
      resets: { level: RESETS_PER_CONNECTION.burst, at: now() },
      controls: { level: CONTROL_FRAMES_PER_CONNECTION.burst, at: now() },
    };
    visitor.session = session;
    const count = () => {
      const controls = taken(session.controls, CONTROL_FRAMES_PER_CONNECTION);
      if (controls) session.controls = controls;
      else close(visitor, 'control frames');
    };
    http2.on('remoteSettings', count);
    http2.on('ping', count);
    http2.on('error', () => {}); // what the client does wrong ends its connection
  });
  // Nobody asks for either, and Node answers them before a request is counted.
  for (const event of ['connect', 'checkExpectation'])
    http.on(event, (request: IncomingMessage) => request.socket.destroy());

  function openStream(visitor: Visitor, request: IncomingMessage, response: ServerResponse) {
    const { session } = visitor;
    if (!session) return;
    const { stream } = request as unknown as { stream: ServerHttp2Stream };
    const one: OpenStream = { visitor, stream, request, since: now() };
    session.open.add(one);
    session.hasRequested = true;
    // nghttp2 refuses them only when the client has acknowledged our SETTINGS, which it may never do
    if (lengthOf(request) > HEADERS_MAX_BYTES) return close(visitor, 'headers');
    if (!visitor.isKnown) strangers.add(visitor.address, one);
    response.once('close', () => {
      strangers.remove(visitor.address, one);
      session.open.delete(one);
      session.idleSince = now();
      // Behind a proxy they are those of many people; nghttp2 bounds them, 1,000 and 33 a second.
      const isReset = stream.rstCode !== constants.NGHTTP2_NO_ERROR;
      if (!isReset || !countsAddresses || visitor.socket.destroyed) return;
      const resets = taken(session.resets, RESETS_PER_CONNECTION);
      if (resets) session.resets = resets;
      else close(visitor, 'resets');
    });
  }

  function taken(bucket: Bucket, rate: Rate): Bucket | undefined {
    const outcome = takeTokens(bucket, 1, now(), rate);
    return outcome.ok ? outcome.state : undefined;
  }

  /** As Node does for HTTP/1.1: no request at first, none for long, or a body that does not end. */
  function closeIdle({ http2, open, idleSince, hasRequested }: Session) {
    for (const { stream, request, since } of open) {
      if (now() - since < REQUEST_WITHIN_MS) break; // the rest is younger
      if (!stream.endAfterHeaders && !request.complete) stream.close(constants.NGHTTP2_CANCEL);
    }
    const idleMs = open.size > 0 ? 0 : now() - idleSince;
    const mostMs = hasRequested ? KEEP_ALIVE_MS : HEADERS_WITHIN_MS;
    if (idleMs > mostMs + GOODBYE_MS) http2.destroy();
    else if (idleMs > mostMs) http2.close();
  }

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
      const bytes = unreadBy(visitor);
      if (bytes === 0) continue;
      if (bytes > UNSENT_MAX_BYTES) close(visitor, 'unread');
      else {
        total += bytes;
        holders.push(visitor);
      }
    }
    if (total <= UNSENT_TOTAL_BYTES) return;
    holders.sort((a, b) => unreadBy(b) - unreadBy(a));
    for (const visitor of holders.slice(0, Math.ceil(holders.length / 2))) close(visitor, 'unread');
  }

  const timer = setInterval(() => {
    closeSilent();
    closeUnread();
    for (const { session } of visitors.values()) if (session) closeIdle(session);
  }, CHECK_EVERY_MS).unref();

  return {
    authenticated(request) {
      const visitor = visitorOf.get(request);
      if (!visitor) return;
      visitor.isKnown = true;
      forget(visitor);
    },
    async stop(withinMs) {
      for (const { session } of visitors.values()) session?.http2.close();
      const until = now() + withinMs;
      const isAnswering = ({ isUpgraded, pending, session }: Visitor) =>
        (!isUpgraded && pending > 0) || (session !== undefined && session.open.size > 0);
      while (now() < until && [...visitors.values()].some(isAnswering)) await sleep(LOOK_EVERY_MS);
      clearInterval(timer);
      for (const { socket } of visitors.values()) socket.destroy();
    },
  };
}

/** Of the headers, in UTF-16 units. */
function lengthOf({ rawHeaders }: IncomingMessage): number {
  let length = 0;
  for (const text of rawHeaders) length += text.length;
  return length;
}

function unreadBy({ isUpgraded, stream, session }: Visitor): number {
  if (isUpgraded) return 0;
  let bytes = stream.writableLength;
  for (const open of session?.open ?? []) bytes += open.stream.writableLength;
  return bytes;
}

const CHECK_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 10;
/** Between GOAWAY and the end of the connection. */
const GOODBYE_MS = 5_000;

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
