/**
 * Bounds what a connection may send, before any of it is parsed. Socket.IO's own decoder runs `JSON.parse` on up to 1.2 MB
 * of a stranger, as often as they like; this one looks at the length and the first characters first. Packets of Engine.IO,
 * and pings and pongs of the WebSocket, are counted. A connection that breaks a rule is closed.
 */

import type { Server as NetServer } from 'node:net';
import * as parserV4 from 'engine.io-parser';
import { Decoder, Encoder, PacketType } from 'socket.io-parser';
import { APPEND_MAX_BYTES, FRAME_MAX_BYTES } from '../../shared/limits.ts';
import {
  HANDSHAKE_BODY_BYTES,
  HANDSHAKE_MAX_LENGTH,
  OPERATOR_HANDSHAKES_PER_CONNECTION,
  OPERATOR_PACKET_MAX_LENGTH,
  PACKETS_PER_CONNECTION,
  PACKETS_PER_POLL,
  RECEIVED_PER_CONNECTION,
  UNANSWERED_MAX_LENGTH,
} from '../base/serverLimits.ts';
import { type Bucket, type Rate, takeTokens } from '../limits/bucket.ts';

/** The event that stands for a request that is too long to be parsed. No client can send it: `#` is no name of a request. */
export const TOO_LARGE_EVENT = '#too-large';

/**
 * A request that may be valid is shorter, in UTF-16 units: JSON may escape each byte of an append in six characters.
 */
const REQUEST_MAX_LENGTH = 6 * APPEND_MAX_BYTES + 1_024;

class BoundedDecoder extends Decoder {
  /** Whether packets of operators are accepted, beside those of the namespace `/`. */
  protected readonly takesOperators: boolean = false;
  #hasConnected = false;
  #operatorHandshakes = 0;
  #received: Bucket | undefined;
  /** Binary packets that belong to a refused request. */
  #dropped = 0;

  /** Throws for a packet that must not be parsed: Socket.IO then closes the connection. */
  override add(packet: unknown): void {
    this.#received = takeOrThrow(this.#received, lengthOf(packet), RECEIVED_PER_CONNECTION);
    if (typeof packet !== 'string') {
      if (this.#dropped-- <= 0) throw new Error('a binary packet');
    } else if (this.takesOperators && packet.startsWith(OPERATORS, 1)) {
      this.#addOfOperators(packet);
    } else if (!this.#hasConnected) {
      if (packet.charCodeAt(0) !== CONNECT) throw new Error('the first packet is no CONNECT');
      if (packet.length > HANDSHAKE_MAX_LENGTH) throw new Error('the handshake is too long');
      this.#hasConnected = true;
      super.add(packet);
    } else if (packet.length > REQUEST_MAX_LENGTH) this.#refuse(EVENT.exec(packet)?.[1], TOO_LARGE_EVENT);
    else if (packet.length > UNANSWERED_MAX_LENGTH && packet.startsWith(UNANSWERED))
      this.#pass({}, TOO_LARGE_EVENT);
    else if (packet === DISCONNECT || EVENT.test(packet)) super.add(packet);
    else {
      const [, attachments, id] = BINARY_EVENT.exec(packet) ?? [];
      this.#dropped = Number(attachments ?? 0);
      this.#refuse(id, BINARY_NAME);
    }
  }

  #addOfOperators(packet: string) {
    if (packet.length > OPERATOR_PACKET_MAX_LENGTH) throw new Error('a long packet of an operator');
    if (packet.charCodeAt(0) === CONNECT && ++this.#operatorHandshakes > OPERATOR_HANDSHAKES_PER_CONNECTION)
      throw new Error('too many handshakes of an operator');
    if (!OPERATOR_PACKET.test(packet)) throw new Error('a packet that no operator sends');
    super.add(packet);
  }

  /** Passes on the number of a request, so that it is answered, and nothing else of it. */
  #refuse(id: string | undefined, event: string) {
    if (!id) throw new Error('a packet that no client sends');
    this.#pass({ id: Number(id) }, event);
  }

  #pass(number: { id?: number }, event: string) {
    this.emitReserved('decoded', { type: PacketType.EVENT, nsp: '/', ...number, data: [event] });
  }
}

function lengthOf(packet: unknown): number {
  return (packet as { length?: number }).length ?? 0;
}

