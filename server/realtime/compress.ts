/**
 * Which websocket frames are compressed: what one socket is told alone (the catch-up, an answer), where it is long.
 * What goes to a room is not: it is encoded once, and the same bytes are written to every socket; ws, left to itself,
 * would compress them for each, which cost eight times all the rest of a message.
 *
 * ws compresses in a thread, and a frame that is ready would overtake one that is still there. So ws is told never to,
 * and the frame is made here, before it is handed over: everything leaves in the order in which it was sent.
 */
import { constants, deflateRawSync } from 'node:zlib';
import type { LiveServer } from './socketRecipient.ts';

/**
 * Agreed on with the client, so that a frame may be compressed. What is sent keeps no context, which would be some 300 kB
 * of memory per connection. What comes keeps none either: with one, clients on ws would compress every small message,
 * and to inflate it costs as much as all the rest of it.
 */
export const PER_MESSAGE_DEFLATE = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  threshold: Number.POSITIVE_INFINITY, // ws itself compresses nothing
};

/** A welcome, but not the acknowledgement of one message. In UTF-16 units, nearly bytes. */
const COMPRESSED_FROM = 200;

export function compressAlone({ engine }: Pick<LiveServer, 'engine'>): void {
  engine.on('flush', ({ transport }: { transport: Transport }, packets: Packet[]) => {
    transport.perMessageDeflate = false; // otherwise it does not look for frames that are made
    for (const { options } of packets) joinUp(options?.wsPreEncodedFrame);
    const agreed = transport.socket?._extensions?.['permessage-deflate']?.params;
    if (!agreed) return;
    for (const packet of packets) {
      if (!isWorthIt(packet)) continue;
      const frame = compressedFrame(MESSAGE + packet.data, agreed.server_max_window_bits ?? MOST_WINDOW_BITS);
      packet.options = { ...packet.options, wsPreEncodedFrame: [frame] };
    }
  });
}

/** Head and body of a room's frame, the same array for all its sockets: one buffer is a tenth less work for each. */
function joinUp(frame: Buffer[] | undefined): void {
  if (frame && frame.length > 1) frame.splice(0, frame.length, Buffer.concat(frame));
}

function isWorthIt({ type, data, options }: Packet): boolean {
  const isAlone = options?.compress !== false && options?.wsPreEncodedFrame === undefined;
  return isAlone && type === 'message' && typeof data === 'string' && data.length >= COMPRESSED_FROM;
}

/** `_extensions` is ws's own, and the only place where it stands what was agreed on; long polling has no `socket`. */
interface Transport {
  perMessageDeflate?: boolean;
  socket?: { _extensions?: { 'permessage-deflate'?: { params: { server_max_window_bits?: number } } } };
}

interface Packet {
  type: string;
  data?: unknown;
  options?: { compress?: boolean; wsPreEncodedFrame?: Buffer[] };
}

const MESSAGE = '4'; // Engine.IO's packet type
const MOST_WINDOW_BITS = 15;

/** A whole text message, RFC 7692 section 7.2.1: deflated, flushed, less the four bytes that every flush ends with. */
function compressedFrame(text: string, windowBits: number): Buffer {
  const deflated = deflateRawSync(text, { windowBits, finishFlush: constants.Z_SYNC_FLUSH });
  const payload = deflated.subarray(0, -4);
  return Buffer.concat([headerOf(payload.length), payload]);
}

/** RFC 6455 section 5.2: FIN, RSV1 (compressed), text; not masked. */
function headerOf(length: number): Buffer {
  if (length < 126) return Buffer.from([FIRST_BYTE, length]);
  if (length < 65_536) return Buffer.from([FIRST_BYTE, 126, length >> 8, length & 255]);
  const header = Buffer.from([FIRST_BYTE, 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUIntBE(length, 4, 6);
  return header;
}

const FIRST_BYTE = 0b1100_0001;
