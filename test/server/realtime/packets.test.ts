import { connect } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import {
  HANDSHAKE_BODY_BYTES,
  HANDSHAKE_MAX_LENGTH,
  PACKETS_PER_CONNECTION,
  PACKETS_PER_POLL,
} from '../../../server/base/serverLimits.ts';
import { boundedParser, boundPackets, TOO_LARGE_EVENT } from '../../../server/realtime/packets.ts';
import { APPEND_MAX_BYTES, FRAME_MAX_BYTES } from '../../../shared/limits.ts';
import { connectClient, signUp, text } from '../../support/api.ts';
import { startApp } from '../../support/app.ts';

function decoder() {
  const made = new boundedParser.Decoder();
  const decoded: { type: number; id?: number; data?: unknown }[] = [];
  made.on('decoded', (packet) => void decoded.push(packet));
  return { decoded, add: (packet: unknown) => made.add(packet) };
}

function connected() {
  const made = decoder();
  made.add('0{}');
  made.decoded.length = 0;
  return made;
}

describe('before a client is connected', () => {
  test('a handshake with 500 cursors and 500 proofs is decoded', () => {
    const { add, decoded } = decoder();
    const cursors = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`${i}`.padStart(22, 'A'), [1_234_567, 1_790_000_000_000]]),
    );
    add(`0${JSON.stringify({ protocol: 1, cursors, proofs: cursors, token: 'A'.repeat(43) })}`);
    expect(decoded).toHaveLength(1);
  });

  test.each([
    ['a handshake that is too long', `0{"x":"${'a'.repeat(HANDSHAKE_MAX_LENGTH)}"}`],
    ['a request', '21["append",{}]'],
    ['a binary event', '51-["append",{}]'],
    ['bytes', Buffer.from('0{}')],
    ['nothing', ''],
  ])('%s is not parsed', (_, packet) => {
    const parse = vi.spyOn(JSON, 'parse');
    expect(() => decoder().add(packet)).toThrow();
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });
});

describe('of a connected client', () => {
  test('requests and the farewell are decoded', () => {
    const { add, decoded } = connected();
    add('217["range",{"room":"lobby"}]');
    add('2["typing",{}]');
    add('1');
    expect(decoded.map(({ type, id }) => [type, id])).toEqual([
      [2, 17],
      [2, undefined],
      [1, undefined],
    ]);
  });

  test('an append whose every byte is escaped is decoded', () => {
    const { add, decoded } = connected();
    add(`21["append",{"items":["${'\\u0041'.repeat(APPEND_MAX_BYTES)}"]}]`);
    expect(decoded[0]).toMatchObject({ id: 1, data: ['append', {}] });
  });

  test('a request that is too long is passed on as its number alone, without being parsed', () => {
    const { add, decoded } = connected();
    const parse = vi.spyOn(JSON, 'parse');
    add(`23["append",{"items":["${'a'.repeat(FRAME_MAX_BYTES)}"]}]`);
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
    expect(decoded).toEqual([{ type: 2, nsp: '/', id: 3, data: [TOO_LARGE_EVENT] }]);
  });

  test('an event without a callback is parsed only where it is as short as a sign of typing', () => {
    const { add, decoded } = connected();
    const typing = JSON.stringify(['typing', { room: 'A'.repeat(22), typing: false }]);
    add(`2${typing}`);
    const parse = vi.spyOn(JSON, 'parse');
    add(`2["typing",{"room":"lobby","more":"${'a'.repeat(200)}"}]`);
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
    expect(decoded).toEqual([
      expect.objectContaining({ data: JSON.parse(typing) }),
      { type: 2, nsp: '/', data: [TOO_LARGE_EVENT] },
    ]);
  });

  test('a binary request is answered without being parsed, and its bytes are dropped', () => {
    const { add, decoded } = connected();
    add('51-7["append",{"_placeholder":true,"num":0}]');
    add(Buffer.from('x'));
    expect(decoded).toMatchObject([{ type: 2, id: 7 }]);
    expect(() => add(Buffer.from('one more'))).toThrow();
  });

  test.each([
    ['a second handshake', '0{}'],
    ['a handshake for another namespace', '0/admin,{}'],
    ['an acknowledgement', '31[{}]'],
    ['a request for another namespace', '2/admin,1["append"]'],
    ['a request with a number of a thousand digits', `2${'1'.repeat(1_000)}["append",{}]`],
    ['a binary event with a billion attachments', '51000000000-1["append"]'],
    ['an error', '4{"message":"x"}'],
    ['an unknown type', '9'],
  ])('%s closes the connection', (_, packet) => {
    expect(() => connected().add(packet)).toThrow();
  });

  test('more than 4 MiB at once closes the connection', () => {
    const { add } = connected();
    const packet = `21["x","${'a'.repeat(1_000_000)}"]`;
    expect(() => {
      for (let i = 0; i < 5; i++) add(packet);
    }).toThrow('too much at once');
  });
});

