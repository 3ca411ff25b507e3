/** The internals of `ws` do not work as expected: frames are then compressed by `ws`, and all of them arrive, in order. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FrameCompression } from '../../../server/realtime/compress.ts';
import { LOBBY } from '../../../shared/mint.ts';
import type { Entries } from '../../../shared/protocol/index.ts';
import { bodyOf, connectClient, signUp, text } from '../../support/api.ts';
import { openWire } from './wire.ts';

type Internals = Record<string, unknown>;

/** What a later version of `ws` might do to a connection. */
const changes: [name: string, problem: RegExp, read: (websocket: Internals, key: string) => unknown][] = [
  [
    '`_extensions` has another name',
    /_extensions/,
    (ws, key) => (key === '_extensions' ? undefined : ws[key]),
  ],
  ['`_sender` has another name', /ready frame/, (ws, key) => (key === '_sender' ? undefined : ws[key])],
  [
    '`sendFrame` adds a header of its own',
    /ready frame/,
    (ws, key) => (key === '_sender' ? senderOf(ws) : ws[key]),
  ],
];

function senderOf(websocket: Internals) {
  const sender = websocket._sender as { sendFrame(list: Buffer[], callback: () => void): void };
  return {
    sendFrame: ([frame]: Buffer[], callback: () => void) =>
      sender.sendFrame([Buffer.from([0x81, 0x00]), frame!], callback),
  };
}

describe.each(changes)('%s', (_, problem, read) => {
  beforeEach(() => {
    vi.resetModules(); // the self-check runs once per process
    const { engine } = new Server(createServer());
    const webSocketServer = Object.getPrototypeOf((engine as unknown as { ws: object }).ws);
    const { handleUpgrade } = webSocketServer;
    vi.spyOn(webSocketServer, 'handleUpgrade').mockImplementation(function (
      this: unknown,
      ...args: unknown[]
    ) {
      const [request, socket, head, onOpen] = args as [
        unknown,
        unknown,
        unknown,
        (...open: unknown[]) => void,
      ];
      handleUpgrade.call(this, request, socket, head, (websocket: Internals, ...rest: unknown[]) =>
        onOpen(seenThrough(websocket, read), ...rest),
      );
    });
  });
  afterEach(() => vi.restoreAllMocks());

  test('the self-check finds it, and logs one warning', async () => {
    const { warnings } = await chosen();
    expect(warnings).toMatchObject([{ problem: expect.stringMatching(problem) }]);
  });

  test('a catch-up and live frames arrive', async () => {
    const { startApp } = await import('../../support/app.ts');
    await using server = await startApp();
    using writer = await connectClient(server.url, await signUp(server.url, 'writer'));
    await writer.append(
      ...Array.from({ length: 60 }, (_, i) => text(`${'a long message '.repeat(20)} ${i}`)),
    );
    const extensions = 'permessage-deflate; client_max_window_bits';
    using ada = await openWire(server.url, await signUp(server.url, 'ada'), { extensions });
    using bo = await openWire(server.url, await signUp(server.url, 'bo'));
    expect(await ada.hears('entries')).toMatchObject({ compressed: true });
    expect(await bo.hears('entries')).toMatchObject({ compressed: false });
    const says = (frame: Entries) => frame.entries.some((entry) => bodyOf(entry) === 'live');
    await writer.append(text('live'));
    await Promise.all([ada, bo].map((wire) => wire.hears('entries', says)));
  });

  test('S2 frames for one socket and frames for its room arrive in order', async () => {
    const { compression } = await chosen();
    const http = createServer().listen(0, '127.0.0.1');
    const io = new Server(http, { perMessageDeflate: compression.perMessageDeflate });
    compression.attach(io as never);
    io.on('connection', (socket) => {
      for (let i = 1; i <= 40; i += 2) {
        socket.emit('entries', 'a long frame '.repeat(2_000));
        io.compress(false).emit('heads', { [LOBBY]: i });
      }
    });
    await once(http, 'listening');
    const client = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
      transports: ['websocket'],
    });
    const received: string[] = [];
    client.onAny((event) => received.push(event));
    await expect.poll(() => received.length).toBe(40);
    expect(received).toEqual(Array.from({ length: 20 }, () => ['entries', 'heads']).flat());
    client.close();
    await io.close();
  });
});

async function chosen(): Promise<{ compression: FrameCompression; warnings: unknown[] }> {
  const { chooseCompression } = await import('../../../server/realtime/compress.ts');
  const warnings: unknown[] = [];
  const compression = chooseCompression({ warn: (problem: unknown) => void warnings.push(problem) });
  return { compression, warnings };
}

/** `ws` itself uses the real connection; all others read its properties by way of `read`. */
function seenThrough(websocket: Internals, read: (websocket: Internals, key: string) => unknown): object {
  return new Proxy(websocket, {
    get(target, key) {
      const value = typeof key === 'string' ? read(target, key) : Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value),
  });
}
