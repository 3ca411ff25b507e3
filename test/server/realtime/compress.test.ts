import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chooseCompression } from '../../../server/realtime/compress.ts';
import type { LiveServer } from '../../../server/realtime/socketRecipient.ts';
import { LOBBY } from '../../../shared/mint.ts';
import type { Entries } from '../../../shared/protocol/index.ts';
import { bodyOf, connectClient, signUp, text } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { openWire } from './wire.ts';

const OFFER = 'permessage-deflate; client_max_window_bits';
const LONG = 'a long message '.repeat(20);

let server: RunningApp;
beforeAll(async () => {
  server = await startApp();
  using writer = await connectClient(server.url, await signUp(server.url, 'writer'));
  await writer.append(...Array.from({ length: 60 }, (_, i) => text(`${LONG} ${i}`)));
});
afterAll(() => server.stop());

let names = 0;
const noWarning = { warn: (problem: unknown) => expect.unreachable(JSON.stringify(problem)) };
const person = () => signUp(server.url, `person ${names++}`);
const says = (body: string) => (frame: Entries) => frame.entries.some((entry) => bodyOf(entry) === body);
test('the self-check passes with the installed version of ws', () => {
  expect(chooseCompression(noWarning).perMessageDeflate).toMatchObject({
    threshold: Number.POSITIVE_INFINITY,
  });
});

test('a catch-up is compressed, and so is the answer to a range', async () => {
  using wire = await openWire(server.url, await person(), { extensions: OFFER });
  const { compressed, payload, message } = await wire.hears('entries');
  expect(compressed).toBe(true);
  expect(payload.length).toBeLessThan(JSON.stringify(message).length / 4);
  const before = wire.frames.length;
  wire.request('range', { room: LOBBY, from: 2, to: 40 });
  await expect.poll(() => wire.frames[before]).toMatchObject({ compressed: true, message: [{ ok: true }] });
});

test('a live frame is the same bytes for every socket, and never compressed, however long it is', async () => {
  using ada = await openWire(server.url, await person(), { extensions: OFFER });
  using bo = await openWire(server.url, await person());
  using writer = await connectClient(server.url, await person());
  const body = `${'live '.repeat(500)}.`;
  await writer.append(text(body));
  const heard = await Promise.all([ada, bo].map((wire) => wire.hears('entries', says(body))));
  expect(heard.map(({ compressed }) => compressed)).toEqual([false, false]);
  expect(heard[0]!.payload.equals(heard[1]!.payload)).toBe(true);
});

test('S2 a frame for a room does not overtake an earlier frame for one socket of it', async () => {
  const http = createServer().listen(0, '127.0.0.1');
  const { perMessageDeflate, attach } = chooseCompression(noWarning);
  const io: LiveServer = new Server(http, { perMessageDeflate });
  attach(io);
  io.on('connection', (socket) => {
    for (let i = 1; i <= 40; i += 2) {
      socket.emit('entries', { room: LONG.repeat(100), entries: [], users: {} });
      io.compress(false).emit('heads', { [LOBBY]: i });
    }
  });
  await once(http, 'listening');
  const client = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
    transports: ['websocket'],
  });
  const heard: string[] = [];
  client.onAny((event) => heard.push(event));
  await expect.poll(() => heard.length).toBe(40);
  expect(heard).toEqual(Array.from({ length: 20 }, () => ['entries', 'heads']).flat());
  client.close();
  await io.close();
});

test('a client that does not offer compression gets none', async () => {
  using wire = await openWire(server.url, await person());
  expect(await wire.hears('entries')).toMatchObject({ compressed: false });
});

test('a client that offers only a small window can read compressed frames', async () => {
  const extensions = 'permessage-deflate; server_max_window_bits=10';
  using wire = await openWire(server.url, await person(), { extensions });
  const { compressed, message } = await wire.hears('entries');
  expect(compressed).toBe(true);
  expect((message[1] as Entries).entries.length).toBeGreaterThan(40);
});
