/** The load must read every frame, in whatever chunks it arrives. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { expect, test } from 'vitest';
import { seeded } from '../../support/random.ts';
import { waitFor } from '../../support/waitFor.ts';
import { createReader, frameOf } from './frames.ts';
import { openWebSocket } from './webSocket.ts';

test('frames are read completely, in whatever chunks they arrive', () => {
  const random = seeded(7);
  const texts = Array.from({ length: 200 }, (_, i) => `${i} ${'ä'.repeat(random.int(0, 200) ** 2)}`);
  const stream = Buffer.concat(texts.map(asServer));
  const heard: string[] = [];
  const read = createReader((payload) => heard.push(payload.toString()));
  for (let at = 0; at < stream.length; ) {
    const next = at + random.int(1, random.pick([3, 300, 100_000]));
    read(stream.subarray(at, next));
    at = next;
  }
  expect(heard).toEqual(texts);
});

test('reads the frames of a Socket.IO server, which compresses them as for a browser', async () => {
  const http = createServer();
  const io = new Server(http, { perMessageDeflate: { serverNoContextTakeover: true, threshold: 1_024 } });
  io.on('connection', (socket) => {
    socket.onAny((_event, body: string) => socket.emit('echo', body));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const heard: string[] = [];
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const client = await openWebSocket(
    url,
    (payload, socket) => {
      const packet = payload.toString();
      heard.push(packet);
      if (packet.startsWith('0')) socket.send('40');
      if (packet.startsWith('40')) socket.send(`42${JSON.stringify(['say', 'word '.repeat(2_000)])}`);
    },
    () => {},
  );
  await waitFor('the echo', () => heard.length === 3);
  expect(heard.at(-1)).toBe(`42${JSON.stringify(['echo', 'word '.repeat(2_000)])}`);
  client.close();
  await io.close();
});

/** A frame as a server sends it: not masked, and of any length. */
function asServer(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length < 126) return Buffer.concat([Buffer.from([0x81, payload.length]), payload]);
  if (payload.length < 65_536) {
    const head = Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]);
    return Buffer.concat([head, payload]);
  }
  const head = Buffer.alloc(10);
  head[0] = 0x81;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

test('the client masks its frames, as a server requires', () => {
  expect(frameOf('2')).toEqual(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x32]));
  expect(frameOf('x'.repeat(200)).subarray(0, 8)).toEqual(Buffer.from([0x81, 0xfe, 0, 200, 0, 0, 0, 0]));
});