const CONNECT = '0'.charCodeAt(0);
const DISCONNECT = '1';
/** An event of the namespace `/`, with the number of its acknowledgement. */
const EVENT = /^2(\d{0,15})\[/;
/** How an event without such a number begins: it is never answered, and counted all the same. */
const UNANSWERED = '2[';
/** A request with binary attachments, which none has. */
const BINARY_EVENT = /^5(\d)-(\d{1,15})\[/;
const BINARY_NAME = '#binary';

/** How a packet of operators goes on after its type. */
const OPERATORS = '/admin,';
/** CONNECT, DISCONNECT, and an event with or without an acknowledgement. */
const OPERATOR_PACKET = /^(0\/admin,\{|1\/admin,$|2\/admin,\d{0,15}\[)/;

/** The option `parser` of the Socket.IO server. */
export const boundedParser = { Encoder, Decoder: BoundedDecoder };

/** The same where there is a namespace for operators. */
export const parserWithOperators = {
  Encoder,
  Decoder: class extends BoundedDecoder {
    protected override readonly takesOperators = true;
  },
};

/** Engine.IO's connection, as far as it is used here. */
interface Connection {
  transport: Transport;
  on(event: 'packet', listen: () => void): unknown;
  on(event: 'upgrade', listen: (transport: Transport) => void): unknown;
  close(discard: boolean): void;
}

interface Transport {
  name: string;
  /** Of long polling: bytes of one request. */
  maxHttpBufferSize?: number;
  parser?: object;
  /** Of `ws`. */
  socket?: WebSocketParts;
}

/** The fields with an underscore are private to `ws`: the bytes of one message, and of one that is inflated. */
interface WebSocketParts {
  on(event: 'ping' | 'pong' | 'error', listen: (this: WebSocketParts) => void): unknown;
  terminate(): void;
  _receiver?: { _maxPayload?: number };
  _extensions?: { 'permessage-deflate'?: { _maxPayload?: number } };
}

/** The engine of the Socket.IO server, with the options of its `ws` server. */
interface Engine {
  ws: { options: { maxPayload: number } };
}

/**
 * Call once, before `http` listens: a WebSocket holds no more than a handshake of a stranger, who may never end a message that
 * was begun. Engine.IO makes its WebSocket server when it is attached, and anew when `http` begins to listen.
 */
export function boundMessages(engine: unknown, http: Pick<NetServer, 'on'>): void {
  const bound = () => {
    (engine as Engine).ws.options.maxPayload = HANDSHAKE_BODY_BYTES;
  };
  bound();
  http.on('listening', bound);
}

/** Call for each new connection of Engine.IO. `onFlood` is called before a connection is closed. */
export function boundPackets(connection: Connection, onFlood: () => void): void {
  let bucket: Bucket | undefined;
  const count = () => {
    try {
      bucket = takeOrThrow(bucket, 1, PACKETS_PER_CONNECTION);
    } catch {
      onFlood();
      // not the closing handshake: it would go on reading until the client answers
      connection.transport.socket?.terminate();
      connection.close(true);
    }
  };
  connection.on('packet', count);
  watchWebSocket(connection.transport, count);
  if (connection.transport.name !== 'polling') return;
  connection.on('upgrade', (transport) => watchWebSocket(transport, count));
  connection.transport.parser = boundedPayloads;
  connection.transport.maxHttpBufferSize = HANDSHAKE_BODY_BYTES;
}

function watchWebSocket({ socket }: Transport, count: () => void): void {
  socket?.on('ping', count);
  socket?.on('pong', count);
  socket?.on('error', terminate);
}

/** After a frame that is too large `ws` would read on for 30 s, until the client answers that it is closed. */
function terminate(this: WebSocketParts): void {
  this.terminate();
}

/** Call when the connection is authenticated: from now on its messages may be as large as any frame. */
export function allowLargeMessages(connection: Pick<Connection, 'transport' | 'on'>): void {
  raiseBound(connection.transport);
  if (connection.transport.name === 'polling') connection.on('upgrade', raiseBound);
}

/** Where `ws` has other private fields, the bound stays: every valid request is below it. */
function raiseBound(transport: Transport): void {
  if (transport.name === 'polling') transport.maxHttpBufferSize = FRAME_MAX_BYTES;
  const { _receiver: receiver, _extensions: extensions } = transport.socket ?? {};
  for (const holder of [receiver, extensions?.['permessage-deflate']])
    if (holder?._maxPayload) holder._maxPayload = FRAME_MAX_BYTES;
}

/** Long polling sends many packets in one body, and Engine.IO decodes all before it handles the first. */
const boundedPayloads = {
  ...parserV4,
  decodePayload(body: string) {
    const isFlood = body.split(SEPARATOR, PACKETS_PER_POLL + 1).length > PACKETS_PER_POLL;
    return isFlood ? [{ type: 'error', data: 'too many packets' }] : parserV4.decodePayload(body);
  },
};

const SEPARATOR = String.fromCharCode(30); // of Engine.IO protocol 4

function takeOrThrow(bucket: Bucket | undefined, cost: number, rate: Rate): Bucket {
  const now = performance.now();
  const outcome = takeTokens(bucket ?? { level: rate.burst, at: now }, cost, now, rate);
  if (!outcome.ok) throw new Error('too much at once');
  return outcome.state;
}
