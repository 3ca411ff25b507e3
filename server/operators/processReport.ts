/**
 * What one process tells of itself to operators: how many are connected, and some of its sockets. No name, no text, no token,
 * no address, no id of a user or room: nothing that a client sent is in it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { SOCKETS_SHOWN } from '../base/serverLimits.ts';
import type { LiveServer } from '../realtime/socketRecipient.ts';
import { unsentBytes } from '../realtime/unsent.ts';

export interface ProcessReport {
  server: string;
  hostname: string;
  pid: number;
  /** In seconds. */
  uptime: number;
  clients: number;
  polling: number;
  namespaces: { name: string; socketsCount: number }[];
  /** Since the process began: connections of Engine.IO, and the bytes of WebSockets as far as somebody looked. */
  totals: Totals;
  sockets: ShownSocket[];
}

export type Totals = Record<'rawConnection' | 'rawDisconnection' | 'bytesIn' | 'bytesOut', number>;

export interface ShownSocket {
  id: string;
  nsp: string;
  /** The same for all sockets of one connection. */
  connection: string;
  transport: string;
  /** When it connected, in ms. */
  since: number;
  /** How many rooms it is in. */
  rooms: number;
  unsentBytes: number;
}

type Connection = Parameters<typeof unsentBytes>[0];

/** Call once, before clients connect. `namespaces`: those whose sockets are shown. */
export function createProcessReport(io: LiveServer, namespaces: readonly string[]): () => ProcessReport {
  /** Containers may have one host name, and each is its process 1. */
  const server = `${hostname()}#${process.pid}-${randomBytes(3).toString('hex')}`;
  const totals: Totals = { rawConnection: 0, rawDisconnection: 0, bytesIn: 0, bytesOut: 0 };
  const counted = new WeakMap<object, { read: number; written: number }>();
  /** Those shown before are shown as long as they are connected: otherwise new ones would seem to end old ones. */
  let shown = new Set<string>();
  io.engine.on('connection', (connection: Connection) => {
    totals.rawConnection++;
    connection.once('close', () => totals.rawDisconnection++);
  });

  function countBytes(connections: readonly Connection[]) {
    for (const connection of connections) {
      const tcp = tcpOf(connection);
      if (!tcp) continue;
      const before = counted.get(tcp) ?? { read: 0, written: 0 };
      const { bytesRead: read, bytesWritten: written } = tcp;
      totals.bytesIn += read - before.read;
      totals.bytesOut += written - before.written;
      counted.set(tcp, { read, written });
    }
  }

  function someSockets(): ShownSocket[] {
    const all = namespaces.flatMap((nsp) =>
      [...io.of(nsp).sockets.values()].map((socket) => ({ nsp, socket })),
    );
    const stay = all.filter(({ socket }) => shown.has(socket.id));
    const more = all.filter(({ socket }) => !shown.has(socket.id)).slice(0, SOCKETS_SHOWN - stay.length);
    const those = [...stay, ...more];
    shown = new Set(those.map(({ socket }) => socket.id));
    return those.map(({ nsp, socket }) => ({
      id: socket.id,
      nsp,
      connection: keyOf(socket.conn),
      transport: socket.conn.transport.name,
      since: socket.handshake.issued,
      rooms: [...socket.rooms].filter((name) => name.startsWith('room:')).length,
      unsentBytes: unsentBytes(socket.conn),
    }));
  }

  return () => {
    const connections = Object.values(
      (io.engine as unknown as { clients: Record<string, Connection> }).clients,
    );
    countBytes(connections);
    return {
      server,
      hostname: hostname(),
      pid: process.pid,
      uptime: process.uptime(),
      clients: connections.length,
      polling: connections.filter(({ transport }) => transport.name === 'polling').length,
      namespaces: namespaces.map((name) => ({ name, socketsCount: io.of(name).sockets.size })),
      totals: { ...totals },
      sockets: someSockets(),
    };
  };
}

/** A connection's id is a secret: with it one can read and send as its client by long polling. */
function keyOf(connection: Connection): string {
  return createHash('sha256')
    .update((connection as unknown as { id: string }).id)
    .digest('hex')
    .slice(0, 12);
}

/** Of a WebSocket; the field is private to `ws`. */
function tcpOf({ transport }: Connection): { bytesRead: number; bytesWritten: number } | undefined {
  return (transport as unknown as { socket?: { _socket?: { bytesRead: number; bytesWritten: number } } })
    .socket?._socket;
}
