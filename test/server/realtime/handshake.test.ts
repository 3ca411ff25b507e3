import { expect, test, vi } from 'vitest';
import { createLogger } from '../../../server/base/logger.ts';
import { createMetrics } from '../../../server/base/metrics.ts';
import { handshake } from '../../../server/realtime/handshake.ts';
import type { LiveSocket } from '../../../server/realtime/types.ts';
import { PROTOCOL, REQUIRED_FEATURE } from '../../../shared/protocol/index.ts';
import { newId } from '../../support/api.ts';

const TOKEN = 'the-token-of-the-handshake';
const COOKIE = 'the-cookie-of-the-handshake';
const identity = { device: newId(), user: { id: newId(), name: 'Ada', rev: 0 }, hasPassword: false };

const enter = handshake({
  auth: { identify: async (token) => (token === TOKEN ? identity : undefined) },
  visit: () => ({ proof: { tag: 'none' } }) as never,
  metrics: createMetrics(),
  logger: createLogger('silent'),
});

/** As much of a socket as the handshake sees. */
function socketWith(auth: Record<string, unknown>) {
  const request: object | undefined = { headers: { cookie: COOKIE } };
  const close = vi.fn();
  return {
    handshake: { headers: { cookie: COOKIE }, query: { token: TOKEN }, auth, time: 'now' },
    conn: { request, close },
    request,
    data: {},
  };
}

const admitted = (socket: object) =>
  new Promise<Error | undefined>((resolve) => enter(socket as LiveSocket, resolve));

test('what proved who it is, is not kept with the socket', async () => {
  const { request: _, ...socket } = socketWith({
    protocol: PROTOCOL,
    features: [REQUIRED_FEATURE],
    token: TOKEN,
  });
  expect(await admitted(socket)).toBeUndefined();
  const { data, ...kept } = socket;
  expect(data).toMatchObject({ identity });
  expect(JSON.stringify(kept)).not.toMatch(/token|cookie/);
});

test('one who was refused may try again on the same connection', async () => {
  const socket = socketWith({ protocol: PROTOCOL, features: [REQUIRED_FEATURE], token: 'another' });
  expect(await admitted(socket)).toMatchObject({ data: { code: 'unauthorized' } });
  socket.handshake.auth.token = TOKEN;
  expect(await admitted(socket)).toBeUndefined();
});

test('a second handshake on a connection that is in ends it: a new one is to be made', async () => {
  const socket = socketWith({ protocol: PROTOCOL, features: [REQUIRED_FEATURE], token: TOKEN });
  await admitted(socket);
  const next = vi.fn();
  enter(socket as unknown as LiveSocket, next);
  expect(socket.conn.close).toHaveBeenCalledOnce();
  expect(next).not.toHaveBeenCalled();
});

test('one who cannot read what this server sends is asked to load the new version', async () => {
  for (const features of [undefined, [], ['other']]) {
    const socket = socketWith({ protocol: PROTOCOL, token: TOKEN, ...(features && { features }) });
    expect(await admitted(socket)).toMatchObject({ data: { code: 'upgrade-required' } });
  }
});
