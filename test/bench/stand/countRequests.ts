/** A proxy in front of MongoDB that counts the requests of any client, by command. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface RequestCounter extends AsyncDisposable {
  port: number;
  /** The number of requests so far, by the name of the command. */
  counts(): Record<string, number>;
}

export async function countRequests(upstreamPort: number): Promise<RequestCounter> {
  const counts: Record<string, number> = {};
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const database = connect(upstreamPort, '127.0.0.1');
    const count = createCounter((command) => {
      counts[command] = (counts[command] ?? 0) + 1;
    });
    client.on('data', count);
    for (const [from, to] of [
      [client, database],
      [database, client],
    ] as const) {
      sockets.add(from.setNoDelay());
      from.pipe(to);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    counts: () => ({ ...counts }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** Finds the messages in the stream: each begins with its length, and the first key of its body is the command's name. */
function createCounter(onCommand: (name: string) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    let data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    while (data.length >= 4 && data.length >= data.readInt32LE(0)) {
      const message = data.subarray(0, data.readInt32LE(0));
      if (message.readInt32LE(OP_CODE_AT) === OP_MSG) {
        onCommand(message.toString('latin1', FIRST_KEY_AT, message.indexOf(0, FIRST_KEY_AT)));
      }
      data = data.subarray(message.length);
    }
    rest = data;
  };
}

// The header of a message: length, request id, response id, opcode. In OP_MSG follow four bytes of flags, one of the section
// kind, four of the document's length and one of the first element's type.
const OP_CODE_AT = 12;
const OP_MSG = 2013;
const FIRST_KEY_AT = 16 + 4 + 1 + 4 + 1;
