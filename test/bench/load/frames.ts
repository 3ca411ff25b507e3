/** The part of WebSocket framing (RFC 6455) that the load needs. */
import { constants, inflateRawSync } from 'node:zlib';

/** Masked with zeros, which the protocol allows and which costs nothing. */
export function frameOf(text: string): Buffer {
  const length = Buffer.byteLength(text);
  if (length > 0xffff) throw new RangeError('a frame of the load is at most 64 KiB');
  const head = length < 126 ? 2 : 4;
  const frame = Buffer.alloc(head + MASK_BYTES + length);
  frame[0] = FINAL | TEXT;
  frame[1] = MASKED | (length < 126 ? length : 126);
  if (head === 4) frame.writeUInt16BE(length, 2);
  frame.write(text, head + MASK_BYTES);
  return frame;
}

/** Takes chunks from the network and passes on complete text frames. A frame in many chunks is put together once. */
export function createReader(onText: (payload: Buffer) => void): (chunk: Buffer) => void {
  let parts: Buffer[] = [];
  let held = 0;
  let needed = 0;
  return (chunk) => {
    parts.push(chunk);
    held += chunk.length;
    if (held < needed) return;
    let data = parts.length === 1 ? chunk : Buffer.concat(parts, held);
    for (;;) {
      const [start, end] = payloadIn(data);
      if (end > data.length) {
        needed = end === Number.POSITIVE_INFINITY ? data.length + 1 : end;
        break;
      }
      const payload = data.subarray(start, end);
      if ((data[0]! & OPCODE) === TEXT) onText(data[0]! & COMPRESSED ? inflated(payload) : payload);
      data = data.subarray(end);
    }
    parts = data.length > 0 ? [data] : [];
    held = data.length;
  };
}

/** Where the payload of the first frame begins and ends; Infinity if its header is incomplete. A server does not mask. */
function payloadIn(data: Buffer): [number, number] {
  if (data.length < 2) return [0, Number.POSITIVE_INFINITY];
  const short = data[1]! & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (data.length < start) return [0, Number.POSITIVE_INFINITY];
  const length = short < 126 ? short : short === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2));
  return [start, start + length];
}

/** For servers without context takeover between frames, such as Holdfast (RFC 7692, 7.2.2). */
function inflated(payload: Buffer): Buffer {
  return inflateRawSync(Buffer.concat([payload, DEFLATE_TAIL]), { finishFlush: constants.Z_SYNC_FLUSH });
}

const FINAL = 0x80;
const COMPRESSED = 0x40;
const OPCODE = 0x0f;
const TEXT = 0x01;
const MASKED = 0x80;
const MASK_BYTES = 4;
const DEFLATE_TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);
