/** A minimal websocket client that records each frame as it was on the wire. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { constants, inflateRawSync } from 'node:zlib';
import { type Entries, type Handshake, PROTOCOL } from '../../../shared/protocol/index.ts';
import type { SignedUp } from '../../support/api.ts';
import { waitFor } from '../../support/waitFor.ts';

export interface WireFrame {
  compressed: boolean;
  /** The bytes on the wire, without the frame's header. */
  payload: Buffer;
  /** `['entries', {…}]` of a Socket.IO event or acknowledgement. */
  message: unknown[];
}

export interface Wire extends Disposable {
  frames: WireFrame[];
  /** Resolves with the first frame of this event for which `is` returns true. */
  hears(event: string, is?: (payload: Entries) => boolean): Promise<WireFrame>;
  request(event: string, payload: unknown): void;
}

/** Resolves after `welcome`. `extensions`: the header `Sec-WebSocket-Extensions`, which offers compression. */
export async function openWire(
  url: string,
  session: SignedUp,
  { extensions, ...handshake }: Partial<Handshake> & { extensions?: string } = {},
): Promise<Wire> {
  const socket = await upgrade(url, extensions);
  const frames: WireFrame[] = [];
  const send = (text: string) => socket.write(maskedFrame(text));
  let buffer: Buffer = Buffer.alloc(0);
  const windowBits = Number(/server_max_window_bits=(\d+)/.exec(extensions ?? '')?.[1] ?? 15);

  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (let frame = firstFrame(buffer); frame; frame = firstFrame(buffer)) {
      buffer = buffer.subarray(frame.end);
      hear((frame.first & 0x40) !== 0, frame.payload);
    }
  });

  function hear(compressed: boolean, payload: Buffer) {
    const text = compressed ? inflate(payload, windowBits) : payload.toString();
    if (text === '2') send('3');
    if (text.startsWith('0'))
      send(
        `40${JSON.stringify({ protocol: PROTOCOL, features: ['entries2'], token: session.token, ...handshake })}`,
      );
    const isMessage = text.startsWith('42') || text.startsWith('43');
    if (isMessage) frames.push({ compressed, payload, message: JSON.parse(text.slice(text.indexOf('['))) });
  }

  const hears: Wire['hears'] = (event, is = () => true) =>
    waitFor(`a frame of ${event}`, () =>
      frames.find(({ message: [name, payload] }) => name === event && is(payload as Entries)),
    );
  await hears('welcome');
  return {
    frames,
    hears,
    request: (event, payload) => send(`421${JSON.stringify([event, payload])}`),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

function upgrade(url: string, extensions: string | undefined): Promise<Socket> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': randomBytes(16).toString('base64'),
    ...(extensions === undefined ? {} : { 'sec-websocket-extensions': extensions }),
  };
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/socket.io/?EIO=4&transport=websocket`, { headers, agent: false });
    asked.on('error', reject);
    asked.on('upgrade', (_, socket: Socket, head: Buffer) => {
      socket.unshift(head);
      socket.on('error', () => {});
      resolve(socket);
    });
    asked.end();
  });
}

function firstFrame(buffer: Buffer): { first: number; payload: Buffer; end: number } | undefined {
  if (buffer.length < 2) return undefined;
  const short = buffer[1]!;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (buffer.length < start) return undefined;
  const length = short < 126 ? short : short === 126 ? buffer.readUInt16BE(2) : buffer.readUIntBE(4, 6);
  const end = start + length;
  return buffer.length < end ? undefined : { first: buffer[0]!, payload: buffer.subarray(start, end), end };
}

/** RFC 7692, section 7.2.2. */
function inflate(payload: Buffer, windowBits: number): string {
  const flushed = Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]);
  return inflateRawSync(flushed, { windowBits, finishFlush: constants.Z_SYNC_FLUSH }).toString();
}

/** A masked text frame, with a mask of zeros. */
function maskedFrame(text: string): Buffer {
  const data = Buffer.from(text);
  const head = Buffer.from([0x81, 0x80 | 126, data.length >> 8, data.length & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, data]);
}
