/**
 * The server of Socket.IO's tutorial, ported to MongoDB in the most natural way, for one process or many: its table is a
 * collection, and the adapter of its last step is the one for MongoDB, with a TTL index (the second way in its README), which
 * costs less CPU in the database of this benchmark than a capped collection (the first way).
 * - `serverOffset` is the document's ObjectId: the driver generates it, so it needs no query. With several processes it is not
 *   exactly in the order of inserts, so a returning client may miss a message; a counter would cost another write per message.
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
  // the adapter was built with another version of the driver, whose types differ
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
