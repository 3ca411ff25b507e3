/**
 * The server of Socket.IO's tutorial, moved to MongoDB in the most natural way, for one process or for many: its table is
 * a collection, its last step's adapter is the one for MongoDB, set up in the second of its README's two ways (an index
 * that expires documents), which costs less of the database that the benchmark has here than the first (a capped
 * collection).
 * - `serverOffset` is the document's ObjectId: the driver makes it, so it costs no question. It is not quite in the order
 *   of inserts where there are several processes, so that somebody who comes back may miss a message; a counter would
 *   cost another write for each message.
 * - The driver's default write concern, which is the majority.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/mongo-adapter';
import { type Document, MongoClient, MongoServerError, ObjectId } from 'mongodb';
import { Server } from 'socket.io';

const mongoClient = new MongoClient(process.env.MONGODB_URL!);
await mongoClient.connect();
const db = mongoClient.db();

const messages = db.collection<{ content: string; clientOffset: string }>('messages');
await messages.createIndex({ clientOffset: 1 }, { unique: true });

const events = db.collection<Document>('socket.io-adapter-events');
await events.createIndex({ createdAt: 1 }, { expireAfterSeconds: 3600 });

const server = createServer();
const io = new Server(server, {
  connectionStateRecovery: {},
  // it was made against another version of the driver, whose types are not this one's
  adapter: createAdapter(events as never, { addCreatedAtField: true }),
});

io.on('connection', async (socket) => {
  socket.on('chat message', async (msg: string, clientOffset: string, callback: () => void) => {
    let result: { insertedId: ObjectId };
    try {
      result = await messages.insertOne({ content: msg, clientOffset });
    } catch (e) {
      if (e instanceof MongoServerError && e.code === 11_000 /* DuplicateKey */) {
        callback();
      } else {
        // nothing to do, just let the client retry
      }
      return;
    }
    io.emit('chat message', msg, result.insertedId.toHexString());
    callback();
  });

  if (!socket.recovered) {
    try {
      const { serverOffset } = socket.handshake.auth;
      const missed = serverOffset ? { _id: { $gt: new ObjectId(serverOffset as string) } } : {};
      for await (const row of messages.find(missed).sort({ _id: 1 })) {
        socket.emit('chat message', row.content, row._id.toHexString());
      }
    } catch {
      // something went wrong
    }
  }
});

server.listen(Number(process.env.PORT), process.env.HOST, () => {
  console.log(`server running at http://localhost:${(server.address() as AddressInfo).port}`);
});
process.on('SIGTERM', () => process.exit());
