/**
 * The server of Socket.IO's tutorial "Getting started" as it stands after its steps 7 to 9 (persistence, server and
 * client delivery, connection state recovery), in one process, with two substitutions and no change of what it does:
 * - `sqlite3` is a native package that this project does not build: `node:sqlite` instead, with SQLite's own defaults as
 *   sqlite3 leaves them (journal_mode=delete, synchronous=full), in a thread of its own since sqlite3 does not stop the
 *   event loop either;
 * - `express` served one page: nothing of it is measured.
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
