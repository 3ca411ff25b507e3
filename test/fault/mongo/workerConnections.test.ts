/** WORKERS: what becomes of connections whose worker dies or stands still, and of whom they are. */
// @module-tag slow
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WORKER_SILENT_MS } from '../../../server/base/serverLimits.ts';
import { newId, post } from '../../support/api.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { type MongoServer, startMongo } from '../../support/mongo/index.ts';
import { pauseProcess, resumeProcess } from '../../support/pause.ts';
import { type ServerProcess, startServer } from '../../support/serverProcess.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { waitFor } from '../../support/waitFor.ts';

/** Two processes start on a machine that does much else. */
const STARTED_WITHIN_MS = 40_000;
/** Long before the heartbeat of Engine.IO, 45 s. */
const AT_ONCE_MS = 3_000;
const GET = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** So many are not all those of one worker. */
const ADDRESSES = Array.from({ length: 12 }, (_, nth) => `127.0.0.${nth + 1}`);
const UPLOAD = 'POST /api/append HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{';

let mongo: MongoServer;
beforeAll(async () => {
  mongo = await startMongo();
});
afterAll(async () => void (await mongo?.[Symbol.asyncDispose]()));

async function startWorkers(env: Record<string, string>): Promise<ServerProcess> {
  const server = await startServer({ env: { MONGODB_URL: mongo.anotherUrl(), WORKERS: '2', ...env } });
  await untilReady(server, 2);
  return server;
}

/** `times`: of all workers so far. */
function untilReady(server: ServerProcess, times: number): Promise<unknown> {
  const readyOnes = () => server.logs().split('"worker ready"').length - 1;
  return waitFor(`${times} workers were ready`, () => readyOnes() >= times, STARTED_WITHIN_MS);
}

