/**
 * The proxies of docs/PROXIES.md before two nodes on one database, each started from its file in deploy/proxies/: nginx, HAProxy,
 * Caddy and Apache, sticky by cookie and by address, and Node's `http-proxy`. All run at the same time and have the same
 * conversation: at each, one person writes by websocket and one by long polling.
 */
// @module-tag slow
import { once } from 'node:events';
import { Agent as HttpAgent, type IncomingMessage, request as requestPlain } from 'node:http';
import { Agent, request } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOBBY } from '../../../shared/mint.ts';
import { connectClient, newId, type SignedUp, text, wholeLog } from '../../support/api.ts';
import { openHttp2 } from '../../support/http2.ts';
import { type HttpProxy, startHttpProxy } from '../../support/httpProxy.ts';
import { type MongoServer, startMongo } from '../../support/mongo/index.ts';
import { type Random, seeded } from '../../support/random.ts';
import { type ReverseProxy, type Stickiness, startReverseProxy } from '../../support/reverseProxies.ts';
import { type ServerProcess, startServer } from '../../support/serverProcess.ts';
import { HAS_PROXIES, type ProxyProgram } from '../../support/setup/proxies.ts';
import { waitFor } from '../../support/waitFor.ts';
import { type ChatClient, startChatClient } from '../mongo/chat/client.ts';
import { orderProblems } from '../mongo/order.ts';
import { createRecord, type LogRecord } from '../mongo/record.ts';

type Transport = 'websocket' | 'polling';

/** Apache cannot be sticky by address. */
const PROXIES: readonly [ProxyProgram, Stickiness][] = [
  ['nginx', 'cookie'],
  ['nginx', 'address'],
  ['haproxy', 'cookie'],
  ['haproxy', 'address'],
  ['caddy', 'cookie'],
  ['caddy', 'address'],
  ['apache2', 'cookie'],
];

/** On a machine that does much else. */
const GOES_ON_WITHIN_MS = 60_000;

let mongo: MongoServer;
let nodes: ServerProcess[] = [];
let proxies: ReverseProxy[] = [];

beforeAll(async () => {
  if (!HAS_PROXIES) return;
  mongo = await startMongo();
  const env = { MONGODB_URL: mongo.url, TRUST_PROXY: '1' };
  nodes = await Promise.all([startServer({ env }), startServer({ env })]);
  const ports = nodes.map(({ port }) => port) as [number, number];
  proxies = await Promise.all(PROXIES.map((which) => startReverseProxy(...which, ports)));
}, 90_000);

afterAll(async () => {
  for (const one of [...proxies, ...nodes, mongo]) await one?.[Symbol.asyncDispose]();
});

