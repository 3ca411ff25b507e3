/**
 * Compression of WebSocket frames, and frames that are written past `ws`.
 *
 * Frames for one socket alone (a catch-up, an answer) are compressed if they are long. A room's frame is not compressed: it
 * is encoded once, and the same bytes are written to every socket. `ws` would compress it anew for every socket, since
 * Engine.IO ignores `compress(false)` for WebSockets. `ws` also compresses in a thread pool, where a frame that is ready
 * overtakes one that is still being compressed (S2). So `ws` is told never to compress, and long frames are compressed here,
 * synchronously, before they are handed to Engine.IO: all frames leave in the order in which they were sent.
 *
 * Worth it, in figures: when `ws` compressed each live frame for each socket, that was nine tenths of the server's CPU
 * (docs/DECISIONS.md). With frames encoded once, a second of server CPU makes 2,342,900 deliveries on SQLite; the server of
 * Socket.IO's tutorial makes 144,810 (docs/BENCHMARK.md).
 *
 * The price: this uses internals of Engine.IO and `ws`. `chooseCompression` tests them once per process; if they do not work
 * as expected, `ws` compresses itself, as in any Socket.IO server: slower, but every frame arrives, in order.
 */
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { Server, type ServerOptions } from 'socket.io';
import type { Logger } from '../base/logger.ts';
import type { LiveServer } from './socketRecipient.ts';

export interface FrameCompression {
  /** The option of this name for the Socket.IO server. */
  perMessageDeflate: NonNullable<ServerOptions['perMessageDeflate']>;
  /** Call once with the server that has this option. */
  attach(io: Pick<LiveServer, 'engine'>): void;
}

/** Logs one warning if the internals of `ws` do not work as expected. */
export function chooseCompression(logger: Pick<Logger, 'warn'>): FrameCompression {
  checked ??= { problem: problemWithInternals() };
  if (checked.problem === undefined) return ownCompression;
  logger.warn(
    { problem: checked.problem },
    'frames cannot be written past ws: it compresses each frame for each socket, which costs more CPU',
  );
  return compressionByWs;
}

/** The result of the self-check, once per process. */
let checked: { problem: string | undefined } | undefined;

/**
 * Negotiates compression, but `ws` itself compresses nothing. No context is kept for sent frames, which would take some
 * 300 kB of memory per connection. None is kept for received frames either: with one, clients that use `ws` would compress
 * every small message, and inflating it costs as much as everything else done for it.
 */
const NEGOTIATED = { serverNoContextTakeover: true, clientNoContextTakeover: true };

const ownCompression: FrameCompression = {
  perMessageDeflate: { ...NEGOTIATED, threshold: Number.POSITIVE_INFINITY },
  attach: ({ engine }) =>
    void engine.on('flush', ({ transport }: { transport: Transport }, packets: Packet[]) =>
      encodeFrames(transport, packets),
    ),
};

/** The threshold is Engine.IO's default: most live messages are shorter, a catch-up is longer. */
const compressionByWs: FrameCompression = {
  perMessageDeflate: { ...NEGOTIATED, threshold: 1_024 },
  attach: () => {},
};

/** Called before the packets are sent: gives those that `ws` shall not encode a ready frame. */
function encodeFrames(transport: Transport, packets: Packet[]): void {
  transport.perMessageDeflate = false; // otherwise the transport ignores ready frames
  const negotiated = transport.socket?._extensions?.['permessage-deflate']?.params;
  for (const packet of packets) {
    const { type, data, options } = packet;
    if (options?.wsPreEncodedFrame) {
      joinBuffers(options.wsPreEncodedFrame);
      continue;
    }
    const isText = typeof data === 'string' && (type === 'message' || type === 'open');
    if (!transport.socket || !isText) continue; // long polling, or a packet that is rare
    const text = (type === 'message' ? MESSAGE : OPEN) + data;
    const frame =
      negotiated && isWorthCompressing(packet)
        ? compressedFrame(text, negotiated.server_max_window_bits ?? MAX_WINDOW_BITS)
        : plainFrame(text);
    packet.options = { ...options, wsPreEncodedFrame: [frame] };
  }
}

/**
 * Joins header and payload of a room's frame in place: all its sockets share the array, and writing one buffer instead of
 * two saves a tenth of the work per socket.
 */
function joinBuffers(frame: Buffer[]): void {
  if (frame.length > 1) frame.splice(0, frame.length, Buffer.concat(frame));
}

function isWorthCompressing({ type, data, options }: Packet): boolean {
  const isForOneSocket = options?.compress !== false && options?.wsPreEncodedFrame === undefined;
  return isForOneSocket && type === 'message' && typeof data === 'string' && data.length >= COMPRESSED_FROM;
}

/**
 * In UTF-16 units, nearly bytes. The welcome of somebody who has one room is shorter: compressing it would save 150 bytes and
 * cost a tenth of the CPU for a client that comes back.
 */
const COMPRESSED_FROM = 600;

/** Engine.IO's transport. `socket` is the one of `ws`; long polling has none. `_extensions` is private to `ws`. */
interface Transport {
  perMessageDeflate?: unknown;
  socket?: { _extensions?: { 'permessage-deflate'?: { params: { server_max_window_bits?: number } } } };
}

/** Engine.IO's packet. `wsPreEncodedFrame`: a ready frame, also set by Socket.IO's adapter for broadcasts. */
interface Packet {
  type: string;
  data?: unknown;
  options?: { compress?: boolean; wsPreEncodedFrame?: Buffer[] };
}

// Packet types of Engine.IO
const OPEN = '0';
const MESSAGE = '4';
const MAX_WINDOW_BITS = 15;

