/** Node's `http-proxy` as the documentation of Socket.IO shows it, with what docs/PROXIES.md adds. */
import { once } from 'node:events';
import { createServer, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import httpProxy from 'http-proxy';
import { freePort } from './mongo/port.ts';

export interface HttpProxy extends AsyncDisposable {
  readonly url: string;
  restart(): Promise<void>;
}

/** It has one target. */
export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const port = await freePort();
  let server: Server | undefined;
  const websockets = new Set<Duplex>();
  const start = async () => {
    const proxy = httpProxy.createProxyServer({ target, ws: true, xfwd: true });
    proxy.on('error', (_, __, near) => {
      if (near instanceof ServerResponse && !near.headersSent) near.writeHead(502).end();
      else near.destroy();
    });
    server = createServer((ask, answer) => {
      delete ask.headers['x-forwarded-host']; // it would pass on the browser's
      proxy.web(ask, answer);
    });
    server.on('upgrade', (ask, socket, head) => {
      delete ask.headers['x-forwarded-host'];
      websockets.add(socket);
      socket.once('close', () => websockets.delete(socket));
      proxy.ws(ask, socket, head);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const stop = async () => {
    const closed = once(server!, 'close');
    server!.close();
    server!.closeAllConnections();
    for (const socket of websockets) socket.destroy();
    await closed;
  };
  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    async restart() {
      await stop();
      await start();
    },
    [Symbol.asyncDispose]: stop,
  };
}
