/**
 * The server of Socket.IO's tutorial "Getting started" after its steps 7 to 9 (persistence, server and client delivery,
 * connection state recovery), in one process, with two substitutions that do not change its behaviour:
 * - `node:sqlite` instead of the native package `sqlite3`, which this project does not build. It has SQLite's defaults, as
 *   sqlite3 has (journal_mode=delete, synchronous=full), and its own thread, since sqlite3 does not block the event loop either.
 * - No `express`, which only served one page; that is not measured.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Server } from 'socket.io';
import { open } from './sqliteAsync.ts';

const db = await open(join(process.env.DATA!, 'chat.db'));

await db.exec(`
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    client_offset TEXT UNIQUE,
    content TEXT
  );
`);

const server = createServer();
const io = new Server(server, {
  connectionStateRecovery: {},
});

io.on('connection', async (socket) => {
  socket.on('chat message', async (msg: string, clientOffset: string, callback: () => void) => {
    let result: { lastID: number };
    try {
      result = await db.run('INSERT INTO messages (content, client_offset) VALUES (?, ?)', msg, clientOffset);
    } catch (e) {
      if ((e as { errno?: number }).errno === 19 /* SQLITE_CONSTRAINT */) {
        callback();
      } else {
        // nothing to do, just let the client retry
      }
      return;
    }
    io.emit('chat message', msg, result.lastID);
    callback();
  });

  if (!socket.recovered) {
    try {
      const rows = await db.all(
        'SELECT id, content FROM messages WHERE id > ?',
        socket.handshake.auth.serverOffset || 0,
      );
      for (const row of rows) socket.emit('chat message', row.content, row.id);
    } catch {
      // something went wrong
    }
  }
});

server.listen(Number(process.env.PORT), process.env.HOST, () => {
  console.log(`server running at http://localhost:${(server.address() as AddressInfo).port}`);
});
process.on('SIGTERM', () => process.exit());
