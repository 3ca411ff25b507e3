/**
 * A fake MongoDB on the wire, for servers and answers that cannot be had here: the driver cannot tell it from a real one.
 * Each command is answered as its script says.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { BSON, type Document } from 'mongodb';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

export interface FakeServer extends AsyncDisposable {
  /** Its host and port. */
  readonly me: string;
  /** The commands that it was sent, without the greetings. */
  readonly commands: Document[];
}

export interface Script {
  /** The answer to `hello`. `me`: its own host and port. Default: the primary of a set of one. */
  hello?: (me: string) => Document;
  /** The answers to other commands, by name. Undefined: no answer. A command without a script fails with CommandNotFound. */
  answers?: Record<string, (command: Document) => Document | undefined>;
  /** With TLS. */
  tls?: TlsOptions;
}

export async function fakeServer({ hello = primary, answers = {}, tls }: Script = {}): Promise<FakeServer> {
  const commands: Document[] = [];
  const { me, close } = await listen(tls, (socket) => {
    let received = Buffer.alloc(0);
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      while (received.length >= 4 && received.length >= received.readInt32LE(0)) {
        const answer = answerTo(commandOf(received));
        if (answer) socket.write(messageOf(received, answer));
        received = received.subarray(received.readInt32LE(0));
      }
    });
  });

  function answerTo(command: Document): Document | undefined {
    const name = Object.keys(command)[0]!;
    if (['hello', 'ismaster', 'isMaster'].includes(name)) return { ...hello(me), ok: 1 };
    if (['endSessions', 'killCursors'].includes(name)) return { ok: 1 };
    commands.push(command);
    const answer = answers[name];
    if (!answer)
      return { ok: 0, code: 59, codeName: 'CommandNotFound', errmsg: `no such command: '${name}'` };
    const said = answer(command);
    return said && { ok: 1, ...said };
  }

  return { me, commands, [Symbol.asyncDispose]: close };
}

/** A server that is no MongoDB: does what `onConnection` says. */
export async function rawServer(onConnection: (socket: Socket) => void): Promise<FakeServer> {
  const { me, close } = await listen(undefined, onConnection);
  return { me, commands: [], [Symbol.asyncDispose]: close };
}

async function listen(tls: TlsOptions | undefined, onConnection: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const accept = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // the client went away
    onConnection(socket);
  };
  const server = tls ? createTlsServer(tls, accept) : createServer(accept);
  server.on('tlsClientError', () => {}); // the client refused the certificate
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    me: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The greeting of a primary, MongoDB 7.0, alone in its set. */
export function primary(me: string): Document {
  return {
    isWritablePrimary: true,
    ismaster: true,
    setName: 'rs0',
    setVersion: 1,
    hosts: [me],
    me,
    minWireVersion: 0,
    maxWireVersion: 21,
    maxBsonObjectSize: 16 * 1024 * 1024,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    logicalSessionTimeoutMinutes: 30,
  };
}

/** OP_QUERY (the first greeting): flags, name, two numbers, a document. OP_MSG: flags, a document, and lists of documents. */
function commandOf(message: Buffer): Document {
  const end = message.readInt32LE(0);
  if (message.readInt32LE(12) === OP_QUERY) {
    const name = message.indexOf(0, 20);
    return BSON.deserialize(message.subarray(name + 9, end));
  }
  let command: Document = {};
  for (let at = 20; at < end; ) {
    const size = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + size);
    if (message[at] === 0) command = { ...BSON.deserialize(section), ...command };
    else {
      const name = section.indexOf(0, 4);
      command[section.toString('utf8', 4, name)] = documentsIn(section.subarray(name + 1));
    }
    at += 1 + size;
  }
  return command;
}

function documentsIn(bytes: Buffer): Document[] {
  const documents: Document[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at))
    documents.push(BSON.deserialize(bytes.subarray(at, at + bytes.readInt32LE(at))));
  return documents;
}

function messageOf(request: Buffer, document: Document): Buffer {
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