function connection(name: 'polling' | 'websocket') {
  const listeners = new Map<string, (value?: unknown) => void>();
  const listenersOfSocket = new Map<string, () => void>();
  const terminate = vi.fn();
  const transport: { name: string; parser?: object; maxHttpBufferSize?: number; socket?: object } = { name };
  if (name === 'websocket')
    transport.socket = {
      on: (event: string, listen: () => void) => listenersOfSocket.set(event, listen),
      terminate,
    };
  const close = vi.fn();
  const flood = vi.fn();
  boundPackets(
    { transport, on: (event: string, listen: () => void) => listeners.set(event, listen), close } as never,
    flood,
  );
  return { transport, listeners, listenersOfSocket, close, terminate, flood };
}

describe('Engine.IO', () => {
  test.each(['packet', 'ping', 'pong'])('a flood of a %s closes the connection', (event) => {
    const { listeners, listenersOfSocket, close, terminate, flood } = connection('websocket');
    const tell = listeners.get(event) ?? listenersOfSocket.get(event)!;
    for (let i = 0; i < PACKETS_PER_CONNECTION.burst; i++) tell();
    expect(close).not.toHaveBeenCalled();
    for (let i = 0; i < PACKETS_PER_CONNECTION.burst; i++) tell();
    expect(close).toHaveBeenCalledWith(true);
    expect(terminate).toHaveBeenCalled();
    expect(flood).toHaveBeenCalled();
  });

  test('a body of long polling with too many packets is one error', () => {
    const { transport } = connection('polling');
    const { decodePayload } = transport.parser as { decodePayload(body: string): { type: string }[] };
    const body = (count: number) => Array.from({ length: count }, () => '3').join(String.fromCharCode(30));
    expect(decodePayload(body(PACKETS_PER_POLL))).toHaveLength(PACKETS_PER_POLL);
    expect(decodePayload(body(PACKETS_PER_POLL + 1))).toMatchObject([{ type: 'error' }]);
    expect(decodePayload(body(1_000_000))).toHaveLength(1);
  });
});

test('a stranger cannot begin a message that is longer than a handshake; a client can', async () => {
  await using app = await disposable(startApp());
  const stranger = new WebSocket(`${app.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const closed = new Promise((resolve) => stranger.addEventListener('close', resolve));
  await new Promise((resolve) => stranger.addEventListener('open', resolve));
  stranger.send('x'.repeat(HANDSHAKE_BODY_BYTES + 1));
  await closed;

  const { hostname, port } = new URL(app.url);
  const upgrade = [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    `Host: ${hostname}:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
  ];
  const half = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5]); // 1 byte of a masked text
  half.writeUInt32BE(HANDSHAKE_BODY_BYTES + 1, 6);
  const begins = connect(Number(port), hostname, () => begins.write(`${upgrade.join('\r\n')}\r\n\r\n`));
  begins.once('data', () => begins.write(half)).on('error', () => {});
  await new Promise((resolve) => begins.once('close', resolve));
  using client = await connectClient(app.url, await signUp(app.url, 'Ada'));
  expect(
    await client.request('append', {
      as: client.session.user.id,
      items: [text('x'.repeat(HANDSHAKE_BODY_BYTES + 1))],
    }),
  ).toMatchObject({
    error: { code: 'too-large' },
  });
});

async function disposable<T extends { stop(): Promise<unknown> }>(
  starting: Promise<T>,
): Promise<T & AsyncDisposable> {
  const started = await starting;
  return Object.assign(started, { [Symbol.asyncDispose]: async () => void (await started.stop()) });
}
