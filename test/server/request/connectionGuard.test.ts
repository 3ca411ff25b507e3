import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import {
  FIRST_BYTE_WITHIN_MS,
  REQUESTS_PER_CONNECTION,
  STRANGERS_OF_ADDRESS,
  UNSENT_MAX_BYTES,
} from '../../../server/base/serverLimits.ts';
import { type ConnectionGuard, guardConnections } from '../../../server/request/connectionGuard.ts';
import { guardRequests, tooManyRequests } from '../../../server/request/requestGuard.ts';
import { HTTP_OPTIONS } from '../../../server/request/webServer.ts';
import { waitFor } from '../../support/waitFor.ts';

let ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends) end();
  ends = [];
});

interface Scene {
  http: Server;
  port: number;
  guard: ConnectionGuard;
  closed: string[];
  /** Moves the clock of the guard on by so many milliseconds. */
  pass(ms: number): void;
  dial(): Promise<Socket>;
}

async function scene(
  listener: Parameters<typeof createServer>[1],
  { isShunned = () => false }: { isShunned?: () => boolean } = {},
): Promise<Scene> {
  const http = createServer(HTTP_OPTIONS, listener);
  const closed: string[] = [];
  let clock = 0;
  const guard = guardConnections(http, {
    countsAddresses: true,
    isShunned,
    onClosed: (reason) => closed.push(reason),
    now: () => clock,
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  ends.push(() => {
    void guard.stop(0);
    http.close();
    http.closeAllConnections();
  });
  const dial = async () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    ends.push(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const pass = (ms: number) => {
    clock += ms;
  };
  return { http, port, guard, closed, pass, dial };
}

test('a connection without a byte is closed after 5 s, one that has sent something is not', async () => {
  const { closed, pass, dial } = await scene((_, response) => void response.end('ok'));
  const talking = await dial();
  talking.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(talking, 'data');
  const silent = await dial();
  pass(FIRST_BYTE_WITHIN_MS);
  await once(silent, 'close');
  expect(closed).toEqual(['silent']);
  expect(talking.destroyed).toBe(false);
});

test('beyond the bound the oldest stranger of the address is closed, and nobody who is authenticated', async () => {
  const { http, port, guard, closed } = await scene((request, response) => {
    guard.authenticated(request);
    response.end('ok');
  });
  // as if the address had so many connections: real ones would need as many files
  const known = httpRequest({ port, host: '127.0.0.1', agent: false, headers: { connection: 'keep-alive' } });
  known.end();
  const [response] = await once(known, 'response');
  response.resume();
  const fake = (n: number) => {
    const socket = {
      remoteAddress: '127.0.0.1',
      remotePort: n,
      bytesRead: 1,
      isDestroyed: false,
      writableLength: 0,
    };
    const destroy = () => {
      socket.isDestroyed = true;
    };
    return Object.assign(socket, { once() {}, destroy });
  };
  const [, guardListener] = http.listeners('connection') as ((socket: unknown) => void)[];
  const fakes = Array.from({ length: STRANGERS_OF_ADDRESS + 2 }, (_, n) => fake(n));
  for (const each of fakes) guardListener!(each);
  expect(closed).toEqual(['strangers', 'strangers']);
  expect(fakes.filter(({ isDestroyed }) => isDestroyed).map(({ remotePort }) => remotePort)).toEqual([0, 1]);
  expect(known.destroyed).toBe(false);
});

test('an address that makes too many requests gets 429, then its connections are closed unread', async () => {
  let isShunned = false;
  const { http, closed, dial } = await scene((_, response) => void response.end('ok'), {
    isShunned: () => isShunned,
  });
  guardRequests(http, [], () => (isShunned ? tooManyRequests(1_500) : undefined));
  const socket = await dial();
  isShunned = true;
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1.1 429 /);
  expect(String(answer)).toMatch(/Retry-After: 2\r/i);
  expect(String(answer)).toContain('"code":"rate-limited"');
  const next = await dial();
  await once(next, 'close');
  expect(closed).toEqual(['shunned']);
});

test('a connection that does not read its answers is closed', async () => {
  const { closed, dial } = await scene(
    (_, response) => void response.end(Buffer.alloc(8 * UNSENT_MAX_BYTES)),
  );
  const socket = await dial();
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await waitFor('the connection is closed', () => closed.includes('unread'));
});

test('a connection with too many unanswered requests is closed', async () => {
  let handled = 0;
  const { http, closed, dial } = await scene(() => void handled++);
  guardRequests(http, [], () => undefined);
  const socket = await dial();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000));
  await once(socket, 'close');
  expect(closed).toEqual(['pipelined']);
  expect(handled).toBeLessThanOrEqual(REQUESTS_PER_CONNECTION + 1);
});