/** The workers that run: children of the primary. */
function workersOf(server: ServerProcess): number[] {
  const pid = server.pid();
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

interface Caller {
  heard: string;
  isClosed: boolean;
  socket: Socket;
}

/** One connection; `from`: one of the addresses of the loopback interface. */
function call({ url, port }: ServerProcess, sends: string, { from = '127.0.0.1', raw = false } = {}): Caller {
  const options = { port, host: '127.0.0.1', localAddress: from };
  const isPlain = raw || url.startsWith('http:');
  const socket = isPlain ? connect(options) : connectTls({ ...options, rejectUnauthorized: false });
  const caller: Caller = { heard: '', isClosed: false, socket };
  socket.on('error', () => {});
  socket.on('close', () => {
    caller.isClosed = true;
  });
  socket.setEncoding('latin1').on('data', (text: string) => {
    caller.heard += text;
  });
  socket.write(sends);
  return caller;
}

/** Pauses and kills all workers while these connections are on their way to them. */
async function expectClosed(server: ServerProcess, sends: string[]): Promise<void> {
  const killed = workersOf(server);
  for (const pid of killed) await pauseProcess(pid);
  const callers = sends.map((text) => call(server, text, { raw: true }));
  await Promise.all(callers.map(({ socket }) => once(socket, 'connect')));
  for (const pid of killed) process.kill(pid, 'SIGKILL');
  await waitFor('all are closed', () => callers.every(({ isClosed }) => isClosed), AT_ONCE_MS);
  expect(callers.map(({ heard }) => heard)).toEqual(sends.map(() => ''));
  await untilReady(server, 4);
}

/** Pauses one of the workers: clients of all addresses come to the other one, on a second try. */
async function expectPassedBy(server: ServerProcess): Promise<void> {
  const [frozen] = workersOf(server) as [number];
  await pauseProcess(frozen);
  await waitFor(
    'all addresses are answered by the other worker',
    async () => {
      const asked = ADDRESSES.map((from) => call(server, GET, { from }));
      await waitFor('answers', () => asked.every(({ heard, isClosed }) => heard || isClosed), 20_000);
      for (const { socket } of asked) socket.destroy();
      return asked.every(({ heard }) => heard.includes('200 OK'));
    },
    4 * WORKER_SILENT_MS,
  );
  expect(server.logs()).toContain('a worker does not answer');
  resumeProcess(frozen);
  await waitFor('it is back', () => server.logs().includes('the worker answers again'), STARTED_WITHIN_MS);
}

/** Workers that have no file descriptor left: nobody waits for an answer that does not come, and later all are answered. */
async function expectRefused(server: ServerProcess): Promise<void> {
  const limit = (pid: number, most: number) =>
    execFileSync('prlimit', ['--pid', `${pid}`, `--nofile=${most}:`]);
  const workers = workersOf(server);
  for (const pid of workers) limit(pid, readdirSync(`/proc/${pid}/fd`).length + 2);
  const callers = ADDRESSES.flatMap((from) => [call(server, GET, { from }), call(server, GET, { from })]);
  await waitFor('all are answered or closed', () =>
    callers.every(({ heard, isClosed }) => heard || isClosed),
  );
  expect(callers.filter(({ isClosed }) => isClosed).length).toBeGreaterThan(callers.length / 2);
  await waitFor('the log says so', () => server.logs().includes('no file descriptor left'));
  for (const { socket } of callers) socket.destroy();
  for (const pid of workers) limit(pid, 4_096);
  const later = ADDRESSES.map((from) => call(server, GET, { from }));
  await waitFor('all are answered', () => later.every(({ heard }) => heard.includes('200 OK')));
  for (const { socket } of later) socket.destroy();
}

test.concurrent('by address: connections to a worker that is killed or stands still or has no file descriptor left are closed at once; a renewed certificate is used', {
  timeout: 120_000,
}, async () => {
  await using folder = await temporaryFolder();
  const [first, next] = ['first', 'next'].map((name) => makeCertificate(folder.path, name)) as [Pair, Pair];
  const env = { TLS_CERT_FILE: join(folder.path, 'live.crt'), TLS_KEY_FILE: join(folder.path, 'live.key') };
  const install = async ({ cert, key }: Pair) => {
    for (const [file, bytes] of [
      [env.TLS_CERT_FILE, cert],
      [env.TLS_KEY_FILE, key],
    ] as const) {
      await writeFile(`${file}.new`, bytes);
      await rename(`${file}.new`, file);
    }
  };
  const presented = async (from: string) => {
    const options = { port: server.port, host: '127.0.0.1', localAddress: from, rejectUnauthorized: false };
    const socket = connectTls(options);
    await once(socket, 'secureConnect');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  await install(first);
  await using server = await startWorkers(env);
  await expectClosed(server, [GET, GET, GET, GET]);
  const all = async () => new Set(await Promise.all(ADDRESSES.map(presented)));
  expect(await all()).toEqual(new Set([new X509Certificate(first.cert).fingerprint256]));
  const workers = workersOf(server);
  await install(next);
  await expectPassedBy(server);
  const { fingerprint256 } = new X509Certificate(next.cert);
  await waitFor('all present the new one', async () => [...(await all())].join() === fingerprint256, 20_000);
  expect(workersOf(server)).toEqual(workers);
  await expectRefused(server);
  expect(await server.stop()).toBe(0);
});

type Pair = ReturnType<typeof makeCertificate>;

test.concurrent('behind a proxy: the same, also for uploads; and the address of a client reaches the workers, with and without a body', {
  timeout: 120_000,
}, async () => {
  await using server = await startWorkers({ TRUST_PROXY: '127.0.0.1' });
  await expectClosed(server, [GET, UPLOAD, GET, UPLOAD]);
  await expectPassedBy(server);

  const clients = ['203.0.113.5', '203.0.113.6', '203.0.113.7'];
  const signedUp: string[] = [];
  for (let nth = 0; nth < 12; nth++) {
    const address = clients[nth % clients.length]!;
    const body = { name: `Person ${nth}`, claim: newId(), credential: 'token' };
    const answer = await post(server.url, '/api/session', body, { 'x-forwarded-for': address });
    expect(answer.status).toBe(201);
    signedUp.push(address);
  }
  const lines = await waitFor('audit lines', () => {
    const found = server.logs().match(/^.*"audit":true.*"sign-up".*$/gm) ?? [];
    return found.length === signedUp.length && found.map((line) => JSON.parse(line) as AuditLine);
  });
  // each process hashes addresses with a key of its own
  const hashOf = new Map(lines.map(({ pid, address }, nth) => [`${pid} ${signedUp[nth]}`, address]));
  for (const [nth, { pid, address }] of lines.entries()) {
    expect(address).toBe(hashOf.get(`${pid} ${signedUp[nth]}`));
    const others = clients.filter((client) => client !== signedUp[nth]);
    for (const other of others) expect(address).not.toBe(hashOf.get(`${pid} ${other}`));
  }
  expect(await server.stop()).toBe(0);
});

interface AuditLine {
  pid: number;
  address: string;
}
