/** A fake server that answers only the greeting: for servers of kinds that cannot be started here. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

export interface FakeServer extends AsyncDisposable {
  /** Its host and port. */
  readonly me: string;
}

/** The wire protocol of MongoDB: OP_QUERY first, then OP_MSG. */
export async function fakeServer(greeting: (me: string) => Document): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      while (received.length >= 4 && received.length >= received.readInt32LE(0)) {
        socket.write(answer(received, { ...greeting(me), ok: 1 }));
        received = received.subarray(received.readInt32LE(0));
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const me = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    me,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(request: Buffer, document: Document): Buffer {
  const [requestId, opCode] = [request.readInt32LE(4), request.readInt32LE(12)];
  const body = BSON.serialize(document);
  const head = opCode === OP_QUERY ? Buffer.alloc(20) : Buffer.alloc(5); // flags, or flags and a section of kind 0
  if (opCode === OP_QUERY) head.writeInt32LE(1, 16); // one document
  const lead = Buffer.alloc(16);
  lead.writeInt32LE(16 + head.length + body.length, 0);
  lead.writeInt32LE(requestId, 8);
  lead.writeInt32LE(opCode === OP_QUERY ? OP_REPLY : OP_MSG, 12);
  return Buffer.concat([lead, head, body]);
}