describe.skipIf(!HAS_PROXIES).for(PROXIES.map((which, nth) => [...which, nth] as const))(
  '%s by %s, from its file',
  ([, stickiness, nth]) => {
    const at = () => proxies[nth]!;

    test('HTTP/2 to the browser; plain HTTP is redirected', async () => {
      const browser = openHttp2(at().url);
      const page = await browser.request({ ':path': '/' });
      expect(browser.session.alpnProtocol).toBe('h2');
      expect(page.status).toBe(200);
      expect(page.body.toString()).toContain('<title>');
      browser.close();
      const plain = await fetch(`http://127.0.0.1:${at().httpPort}/a?b`, { redirect: 'manual' });
      expect([301, 308]).toContain(plain.status);
      expect(plain.headers.get('location')).toMatch(/^https:\/\/127\.0\.0\.1(:\d+)?\/a\?b$/);
    });

    test('nothing that a browser says about where it comes from, or what it opened, is passed on', async () => {
      const { url } = at();
      const lies = {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'http',
        forwarded: 'for=192.0.2.1;host=evil.example;proto=http',
      };
      // a sign-in needs the page's own origin, which is made of scheme and host
      await signUpAt(url, `Liar ${nth}`, `127.0.${nth}.3`, lies);
      const rebound = { host: 'evil.example', 'x-forwarded-host': '127.0.0.1' };
      const answer = await ask(`${url}/api/session`, { headers: rebound });
      // Caddy passes on requests of its own site alone
      expect(answer.status === 421 || answer.body === '', `${answer.status} ${answer.body}`).toBe(true);
    });

    test('limits count the address of the browser', async () => {
      const guess = async (from: string) => {
        const body = JSON.stringify({ pass: 'AAA-AAA', claim: newId(), credential: 'token' });
        const headers = { ...JSON_TYPE, 'x-forwarded-for': `192.0.2.${Math.floor(256 * Math.random())}` };
        return (await ask(`${at().url}/api/session/pass`, { method: 'POST', headers, body, from })).status;
      };
      const statuses: number[] = [];
      // five wrong codes on each of the nodes
      while (statuses.length <= 10 && statuses.at(-1) !== 429) statuses.push(await guess(`127.0.${nth}.4`));
      expect(statuses.at(-1), statuses.join()).toBe(429);
      expect(await guess(`127.0.${nth}.5`)).not.toBe(429);
    });

    test('a frame of more than a megabyte reaches the node, which refuses it with a reason', async () => {
      const { url } = at();
      const session = await signUpAt(url, `Writer ${nth}`, `127.0.${nth}.6`);
      const manager = optionsOf(url, `127.0.${nth}.6`, 'polling');
      using client = await connectClient(url, session, { transports: ['polling'], manager });
      const answer = await client.append(text('x'.repeat(1_100_000)));
      expect(answer).toMatchObject({ ok: false, error: { code: 'too-large' } });
      const long = await client.append(text('y'.repeat(4_000)));
      expect(long).toMatchObject({ ok: true, results: [{ serverOffset: expect.any(Number) }] });
    });

    test(`all requests of a session of long polling reach its node, by ${stickiness}`, async () => {
      const path = `${at().url}/socket.io/?EIO=4&transport=polling`;
      for (let visitor = 10; visitor < 14; visitor++) {
        const from = `127.0.${nth}.${visitor}`;
        const first = await ask(path, { from });
        const { sid } = JSON.parse(first.body.slice(1)) as { sid: string };
        const cookie = cookiesOf(first).join('; ');
        const isByCookie = stickiness === 'cookie';
        expect(cookie).toMatch(isByCookie ? /^holdfast_node=[^;]+$/ : /^$/);
        // each on a new connection; from other addresses, where the cookie decides
        for (let more = 0; more < 5; more++) {
          const asked = isByCookie ? { from: `127.0.${nth}.${20 + more}`, headers: { cookie } } : { from };
          const answer = await ask(`${path}&sid=${sid}`, { ...asked, method: 'POST', body: '3' });
          expect(`${answer.status} ${answer.body}`).toBe('200 ok');
          expect(cookiesOf(answer)).toEqual([]);
        }
      }
    });
  },
);

test.skipIf(!HAS_PROXIES)(
  'L1 L2 L3 L5 S2 by every proxy and both transports: nodes go away and come back, proxies restart, and every message is there once, in order',
  { timeout: 300_000 },
  async () => {
    const record = createRecord();
    const random = seeded(1);
    await using single = await startHttpProxy(nodes[1]!.url);
    const balanced = await join(proxies, record, random);
    const others = await join([single], record, random);
    const clients = [...balanced, ...others];
    await using _ = { [Symbol.asyncDispose]: async () => void (await Promise.all(clients.map(stopped))) };

    await goOn(clients);
    await nodes[0]!.stop();
    await goOn(clients);
    await nodes[0]!.start();
    await nodes[1]!.kill9();
    await goOn(balanced);

    const cookies = await Promise.all(proxies.map(({ url }) => someCookies(url)));
    await nodes[0]!.kill9();
    for (const { url } of proxies) expect([502, 503, 504]).toContain((await ask(`${url}/healthz`)).status);
    await nodes[0]!.start();
    const isBack = async ({ url }: ReverseProxy) => (await ask(`${url}/healthz`)).status === 200;
    for (const proxy of proxies) await waitFor(`${proxy.url} is back`, () => isBack(proxy));
    // with the cookie of the node that is away, too
    for (const [nth, { url }] of proxies.entries())
      for (const cookie of cookies[nth]!)
        expect((await ask(`${url}/healthz`, { headers: { cookie } })).status).toBe(200);
    await nodes[1]!.start();
    await goOn(clients);

    await Promise.all([...proxies, single].map((proxy) => proxy.restart()));
    await goOn(clients);

    for (const { outbox } of clients) outbox.sayNoMore();
    await waitFor(
      'all is acknowledged',
      () => clients.every(({ outbox }) => outbox.waiting() === 0),
      GOES_ON_WITHIN_MS,
    );
    const entries = await wholeLog(nodes[0]!.url, clients[0]!.session);
    await waitFor(
      'all have all',
      () => clients.every((client) => client.holds(LOBBY) === entries.length),
      GOES_ON_WITHIN_MS,
    );
    const said = clients.flatMap(({ outbox }) => outbox.said());
    const log = { room: LOBBY, entries };
    expect([...record.compare([log]), ...orderProblems(said, [log])]).toEqual([]);
    expect(said.flatMap(({ keys }) => keys).length).toBeGreaterThan(100);
  },
);

