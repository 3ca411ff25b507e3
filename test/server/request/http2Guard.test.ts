/** What one connection of HTTP/2 may do. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  CONTROL_FRAMES_PER_CONNECTION,
  HEADERS_MAX_BYTES,
  HEADERS_WITHIN_MS,
  KEEP_ALIVE_MS,
  REQUEST_WITHIN_MS,
  RESETS_PER_CONNECTION,
  STRANGERS_OF_ADDRESS,
  STREAMS_PER_CONNECTION,
  UNSENT_MAX_BYTES,
} from '../../../server/base/serverLimits.ts';
import { type ConnectionGuard, guardConnections } from '../../../server/request/connectionGuard.ts';
import { createWebServer } from '../../../server/request/webServer.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { openHttp2 } from '../../support/http2.ts';
import {
  END_HEADERS,
  frame,
  headerBlock,
  openRawHttp2,
  PING,
  request,
  reset,
  SETTINGS,
} from '../../support/rawHttp2.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';
import { waitFor } from '../../support/waitFor.ts';

let folder: TemporaryFolder;
let tls: ReturnType<typeof makeCertificate>;
beforeAll(async () => {
  folder = await temporaryFolder();
  tls = makeCertificate(folder.path, 'own');
});
afterAll(() => folder.remove());
let ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends) end();
  ends = [];
});

async function scene(
  listener: (request: IncomingMessage, response: ServerResponse, guard: ConnectionGuard) => void,
) {
  let handled = 0;
  let clock = 0;
  const closed: string[] = [];
  const http = createWebServer(tls, (asked, response) => {
    handled++;
    listener(asked, response, guard);
  });
  const guard = guardConnections(http, {
    countsAddresses: true,
    isShunned: () => false,
    onClosed: (reason) => closed.push(reason),
    now: () => clock,
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `https://127.0.0.1:${(http.address() as AddressInfo).port}`;
  ends.push(() => {
    void guard.stop(0);
    http.close();
  });
  const dial = async (): Promise<TLSSocket> => {
    const socket = openRawHttp2(url);
    ends.push(() => socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  };
  const pass = (ms: number) => {
    clock += ms;
  };
  return { url, guard, closed, pass, dial, handled: () => handled };
}

const GET = headerBlock('GET', '/', { host: '127.0.0.1' });
const POST = headerBlock('POST', '/', { host: '127.0.0.1' });
const ended = (socket: TLSSocket) => new Promise((resolve) => socket.once('close', resolve));
const ids = (count: number) => Array.from({ length: count }, (_, nth) => 2 * nth + 1);
const answer = (_: IncomingMessage, response: ServerResponse) => void response.end('ok');

test('a connection that opens streams and resets them is closed', async () => {
  const { closed, dial, handled } = await scene(() => {});
  const socket = await dial();
  const most = RESETS_PER_CONNECTION.burst;
  socket.write(Buffer.concat(ids(most * 10).flatMap((id) => [request(id, GET, true), reset(id)])));
  await ended(socket);
  expect(closed).toEqual(['resets']);
  expect(handled()).toBeLessThan(most * 2);
});

test('at a stop a client is told to open no more requests here (GOAWAY), and what is under way is answered', async () => {
  let answerLate = () => {};
  const { url, guard, handled } = await scene((_, response) => {
    response.write('begun, ');
    answerLate = () => void response.end('done');
  });
  const client = openHttp2(url);
  ends.push(client.close);
  const asked = client.request({ ':path': '/' });
  const told = once(client.session, 'goaway') as Promise<[number]>;
  await waitFor('the server has it', () => handled() === 1);
  const stopped = guard.stop(5_000);
  expect((await told)[0]).toBe(0);
  answerLate();
  expect((await asked).body.toString()).toBe('begun, done');
  await stopped;
  await waitFor('it is closed', () => client.session.closed);
});

test.each([
  ['SETTINGS', SETTINGS],
  ['PING', PING],
])('a connection that sends many %s is closed', async (_, one) => {
  const { closed, dial } = await scene(answer);
  const socket = await dial();
  socket.write(Buffer.concat(Array(CONTROL_FRAMES_PER_CONNECTION.burst * 2).fill(one)));
  await ended(socket);
  expect(closed).toEqual(['control frames']);
});

test('a client that does not acknowledge our SETTINGS is held to them: streams above the bound are not handled', async () => {
  const { dial, handled } = await scene(() => {});
  const socket = await dial();
  const refused = once(socket, 'data', { signal: AbortSignal.timeout(5_000) });
  socket.write(Buffer.concat(ids(STREAMS_PER_CONNECTION * 4).map((id) => request(id, GET, true))));
  await refused;
  await waitFor('the streams are open', () => handled() === STREAMS_PER_CONNECTION);
  socket.write(request(STREAMS_PER_CONNECTION * 8 + 1, GET, true));
  socket.write(PING);
  await once(socket, 'data');
  expect(handled()).toBe(STREAMS_PER_CONNECTION);
});

test('a client that does not acknowledge our SETTINGS is held to them: long headers end its connection', async () => {
  const { closed, dial, handled } = await scene(() => {});
  const socket = await dial();
  const long = 'x'.repeat(HEADERS_MAX_BYTES / 2);
  const block = headerBlock('GET', '/', { host: '127.0.0.1', a: long, b: long });
  const [first, rest] = [block.subarray(0, 16_000), block.subarray(16_000)];
  socket.write(Buffer.concat([frame(0x1, 0x1, 1, first), frame(0x9, END_HEADERS, 1, rest)]));
  await ended(socket);
  expect(closed).toEqual(['headers']);
  expect(handled()).toBeLessThanOrEqual(1);
});

test('a client that acknowledges our SETTINGS learns the bound of streams, and its connection stays', async () => {
  const { url, closed, handled } = await scene(() => {});
  const client = openHttp2(url);
  ends.push(client.close);
  await once(client.session, 'remoteSettings');
  expect(client.session.remoteSettings.maxConcurrentStreams).toBe(STREAMS_PER_CONNECTION);
  for (const _ of ids(STREAMS_PER_CONNECTION * 2))
    client.session.request({ ':path': '/' }).on('error', () => {});
  await waitFor('the streams are open', () => handled() === STREAMS_PER_CONNECTION);
  expect(closed).toEqual([]);
});

test('the streams of strangers count as connections: beyond the bound the oldest connection is closed', async () => {
  const { closed, dial, handled } = await scene(() => {});
  const connections = Math.ceil(STRANGERS_OF_ADDRESS / STREAMS_PER_CONNECTION);
  const first = await dial();
  const closing = ended(first);
  const fill = (socket: TLSSocket) =>
    socket.write(Buffer.concat(ids(STREAMS_PER_CONNECTION).map((id) => request(id, POST, false))));
  fill(first);
  await waitFor('its streams are open', () => handled() === STREAMS_PER_CONNECTION);
  for (let nth = 1; nth < connections; nth++) fill(await dial());
  await closing;
  expect(new Set(closed)).toEqual(new Set(['strangers']));
});

test('the streams of somebody who is authenticated do not count', async () => {
  const { closed, dial, handled } = await scene((asked, _, guard) => guard.authenticated(asked));
  const connections = Math.ceil(STRANGERS_OF_ADDRESS / STREAMS_PER_CONNECTION) + 1;
  for (let nth = 0; nth < connections; nth++) {
    const socket = await dial();
    socket.write(Buffer.concat(ids(STREAMS_PER_CONNECTION).map((id) => request(id, POST, false))));
  }
  await waitFor('all streams are open', () => handled() === connections * STREAMS_PER_CONNECTION);
  expect(closed).toEqual([]);
});

test('headers that are too long never reach a handler', async () => {
  const { url, handled } = await scene(answer);
  const client = openHttp2(url);
  ends.push(client.close);
  await once(client.session, 'localSettings');
  const headers = Object.fromEntries(ids(20).map((id) => [`x-${id}`, 'x'.repeat(HEADERS_MAX_BYTES / 18)]));
  await expect(client.request({ ':path': '/', ...headers })).rejects.toThrow();
  expect(handled()).toBe(0);
});

test('a body that does not end within its time is cut off, and the other streams go on', async () => {
  const { url, pass } = await scene((asked, response) => {
    asked.resume().once('end', () => response.end('ok'));
  });
  const client = openHttp2(url);
  ends.push(client.close);
  const slow = client.session.request({ ':path': '/', ':method': 'POST' }, { endStream: false });
  slow.on('error', () => {});
  slow.write('the beginning');
  expect((await client.request({ ':path': '/' })).status).toBe(200);
  const closing = once(slow, 'close');
  pass(REQUEST_WITHIN_MS);
  await closing;
  expect((await client.request({ ':path': '/' })).status).toBe(200);
});

test('a connection without a request, and one without a further one, get GOAWAY after their times', async () => {
  const { url, pass } = await scene(answer);
  const fresh = openHttp2(url);
  const used = openHttp2(url);
  ends.push(fresh.close, used.close);
  await Promise.all([fresh, used].map(({ session }) => once(session, 'localSettings')));
  expect((await used.request({ ':path': '/' })).status).toBe(200);
  const goaway = ({ session }: typeof fresh) => once(session, 'goaway');
  const [first, second] = [goaway(fresh), goaway(used)];
  pass(HEADERS_WITHIN_MS + 1);
  await first;
  expect(used.session.closed).toBe(false);
  pass(KEEP_ALIVE_MS);
  await second;
});

test('a connection that does not read its answers is closed', async () => {
  const { closed, dial } = await scene(
    (_, response) => void response.end(Buffer.alloc(UNSENT_MAX_BYTES / 10)),
  );
  const socket = await dial();
  socket.write(Buffer.concat(ids(20).map((id) => request(id, GET, true))));
  await waitFor('the connection is closed', () => closed.includes('unread'));
});
