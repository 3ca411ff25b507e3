/** Frames of HTTP/2 written by hand (RFC 9113), for clients that behave as no library lets them. */
import { connect, type TLSSocket } from 'node:tls';

/** Opens a connection and says hello. Errors only end it. What the server sends is read and dropped. */
export function openRawHttp2(url: string, from?: string): TLSSocket {
  const { hostname, port } = new URL(url);
  const socket = connect({
    host: hostname,
    port: Number(port),
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
    ...(from === undefined ? {} : { localAddress: from }),
  });
  socket.on('error', () => {});
  socket.resume();
  socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), SETTINGS]));
  return socket;
}

/** One of 9 bytes and the payload. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

export const SETTINGS = frame(0x4, 0, 0);
export const PING = frame(0x6, 0, 0, Buffer.alloc(8));
/** Gives a stream, or the connection, a byte more. */
export const windowUpdate = (stream: number) => frame(0x8, 0, stream, Buffer.from([0, 0, 0, 1]));
/** CANCEL */
export const reset = (stream: number) => frame(0x3, 0, stream, Buffer.from([0, 0, 0, 8]));
/** `endsStream`: it has no body. */
export const request = (stream: number, block: Buffer, endsStream: boolean) =>
  frame(0x1, endsStream ? END_STREAM | END_HEADERS : END_HEADERS, stream, block);

const END_STREAM = 0x1;
export const END_HEADERS = 0x4;

/** A block of headers: the indexed ones of RFC 7541, and literal ones that are not indexed. */
export function headerBlock(method: 'GET' | 'POST', path: string, more: Record<string, string>): Buffer {
  const literals = Object.entries(more).map(([name, value]) =>
    Buffer.concat([Buffer.from([0]), text(name), text(value)]),
  );
  return Buffer.concat([Buffer.from([method === 'GET' ? 0x82 : 0x83, 0x87, 0x04]), text(path), ...literals]);
}

/** Without Huffman coding; up to 16,510 bytes. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const rest = bytes.length - 127;
  const length = rest < 0 ? [bytes.length] : rest < 128 ? [127, rest] : [127, (rest & 127) | 128, rest >> 7];
  return Buffer.concat([Buffer.from(length), bytes]);
}
