import { expect, test, vi } from 'vitest';
import { createLogger } from '../../../server/base/logger.ts';
import { createMetrics } from '../../../server/base/metrics.ts';
import { RefusedError } from '../../../server/base/refusal.ts';
import { createHandshakeGuard } from '../../../server/realtime/handshakeGuard.ts';
import type { LiveSocket } from '../../../server/realtime/socketRecipient.ts';
import { PROTOCOL, REQUIRED_FEATURE } from '../../../shared/protocol/index.ts';
import { newId } from '../../support/api.ts';

const TOKEN = 'the-token-of-the-handshake';
const SIGNED_OUT = 'the-token-of-a-device-that-was-signed-out';
const COOKIE = 'the-cookie-of-the-handshake';
const identity = {
  device: newId(),
  user: { id: newId(), name: 'Ada', rev: 0 },
  hasPassword: false,
  hasRecoveryCode: false,
};

const asked: string[] = [];
const guard = createHandshakeGuard({
  admission: {
    approach: () => asked.push('approach'),
    refused: () => asked.push('refused'),
    identified: () => asked.push('identified'),
  },
  auth: {
    async identify(token) {
      if (token === SIGNED_OUT) throw new RefusedError('unauthorized', 'bye', undefined, 'signed-out');
      return token === TOKEN ? identity : undefined;
    },
  },
  contextOf: () => ({ address: '10.0.0.1', credentials: { tag: 'none' } }) as never,
  onAuthenticated: () => {},
  metrics: createMetrics(),
  audit: { record: () => {}, flush: () => {} },
  logger: createLogger('silent'),
});

/** The part of a socket that the guard uses. */
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

const rejectionOf = (socket: object) =>
  new Promise<Error | undefined>((resolve) => guard(socket as LiveSocket, resolve));

test('tokens and cookies of the handshake are not kept with the socket', async () => {
  const { request: _, ...socket } = socketWith({
    protocol: PROTOCOL,
    features: [REQUIRED_FEATURE],
    token: TOKEN,
  });
  expect(await rejectionOf(socket)).toBeUndefined();
  const { data, ...kept } = socket;
  expect(data).toMatchObject({ identity });
  expect(JSON.stringify(kept)).not.toMatch(/token|cookie/);
});

test('`socket.data` can be serialized, as adapters do: it does not show the socket', async () => {
  const socket = socketWith({ protocol: PROTOCOL, features: [REQUIRED_FEATURE], token: TOKEN });
  await rejectionOf(socket);
  expect(JSON.parse(JSON.stringify(socket.data))).toMatchObject({ identity });
  expect(Object.values(socket.data)).not.toContain(socket);
});

test('after a rejection the client may try again on the same connection', async () => {
  const socket = socketWith({ protocol: PROTOCOL, features: [REQUIRED_FEATURE], token: 'another' });
  expect(await rejectionOf(socket)).toMatchObject({ data: { code: 'unauthorized' } });
  socket.handshake.auth.token = TOKEN;
  expect(await rejectionOf(socket)).toBeUndefined();
});

test('a handshake is identified before anything else of it is looked at', async () => {
  asked.length = 0;
  const cursors = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`${i}`, 'no cursor']));
  const socket = socketWith({ protocol: PROTOCOL, features: 'none', cursors, token: 'of a stranger' });
  expect(await rejectionOf(socket)).toMatchObject({ data: { code: 'unauthorized' } });
  expect(asked).toEqual(['approach', 'refused']);
  socket.handshake.auth.token = TOKEN;
  expect(await rejectionOf(socket)).toMatchObject({ data: { code: 'invalid' } });
});

test('a client without the required feature is told to upgrade', async () => {
  for (const features of [undefined, [], ['other']]) {
    const socket = socketWith({ protocol: PROTOCOL, token: TOKEN, ...(features && { features }) });
    expect(await rejectionOf(socket)).toMatchObject({ data: { code: 'upgrade-required' } });
  }
});

test('a refusal says whether somebody signed the device out, or its session is just not known', async () => {
  const refused = async (token: string) => {
    const socket = socketWith({ protocol: PROTOCOL, features: [REQUIRED_FEATURE], token });
    return ((await rejectionOf(socket)) as { data?: Record<string, unknown> }).data;
  };
  expect(await refused(SIGNED_OUT)).toMatchObject({ code: 'unauthorized', reason: 'signed-out' });
  const unknown = await refused('another');
  expect(unknown).toMatchObject({ code: 'unauthorized' });
  expect(unknown).not.toHaveProperty('reason');
});
