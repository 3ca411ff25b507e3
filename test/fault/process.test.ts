/** The server process: failed starts, and shutdown on a signal. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { connectClient, newId, post, signUp, text, wholeLog } from '../support/api.ts';
import { makeCertificate } from '../support/certificate.ts';
import { startProxy } from '../support/proxy.ts';
import {
  runServerToItsEnd,
  STOPPED_AT_THE_PORT,
  startServer,
  startUnreadyServer,
} from '../support/serverProcess.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { waitFor } from '../support/waitFor.ts';

const EX_CONFIG = 78;

/** One sentence per line, and no stack trace. */
function expectSentence({ code, output }: { code: number | null; output: string }): void {
  expect(output.trim()).not.toMatch(/\n\s+at /);
  expect(output.trim()).toMatch(/\.$/);
  expect(code).toBe(EX_CONFIG);
}

describe('a server that cannot start prints one sentence that says what to do', () => {
  test('a corrupt database file', async () => {
    await using folder = await temporaryFolder();
    await writeFile(
      join(folder.path, 'holdfast.db'),
      'this is no database, whatever its name says'.repeat(500),
    );
    const ended = await runServerToItsEnd({ DATA: folder.path });
    expectSentence(ended);
    expect(ended.output).toContain(join(folder.path, 'holdfast.db'));
  });

  test('a database that is open in another server', async () => {
    await using first = await startServer();
    const ended = await runServerToItsEnd({ DATA: first.data });
    expectSentence(ended);
    expect(ended.output).toContain(join(first.data, 'holdfast.db'));
    await signUp(first.url, 'Undisturbed');
  });

  test('a file as the data folder', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'file');
    await writeFile(file, '');
    expectSentence(await runServerToItsEnd({ DATA: file }));
  });

  test('a port that is in use', async () => {
    await using first = await startServer();
    await using folder = await temporaryFolder();
    const ended = await runServerToItsEnd({ DATA: folder.path, PORT: String(first.port) });
    expectSentence(ended);
    expect(ended.output).toContain(String(first.port));
  });

  test('a metrics port that is in use', async () => {
    await using first = await startServer();
    await using folder = await temporaryFolder();
    const ended = await runServerToItsEnd({ DATA: folder.path, METRICS_PORT: String(first.port) });
    expectSentence(ended);
    expect(ended.output).toContain(`127.0.0.1:${first.port}`);
    expect(ended.output).toContain('set METRICS_PORT');
  });

  test('invalid settings in the environment, all reported at once', async () => {
    const { code, output } = await runServerToItsEnd({ PORT: 'eighty', LOG_LEVEL: 'loud' });
    expect(code).toBe(EX_CONFIG);
    expect(output).toContain('PORT');
    expect(output).toContain('LOG_LEVEL');
  });
});

test('L4 on SIGTERM it finishes the requests in flight, sends bye, and exits by itself', async () => {
  await using server = await startServer();
  const session = await signUp(server.url, 'Ada');
  const client = await connectClient(server.url, session);
  const answers = Promise.all(
    Array.from({ length: 50 }, (_, i) => client.append(text(`last words ${i}`)).catch(() => undefined)),
  );
  await client.hears('last words 0');
  expect(await server.stop()).toBe(0);
  expect(client.frames.map(({ event }) => event)).toContain('bye');
  client.close();

  const acknowledged = (await answers).filter(
    (answer) => answer?.ok && answer.results.some((r) => 'serverOffset' in r),
  );
  await server.start();
  const log = await wholeLog(server.url, session);
  expect(log.filter((entry) => entry.kind === 'text').length).toBeGreaterThanOrEqual(acknowledged.length);
});

test('with DRAIN_SECONDS a process that stops says so at /readyz first, and serves everybody as before for that time', async () => {
  await using server = await startServer({ env: { DRAIN_SECONDS: '5' } });
  const { url } = server;
  const bo = await signUp(url, 'Bo');
  using ada = await connectClient(url, await signUp(url, 'Ada'));
  const statusOf = async (path: string) => (await fetch(`${url}${path}`)).status;
  expect(await statusOf('/readyz')).toBe(200);
  const stopped = server.stop();
  await waitFor('the load balancer is told', async () => (await statusOf('/readyz')) === 503);
  using late = await connectClient(url, bo);
  await late.append(text('sent here by a load balancer that has not asked since'));
  await ada.hears('sent here by a load balancer that has not asked since');
  expect(await statusOf('/healthz')).toBe(200);
  expect(ada.frames.map(({ event }) => event)).not.toContain('bye');
  expect(await stopped).toBe(0);
  for (const { frames } of [ada, late]) expect(frames.map(({ event }) => event)).toContain('bye');
});

