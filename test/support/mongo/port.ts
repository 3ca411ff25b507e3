/** Ports that a server can use again after it was killed. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port that is free now, below the range of ephemeral ports. With an ephemeral port, a client that retries while the server
 * is down may sooner or later connect to itself, and then the server never gets its port back.
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
