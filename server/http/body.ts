/** The body of a request: JSON, read up to a limit. */
import type { IncomingMessage } from 'node:http';
import { FRAME_MAX_BYTES } from '../../shared/limits.ts';
import { RefusedError } from '../base/refusal.ts';

/** What the JSON says. Throws `invalid` or `too-large`. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new RefusedError('invalid', 'The body must be application/json.');
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new RefusedError('invalid', 'The body must not be compressed.');
  }
  return parse(await readBytes(request, maxBytes));
}

async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Somewhat too much is read to its end and thrown away: an answer in the middle of sending is often not heard.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      if (size > FRAME_MAX_BYTES) break;
    }
    request.resume(); // whatever is left of far too much goes by unread, so that the answer can be read
  } catch {
    throw new RefusedError('invalid', 'The body broke off.');
  }
  if (size > maxBytes) throw new RefusedError('too-large', `The body is larger than ${maxBytes} bytes.`);
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new RefusedError('invalid', 'The body is not JSON.');
  }
}
