/** WORKERS: several processes behind one port, which are killed and replaced while people write. */
// @module-tag slow
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiClient, connectClient, type SignedUp, signUp, text, wholeLog } from '../../support/api.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { openHttp2 } from '../../support/http2.ts';
import { type MongoServer, startMongo } from '../../support/mongo/index.ts';
import { freePort } from '../../support/mongo/port.ts';
import {
  runServerToItsEnd,
  type ServerProcess,
  STOPPED_AT_THE_PORT,
  startServer,
} from '../../support/serverProcess.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/tmp.ts';
import { waitFor } from '../../support/waitFor.ts';

/** Two processes start on a machine that does much else. */
const STARTED_WITHIN_MS = 40_000;
/** A client notices at once that its worker died, and connects anew. */
const NOTICED_WITHIN_MS = 30_000;

/** Without waiting for the worker's word some in a thousand requests reached another one. */
const VISITS = 2_000;

const TRANSPORTS = ['websocket', 'polling', 'polling', 'websocket'] as const;

let mongo: MongoServer;
let folder: TemporaryFolder;
beforeAll(async () => {
  mongo = await startMongo();
  folder = await temporaryFolder();
});
afterAll(async () => {
  await mongo?.[Symbol.asyncDispose]();
  await folder?.remove();
});

