/** The server with its own certificate: cookie and headers over HTTPS, and a websocket. */
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { type ConnectionOptions, connect } from 'node:tls';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROTOCOL, type Welcome } from '../../../shared/protocol/index.ts';
import { newId } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';

let folder: TemporaryFolder;
let server: RunningApp;
let cert: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const made = makeCertificate(folder.path, 'own');
  cert = made.cert.toString();
  server = await startApp({ config: { tls: made } });
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

test('the cookie is Secure and bound to this host, HSTS is sent, and the cookie authenticates a websocket', async () => {
  const origin = server.url;
  const body = JSON.stringify({ name: 'Ada', claim: newId(), credential: 'cookie' });
  const answer = await call(
    `${origin}/api/session`,
    { method: 'POST', headers: { origin, ...JSON_TYPE } },
    body,
  );
  expect(answer.statusCode).toBe(201);
  expect(answer.headers['strict-transport-security']).toMatch(/^max-age=\d+$/);
  const [cookie = ''] = answer.headers['set-cookie'] ?? [];
  expect(cookie).toMatch(/^__Host-holdfast-\d+=[^;]+; Path=\/; .*Secure/);

  const headers = { cookie: cookie.split(';')[0]!, origin };
  const socket = io(origin, {
    transports: ['websocket'],
    forceNew: true,
    ca: cert,
    extraHeaders: headers,
    auth: { protocol: PROTOCOL, features: ['entries2'] },
  });
  const welcome = await new Promise<Welcome>((resolve, reject) => {
    socket.once('welcome', resolve);
    socket.once('connect_error', reject);
  });
  expect(welcome.user.name).toBe('Ada');
  socket.close();
});

test('TLS before 1.2 is refused, and 1.3 is preferred', async () => {
  const { port } = new URL(server.url);
  const versionOf = (options: ConnectionOptions) =>
    new Promise<string | null>((resolve) => {
      const socket = connect({ port: Number(port), host: '127.0.0.1', ca: cert, ...options });
      socket.once('secureConnect', () => resolve(socket.getProtocol()));
      socket.once('error', () => resolve('refused'));
      socket.once('close', () => socket.destroy());
    });
  // without a security level, so that this side would use the old versions
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  expect(await versionOf(old)).toBe('refused');
  expect(await versionOf({ maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
  expect(await versionOf({})).toBe('TLSv1.3');
});

const JSON_TYPE = { 'content-type': 'application/json' };

function call(url: string, options: RequestOptions, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ...options, ca: cert, agent: false }, (answer) => resolve(answer.resume()));
    asked.on('error', reject);
    asked.end(body);
  });
}
