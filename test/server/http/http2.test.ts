/** The server with a certificate: HTTP/2 and HTTP/1.1 on one port. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { URL_MAX_LENGTH } from '../../../server/base/serverLimits.ts';
import { LOBBY } from '../../../shared/mint.ts';
import { PROTOCOL } from '../../../shared/protocol/index.ts';
import { newId } from '../../support/api.ts';
import { type RunningApp, startApp } from '../../support/app.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { type Http2Client, openHttp2 } from '../../support/http2.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';

const PAGE = `<!doctype html><title>Holdfast</title>${'<p>a line</p>'.repeat(100)}`;

let folder: TemporaryFolder;
let server: RunningApp;
let client: Http2Client;
beforeAll(async () => {
  folder = await temporaryFolder();
  writeFileSync(join(folder.path, 'index.html'), PAGE);
  const tls = makeCertificate(folder.path, 'own');
  server = await startApp({ config: { tls, page: folder.path, allowedOrigins: ['https://b.example.org'] } });
});
afterEach(() => client?.close());
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

test('a client that offers both gets HTTP/2, one that does not gets HTTP/1.1', async () => {
  const spoken = (ALPNProtocols: string[]) =>
    new Promise((resolve) => {
      const { port } = new URL(server.url);
      const socket = connect({
        port: Number(port),
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ALPNProtocols,
      });
      socket.once('secureConnect', () => resolve(socket.alpnProtocol));
      socket.once('secureConnect', () => socket.destroy());
    });
  expect(await spoken(['h2', 'http/1.1'])).toBe('h2');
  expect(await spoken(['http/1.1'])).toBe('http/1.1');
  expect(await spoken([])).toBe(false);
});

test('the page comes over HTTP/2 compressed, cached and with the same security headers as over HTTP/1.1', async () => {
  client = openHttp2(server.url);
  const page = await client.request({ ':path': '/', 'accept-encoding': 'gzip, br' });
  expect(page.status).toBe(200);
  expect(page.headers['content-encoding']).toBe('br');
  expect(brotliDecompressSync(page.body).toString()).toBe(PAGE);
  const again = await client.request({ ':path': '/', 'if-none-match': page.headers.etag });
  expect([again.status, again.body.length]).toEqual([304, 0]);

  const byHttp1 = await headersByHttp1(server.url);
  const { date: _date, ':status': _status, ...headers } = page.headers;
  expect(headers['strict-transport-security']).toMatch(/^max-age=\d+$/);
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(Object.keys(headers).sort()).toEqual(byHttp1);
});

test('a sign-up over HTTP/2 sets the cookie, and only for this page', async () => {
  client = openHttp2(server.url);
  const body = JSON.stringify({ name: 'Ada', claim: newId(), credential: 'cookie' });
  const post = { ':path': '/api/session', ':method': 'POST', 'content-type': 'application/json' };
  const foreign = await client.request({ ...post, origin: 'https://evil.example' }, body);
  expect(foreign.status).toBe(403);
  const own = await client.request({ ...post, origin: server.url }, body);
  expect(own.status).toBe(201);
  const [cookie = ''] = own.headers['set-cookie'] ?? [];
  expect(cookie).toMatch(/^__Host-holdfast-\d+=[^;]+; Path=\/; .*Secure/);
  const session = await client.request({ ':path': '/api/session', cookie: cookie.split(';')[0] });
  expect(session.status).toBe(200);
});

test('long polling works over HTTP/2: handshake, an append, its acknowledgement and its echo', async () => {
  client = openHttp2(server.url);
  const { id, token } = await signUp(client, 'Grace');
  const path = '/socket.io/?EIO=4&transport=polling';
  const open = await client.request({ ':path': path });
  const { sid } = JSON.parse(open.body.toString().slice(1)) as { sid: string };
  const post = { ':path': `${path}&sid=${sid}`, ':method': 'POST', 'content-type': 'text/plain' };
  const auth = { protocol: PROTOCOL, features: ['entries2'], as: id, token };
  expect((await client.request(post, `40${JSON.stringify(auth)}`)).body.toString()).toBe('ok');
  const item = { kind: 'text', room: LOBBY, clientOffset: newId(), body: 'over HTTP/2' };
  let received = '';
  const until = async (part: string) => {
    while (!received.includes(part))
      received += (await client.request({ ':path': `${path}&sid=${sid}` })).body.toString();
  };
  await until('["welcome"');
  await client.request(post, `421${JSON.stringify(['append', { as: id, items: [item] }])}`);
  await until('431[');
  await until('over HTTP/2');
  expect(received).toContain(item.clientOffset);
});

test('a name that is not ours is refused with 421, also where `:authority` and `Host` contradict each other', async () => {
  for (const headers of [
    { ':authority': 'evil.example' },
    { ':authority': new URL(server.url).host, host: 'evil.example' },
  ]) {
    client = openHttp2(server.url);
    const answer = await client.request({ ':path': '/', ...headers });
    expect(answer.status).toBe(421);
    client.close();
  }
});

test('what is refused before it is read ends the connection: its client gets GOAWAY after the answer', async () => {
  client = openHttp2(server.url);
  const goaway = new Promise((resolve) => client.session.once('goaway', resolve));
  const answer = await client.request({ ':path': `/${'x'.repeat(URL_MAX_LENGTH)}` });
  expect(answer.status).toBe(414);
  expect(answer.headers.connection).toBeUndefined();
  await goaway;
});

async function signUp({ request }: Http2Client, name: string): Promise<{ id: string; token: string }> {
  const body = JSON.stringify({ name, claim: newId(), credential: 'token' });
  const post = { ':path': '/api/session', ':method': 'POST', 'content-type': 'application/json' };
  const answer = JSON.parse((await request(post, body)).body.toString()) as {
    user: { id: string };
    token: string;
  };
  return { id: answer.user.id, token: answer.token };
}

/** The names of the headers, without those that are about the connection. */
function headersByHttp1(url: string): Promise<string[]> {
  return new Promise((resolve) => {
    const { port } = new URL(url);
    const socket = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false });
    socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept-Encoding: gzip, br\r\n\r\n`);
    socket.once('data', (bytes: Buffer) => {
      const lines = bytes.toString('latin1').split('\r\n\r\n')[0]!.split('\r\n').slice(1);
      const names = lines.map((line) => line.split(':')[0]!.toLowerCase());
      resolve(names.filter((name) => !['connection', 'keep-alive', 'date'].includes(name)).sort());
      socket.destroy();
    });
  });
}