/** The workers that run: children of the primary. */
function workersOf(server: ServerProcess): number[] {
  const pid = server.pid();
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

const readyWorkers = (server: ServerProcess) => server.logs().split('"worker ready"').length - 1;

/** Sends texts one after another, and each again under its key until it is acknowledged. It connects anew when it has to. */
function writer(url: string, session: SignedUp, transport: 'websocket' | 'polling') {
  let isOver = false;
  const acknowledged: string[] = [];
  const frames: string[] = [];
  const connect = () =>
    waitFor('a connection', () =>
      connectClient(url, session, { transports: [transport] }).catch(() => undefined),
    );
  const run = async () => {
    let client: ApiClient = await connect();
    for (let nth = 0; !isOver; nth++) {
      const item = text(`${session.user.name} ${nth}`);
      for (;;) {
        const answer = await Promise.race([
          client.append(item).catch(() => undefined),
          new Promise<undefined>((resolve) => client.socket.once('disconnect', () => resolve(undefined))),
        ]);
        if (answer?.ok && answer.results[0] && 'serverOffset' in answer.results[0]) break;
        frames.push(...client.frames.map(({ event }) => event));
        if (!client.socket.connected) {
          client.close();
          client = await connect();
        }
      }
      acknowledged.push((item as { clientOffset: string }).clientOffset);
    }
    frames.push(...client.frames.map(({ event }) => event));
    client.close();
  };
  const done = run();
  return {
    acknowledged,
    frames,
    async end() {
      isOver = true;
      await done;
    },
  };
}

async function expectOnce(
  url: string,
  reader: SignedUp,
  writers: ReturnType<typeof writer>[],
): Promise<void> {
  const keys = (await wholeLog(url, reader)).map(({ clientOffset }) => clientOffset);
  expect(new Set(keys).size).toBe(keys.length);
  const missing = writers.flatMap(({ acknowledged }) => acknowledged).filter((key) => !keys.includes(key));
  expect(missing).toEqual([]);
}

test('L1 L2 L3 behind a proxy, by websocket and by polling: workers are killed and replaced, and nothing is lost or doubled', {
  timeout: 300_000,
}, async () => {
  const metricsPort = await freePort();
  await using server = await startServer({
    env: { MONGODB_URL: mongo.url, WORKERS: '2', TRUST_PROXY: '1', METRICS_PORT: String(metricsPort) },
  });
  await waitFor('both workers are ready', () => readyWorkers(server) === 2, STARTED_WITHIN_MS);
  const people = await Promise.all(TRANSPORTS.map((_, nth) => signUp(server.url, `Writer ${nth}`)));
  const writers = people.map((session, nth) => writer(server.url, session, TRANSPORTS[nth]!));
  const more = async (count: number) => {
    const before = writers.map(({ acknowledged }) => acknowledged.length);
    await waitFor(
      'everybody goes on',
      () => writers.every(({ acknowledged }, nth) => acknowledged.length >= before[nth]! + count),
      NOTICED_WITHIN_MS,
    );
  };
  await more(2);

  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(metrics).toMatch(/^holdfast_workers 2$/m);
  expect(metrics).toMatch(/^holdfast_connections 4$/m);

  for (let kills = 0; kills < 2; kills++) {
    const ready = readyWorkers(server);
    process.kill(workersOf(server)[0]!, 'SIGKILL');
    await more(2);
    await waitFor('another one is ready', () => readyWorkers(server) > ready, STARTED_WITHIN_MS);
  }

  const old = workersOf(server);
  server.hangUp();
  await waitFor(
    'all are replaced',
    () => {
      const now = workersOf(server);
      return now.length === 2 && !now.some((pid) => old.includes(pid));
    },
    2 * STARTED_WITHIN_MS,
  );
  await more(2);
  await Promise.all(writers.map((one) => one.end()));
  expect(writers.flatMap(({ frames }) => frames)).toContain('bye');
  await expectOnce(server.url, people[0]!, writers);
  expect(await server.stop()).toBe(0);
});

test('behind a proxy each session of long polling is with its worker from its second request on', {
  timeout: 120_000,
}, async () => {
  await using server = await startServer({
    env: { MONGODB_URL: mongo.anotherUrl(), WORKERS: '2', TRUST_PROXY: '1', DRAIN_SECONDS: '8' },
  });
  await waitFor('both workers are ready', () => readyWorkers(server) === 2, STARTED_WITHIN_MS);
  const path = `${server.url}/socket.io/?EIO=4&transport=polling`;
  const statuses = new Map<number, number>();
  const visit = async () => {
    const { sid } = JSON.parse((await (await fetch(path)).text()).slice(1)) as { sid: string };
    const { status } = await fetch(`${path}&sid=${sid}`, { method: 'POST', body: '3' });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  const visitor = async () => {
    for (let nth = 0; nth < VISITS / 8; nth++) await visit();
  };
  await Promise.all(Array.from({ length: 8 }, visitor));
  expect([...statuses]).toEqual([[200, VISITS]]);

  // DRAIN_SECONDS: the primary tells all workers, and goes on handing them connections for that time
  const [worker] = workersOf(server);
  const stopped = server.stop();
  const isTold = async () =>
    (await fetch(`${server.url}/readyz`, { headers: { connection: 'close' } })).status === 503;
  for (const _ of [1, 2, 3, 4]) await waitFor('every worker says that it stops', isTold);
  await visit();
  expect([...statuses]).toEqual([[200, VISITS + 1]]);
  process.kill(worker!, 'SIGKILL');
  await waitFor('another one is ready', () => readyWorkers(server) === 3, STARTED_WITHIN_MS);
  for (const _ of [1, 2, 3, 4]) expect(await isTold()).toBe(true);
  expect(await stopped).toBe(0);
});

test('with DRAIN_SECONDS a primary that has no open port yet stops at once, and says of no port that it is open', async () => {
  const { code, output } = await runServerToItsEnd({
    MONGODB_URL: mongo.anotherUrl(),
    WORKERS: '2',
    DRAIN_SECONDS: '300',
    NODE_OPTIONS: STOPPED_AT_THE_PORT,
  });
  expect(output).not.toContain('Holdfast: open');
  expect(code).toBe(0);
});

test('with TLS a client stays with its worker: the page by HTTP/2, long polling and a websocket; workers that start while the files are broken use what the primary has', {
  timeout: 120_000,
}, async () => {
  const { certFile, keyFile, cert } = makeCertificate(folder.path, 'workers');
  await using server = await startServer({
    env: { MONGODB_URL: mongo.anotherUrl(), WORKERS: '2', TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile },
  });
  await waitFor('both workers are ready', () => readyWorkers(server) === 2, STARTED_WITHIN_MS);
  const client = openHttp2(server.url);
  const health = await client.request({ ':path': '/healthz' });
  expect(health.status).toBe(200);
  const path = '/socket.io/?EIO=4&transport=polling';
  const { sid } = JSON.parse((await client.request({ ':path': path })).body.toString().slice(1)) as {
    sid: string;
  };
  client.close();
  // each time on another connection: another worker would not know the session
  for (let nth = 0; nth < 5; nth++) {
    const another = openHttp2(server.url);
    const post = { ':path': `${path}&sid=${sid}`, ':method': 'POST', 'content-type': 'text/plain' };
    expect((await another.request(post, '3')).status).toBe(200);
    another.close();
  }

  writeFileSync(keyFile, 'no key');
  const before = workersOf(server);
  process.kill(before[0]!, 'SIGKILL');
  await waitFor('one takes its place', () => readyWorkers(server) === 3, STARTED_WITHIN_MS);
  process.kill(server.pid(), 'SIGHUP');
  await waitFor('all are replaced', () => readyWorkers(server) === 5, STARTED_WITHIN_MS);
  await waitFor('the old ones have ended', () => workersOf(server).length === 2);
  expect(workersOf(server).filter((pid) => before.includes(pid))).toEqual([]);
  const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  expect(socket.getPeerX509Certificate()?.raw).toEqual(new X509Certificate(cert).raw);
  socket.destroy();
  expect(await server.stop()).toBe(0);
});