/** Two people at each proxy; where it is sticky by address, one by long polling. */
async function join(
  places: readonly (ReverseProxy | HttpProxy)[],
  record: LogRecord,
  random: Random,
): Promise<ChatClient[]> {
  const pairs = places.map(async ({ url }, nth) => {
    const transports: Transport[] = PROXIES[nth]?.[1] === 'address' ? ['polling'] : ['websocket', 'polling'];
    const people = transports.map(async (transport, i) => {
      const from = `127.1.${nth}.${i}`;
      const session = await signUpAt(url, `${transport} at ${url}`, from);
      const own = seeded(random.int(0, 2 ** 31));
      const options = optionsOf(url, from, transport);
      return startChatClient({ session, urls: [url], rooms: [LOBBY], random: own, record, options });
    });
    return Promise.all(people);
  });
  return (await Promise.all(pairs)).flat();
}

const stopped = (client: ChatClient) => client.stop();

/** Resolves when each of these has had two more messages acknowledged. */
async function goOn(clients: readonly ChatClient[]): Promise<void> {
  const before = clients.map(({ outbox }) => outbox.acknowledged());
  const slow = () =>
    clients
      .filter(({ outbox }, nth) => outbox.acknowledged() < before[nth]! + 2)
      .map(({ session, welcomes }) => `${session.user.name} after ${welcomes()} welcomes`);
  await waitFor('everybody goes on', () => slow().length === 0, GOES_ON_WITHIN_MS).catch((error) => {
    throw new Error(`${error.message}: ${slow().join(', ')}`);
  });
}

/** Of several new visitors: of both nodes. */
async function someCookies(url: string): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: 6 }, () => ask(url)));
  return answers.flatMap(cookiesOf);
}

const cookiesOf = ({ headers }: Pick<IncomingMessage, 'headers'>) =>
  (headers['set-cookie'] ?? []).map((line) => line.split(';')[0]!);

const JSON_TYPE = { 'content-type': 'application/json' };

/** A user of this address, by a page of this origin. */
async function signUpAt(
  url: string,
  name: string,
  from: string,
  lies: Record<string, string> = {},
): Promise<SignedUp> {
  const body = JSON.stringify({ name, claim: newId(), credential: 'token' });
  const headers = { ...JSON_TYPE, origin: url, ...lies };
  const answer = await ask(`${url}/api/session`, { method: 'POST', headers, body, from });
  if (answer.status !== 201) throw new Error(`${name} at ${url}: ${answer.status} ${answer.body}`);
  return JSON.parse(answer.body) as SignedUp;
}

/** Of `socket.io-client`: as a browser at this address. */
function optionsOf(url: string, from: string, transport: Transport) {
  const agent = url.startsWith('https:')
    ? new Agent({ localAddress: from, rejectUnauthorized: false })
    : new HttpAgent({ localAddress: from });
  return {
    transports: [transport],
    agent: agent as unknown as string, // the types are of the browser, the option is of Node
    rejectUnauthorized: false,
    withCredentials: true, // keeps cookies
    extraHeaders: { origin: url },
  };
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** The address of the browser. */
  from?: string;
}

async function ask(url: string, { method = 'GET', headers, body, from = '127.0.0.1' }: Asked = {}) {
  const options = { method, headers, localAddress: from, rejectUnauthorized: false, agent: false };
  const asked = url.startsWith('https:')
    ? request(url, { ...options, servername: '' })
    : requestPlain(url, options);
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks = (await answer.toArray()) as Buffer[];
  return { status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(chunks).toString() };
}
