/** Ports that a server can have again after it was killed. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Free at this moment. Below the range that outgoing connections take theirs from: out of that range a client that tries
 * again and again while nobody listens is sooner or later connected to itself, and the server never gets its port back.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const listener = createServer().listen(port, '127.0.0.1');
  const free = await once(listener, 'listening').then(
    () => true,
    () => false,
  );
  listener.close();
  return free;
}