/** A text message in one frame. RFC 7692 section 7.2.1: deflated and flushed, without the 4 bytes that end every flush. */
function compressedFrame(text: string, windowBits: number): Buffer {
  const deflated = deflateRawSync(text, { windowBits, finishFlush: constants.Z_SYNC_FLUSH });
  const payload = deflated.subarray(0, -FLUSH_END.length);
  return Buffer.concat([headerOf(payload.length, COMPRESSED), payload]);
}

/** A text message in one frame and one buffer: `ws` writes header and payload as two. */
function plainFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([headerOf(payload.length, PLAIN), payload]);
}

const FLUSH_END = Buffer.from([0, 0, 0xff, 0xff]);

/** RFC 6455 section 5.2; not masked. */
function headerOf(length: number, first: number): Buffer {
  if (length < 126) return Buffer.from([first, length]);
  if (length < 65_536) return Buffer.from([first, 126, length >> 8, length & 255]);
  const header = Buffer.from([first, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUIntBE(length, 4, 6);
  return header;
}

/** FIN, RSV1 (compressed), opcode text. */
const COMPRESSED = 0b1100_0001;
/** FIN, opcode text. */
const PLAIN = 0b1000_0001;

/**
 * The self-check: a WebSocket connection over a fake TCP socket, made by the very `ws` that Engine.IO uses. A frame written
 * past `ws` has to be the same bytes as when `ws` sends it, and a compressed one has to decode to its text. Synchronous, a
 * few milliseconds. Returns what is wrong, or undefined.
 */
function problemWithInternals(): string | undefined {
  const { engine } = new Server(createServer(), {
    serveClient: false,
    perMessageDeflate: ownCompression.perMessageDeflate,
  });
  const wire = fakeTcpSocket();
  try {
    return problemOn(wire, engine as unknown as EngineInternals);
  } catch (error) {
    return String(error);
  } finally {
    wire.socket.destroy();
    engine.close();
  }
}

function problemOn({ socket, takeWritten }: FakeTcpSocket, engine: EngineInternals): string | undefined {
  const websockets: WsInternals[] = [];
  engine.ws.handleUpgrade(UPGRADE_REQUEST, socket, Buffer.alloc(0), (made) => websockets.push(made));
  const [websocket] = websockets;
  if (!websocket) return 'a connection is not open at once';
  const isNegotiated = takeWritten().includes(`server_max_window_bits=${SMALL_WINDOW_BITS}`);
  if (!isNegotiated) return 'compression was not negotiated';
  if (websocket._extensions?.['permessage-deflate']?.params.server_max_window_bits !== SMALL_WINDOW_BITS)
    return 'the negotiated compression cannot be read from `_extensions`';

  const transport = engine.createTransport('websocket', { websocket, _query: { EIO: '4' } });
  transport.perMessageDeflate = engine.opts.perMessageDeflate;
  const write = (packet: Packet) => {
    encodeFrames(transport, [packet]);
    transport.send([packet]);
    return takeWritten();
  };

  websocket.send(`${MESSAGE}a frame of a room`, { compress: false });
  const expected = takeWritten();
  const ready = [expected.subarray(0, 2), expected.subarray(2)];
  const options = { compress: false, wsPreEncodedFrame: ready };
  if (!write({ type: 'message', data: 'not the ready frame', options }).equals(expected))
    return 'a ready frame is not written as it is';

  websocket.send(`${MESSAGE}an answer`, { compress: false });
  const short = takeWritten();
  if (!write({ type: 'message', data: 'an answer' }).equals(short))
    return 'a short frame is not written as by ws';

  const long = 'a frame for one socket '.repeat(COMPRESSED_FROM);
  const frame = write({ type: 'message', data: long });
  const length = frame.length - headerOf(frame.length, COMPRESSED).length;
  const payload = Buffer.concat([frame.subarray(-length), FLUSH_END]);
  const inflated = inflateRawSync(payload, {
    windowBits: SMALL_WINDOW_BITS,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  const header = headerOf(length, COMPRESSED);
  const isCompressed = frame.subarray(0, header.length).equals(header);
  if (!isCompressed || inflated.toString() !== MESSAGE + long) return 'a compressed frame cannot be read';
  return undefined;
}

/** Less than the default, so that the check sees whether the negotiated value is found. */
const SMALL_WINDOW_BITS = 10;

const UPGRADE_REQUEST = {
  method: 'GET',
  url: '/',
  _query: {}, // set by Engine.IO, whose listener for headers reads it
  headers: {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    'sec-websocket-extensions': `permessage-deflate; server_max_window_bits=${SMALL_WINDOW_BITS}`,
  },
};

/** The part of Engine.IO's server that the check uses. */
interface EngineInternals {
  opts: { perMessageDeflate: unknown };
  ws: {
    handleUpgrade(
      request: typeof UPGRADE_REQUEST,
      socket: Duplex,
      head: Buffer,
      onOpen: (websocket: WsInternals) => void,
    ): void;
  };
  createTransport(name: 'websocket', request: object): Transport & { send(packets: Packet[]): void };
}

type WsInternals = NonNullable<Transport['socket']> & {
  send(text: string, options: { compress: boolean }): void;
};

interface FakeTcpSocket {
  socket: Duplex;
  /** All bytes that were written since the last call. */
  takeWritten(): Buffer;
}

function fakeTcpSocket(): FakeTcpSocket {
  let written: Buffer[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, callback) {
      written.push(chunk);
      callback();
    },
  });
  return {
    socket,
    takeWritten() {
      const all = Buffer.concat(written);
      written = [];
      return all;
    },
  };
}