test('with DRAIN_SECONDS a second SIGTERM ends a process that waits', async () => {
  await using server = await startServer({ env: { DRAIN_SECONDS: '300' } });
  const pid = server.pid();
  const stopped = server.stop();
  const isTold = async () => (await fetch(`${server.url}/readyz`)).status === 503;
  await waitFor('it waits', isTold);
  process.kill(pid, 'SIGTERM');
  expect(await stopped).toBe(1);
});

test('with DRAIN_SECONDS a process that has no open port yet stops at once, and says of no port that it is open', async () => {
  await using folder = await temporaryFolder();
  const env = { DATA: folder.path, NODE_OPTIONS: STOPPED_AT_THE_PORT, DRAIN_SECONDS: '300' };
  const { code, output } = await runServerToItsEnd(env);
  expect(output).not.toContain('Holdfast: open');
  expect(code).toBe(0);
});

test('with DRAIN_SECONDS a process whose database is moved while it waits stops at once, with 78', async () => {
  await using server = await startServer({ env: { DRAIN_SECONDS: '300' } });
  const stopped = server.stop();
  await waitFor('it waits', async () => (await fetch(`${server.url}/readyz`)).status === 503);
  using db = new DatabaseSync(join(server.data, 'holdfast.db'));
  db.exec("INSERT INTO move (place, run, state) VALUES ('mongodb://elsewhere/holdfast', 'r', 'finished')");
  expect(await stopped).toBe(EX_CONFIG);
  expect(server.logs()).toContain('was moved to mongodb://elsewhere/holdfast: set MONGODB_URL');
});

test('SIGTERM ends a server that still loads its modules, with 0', async () => {
  await using folder = await temporaryFolder();
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({
      load(url, context, next) {
        if (url.endsWith('/server/app.ts')) process.kill(process.pid, 'SIGTERM');
        return next(url, context);
      },
    });`;
  const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(hook)}`;
  const { code, output } = await runServerToItsEnd({ DATA: folder.path, NODE_OPTIONS });
  expect(output).not.toContain('Holdfast: open');
  expect(code).toBe(0);
});

test('SIGTERM ends a server that still waits for its database, with 0', async () => {
  const silent = createServer().listen(0, '127.0.0.1'); // accepts connections and never answers
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const server = startUnreadyServer({ MONGODB_URL: `mongodb://127.0.0.1:${port}/holdfast` });
  const [connection] = await once(silent, 'connection');
  server.kill('SIGTERM');
  expect(await server.ended).toMatchObject({ code: 0 });
  connection.destroy();
  silent.close();
});

test('SIGHUP makes new connections use the new certificate; a connection that is open stays', async () => {
  await using folder = await temporaryFolder();
  const first = makeCertificate(folder.path, 'first');
  const next = makeCertificate(folder.path, 'next');
  const env = { TLS_CERT_FILE: join(folder.path, 'live.crt'), TLS_KEY_FILE: join(folder.path, 'live.key') };
  const goLive = async ({ cert, key }: typeof first) => {
    await writeFile(env.TLS_CERT_FILE, cert);
    await writeFile(env.TLS_KEY_FILE, key);
  };
  await goLive(first);
  await using server = await startServer({ env });
  const open = await presented(server.port);
  expect(open.fingerprint).toBe(new X509Certificate(first.cert).fingerprint256);

  await goLive(next);
  server.hangUp();
  await waitFor('the new certificate', async () => {
    const { fingerprint, socket } = await presented(server.port);
    socket.destroy();
    return fingerprint === new X509Certificate(next.cert).fingerprint256;
  });
  open.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [answer] = await once(open.socket, 'data');
  expect(String(answer)).toContain('200 OK');
  open.socket.destroy();
  expect(await server.stop()).toBe(0);
});

async function presented(port: number): Promise<{ fingerprint: string; socket: TLSSocket }> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  return { fingerprint: socket.getPeerCertificate().fingerprint256, socket };
}

test('a sign-up whose answer is lost is repeated with the same claim: one user, signed in', async () => {
  await using server = await startServer();
  await using proxy = await startProxy(server.port);
  const body = { name: 'Ada', claim: newId(), credential: 'token' };

  proxy.swallowAnswers();
  const lost = post(proxy.url, '/api/session', body).catch(() => 'no answer');
  await waitFor('the server has answered', () => proxy.seen('down') > 0);
  proxy.cut();
  expect(await lost).toBe('no answer');
  proxy.pass();

  const answer = await post(proxy.url, '/api/session', body);
  expect(answer.status).toBe(201);
  const session = await answer.json();
  using client = await connectClient(server.url, session);
  expect(client.welcome.user).toEqual(session.user);
  expect(client.welcome.rooms[0]).toMatchObject({ id: 'lobby', members: 1 });
});
