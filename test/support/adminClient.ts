/** A client of the namespace `/admin`, as the page of admin-ui is one. It records every packet that it receives, as text. */
import bcrypt from 'bcryptjs';
import { io, type Socket } from 'socket.io-client';
import { waitFor } from './waitFor.ts';

export const ADMIN_PASSWORD = 'a password for tests';
/** Of the least cost, so that tests are quick. */
export const ADMIN_HASH = bcrypt.hashSync(ADMIN_PASSWORD, 10);

export interface AdminClient extends Disposable {
  readonly socket: Socket;
  /** All packets so far. */
  readonly packets: string[];
  /** Of the last report of each server. */
  stats(): Map<string, { clientsCount: number; namespaces: { name: string; socketsCount: number }[] }>;
  /** The sockets that the page would show, by id. */
  shown(): Map<string, ShownInPage>;
  /** The secret of the session that was made, once it is told. */
  session(): string | undefined;
}

export interface ShownInPage {
  id: string;
  nsp: string;
  transport: string;
  data: { server: string; rooms: number; unsentBytes: number };
}

/** Rejects with the message of the refusal. */
export async function connectAdmin(
  url: string,
  auth: Record<string, unknown> = { username: 'admin', password: ADMIN_PASSWORD },
): Promise<AdminClient> {
  const socket = io(`${url}/admin`, { transports: ['websocket'], reconnection: false, forceNew: true, auth });
  const packets: string[] = [];
  const events: [string, ...unknown[]][] = [];
  socket.io.on('open', () =>
    socket.io.engine.on('packet', ({ data }: { data?: string }) => data && packets.push(data)),
  );
  socket.onAny((...event: [string, ...unknown[]]) => events.push(event));
  const close = () => void socket.close();
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', (error) => {
      close();
      reject(error);
    });
  });
  await waitFor('all sockets', () => events.some(([name]) => name === 'all_sockets'));
  return {
    socket,
    packets,
    stats: () =>
      new Map(
        events.flatMap(([name, one]) =>
          name === 'server_stats' ? [[(one as { serverId: string }).serverId, one as never]] : [],
        ),
      ),
    shown() {
      const sockets = new Map<string, ShownInPage>();
      for (const [name, ...args] of events) {
        if (name === 'all_sockets') for (const one of args[0] as ShownInPage[]) sockets.set(one.id, one);
        if (name === 'socket_connected') sockets.set((args[0] as ShownInPage).id, args[0] as ShownInPage);
        if (name === 'socket_disconnected') sockets.delete(args[1] as string);
      }
      return sockets;
    },
    session: () => events.find(([name]) => name === 'session')?.[1] as string | undefined,
    [Symbol.dispose]: close,
  };
}
