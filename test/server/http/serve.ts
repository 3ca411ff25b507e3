/** The Koa app on its own port, with users in memory and a `perform` that answers with its arguments. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAuth } from '../../../server/auth/auth.ts';
import { createDeviceUse } from '../../../server/auth/deviceUse.ts';
import { createKeepers } from '../../../server/auth/keepers.ts';
import { createPeople } from '../../../server/auth/people.ts';
import { createSignInLimits } from '../../../server/auth/signInLimits.ts';
import { createSuspensions } from '../../../server/auth/suspensions.ts';
import { type Config, parseEnv } from '../../../server/base/env.ts';
import { createLogger } from '../../../server/base/logger.ts';
import { createMetrics } from '../../../server/base/metrics.ts';
import { createKoaApp } from '../../../server/http/koaApp.ts';
import { createPageFiles } from '../../../server/http/page.ts';
import { createLimiter } from '../../../server/limits/limiter.ts';
import type { WorkMeter } from '../../../server/limits/workMeter.ts';
import { createHostCheck } from '../../../server/request/hostCheck.ts';
import type { Perform } from '../../../server/request/perform.ts';
import { requestContextOf } from '../../../server/request/requestContext.ts';
import { createInvitations } from '../../../server/rooms/invitations.ts';
import { createReports } from '../../../server/rooms/reports.ts';
import type { KeeperStore } from '../../../server/store/port.ts';
import { MemoryData } from '../../contract/memory/data.ts';
import { keepersIn } from '../../contract/memory/keepers.ts';
import { openMemory } from '../../contract/memory/store.ts';
import { seeded } from '../../support/random.ts';
import { fakeUsers } from '../auth/fakeUsers.ts';

/** Of one device, before its requests are refused. */
export const REQUESTS_BURST = 20;

export interface Served extends AsyncDisposable {
  url: string;
  /** The arguments of each call of `perform`. */
  performed: unknown[][];
  /** Each line of the log, parsed. */
  logged: Record<string, unknown>[];
  isReady: boolean;
  keepers: KeeperStore;
}

export async function serve({
  config = {},
  perform,
  folder = '/nowhere',
  now = () => performance.now(),
  sabotage = {},
  work = { admit: () => {}, charge: () => {} },
}: {
  config?: Partial<Config>;
  perform?: (...asked: unknown[]) => unknown;
  folder?: string;
  now?: () => number;
  /** Methods that replace those of the user store. */
  sabotage?: Partial<ReturnType<typeof fakeUsers>>;
  work?: WorkMeter;
} = {}): Promise<Served> {
  const performed: unknown[][] = [];
  const logged: Record<string, unknown>[] = [];
  const answer = perform ?? ((name, _user, payload) => ({ ok: true, epoch: 'e', name, payload }));
  const users = { ...fakeUsers(), ...sabotage };
  const settings = { ...parseEnv({}), ...config };
  const keepers = keepersIn(new MemoryData(), async (work) => work());
  const limits = createSignInLimits(() => performance.now());
  const audit = { record: () => {}, flush: () => {} };
  const data = new MemoryData();
  const memory = openMemory(data, seeded(1));
  const invitations = createInvitations({
    store: memory.invitations,
    rooms: memory.rooms,
    users,
    roleOf: async () => undefined,
    moderation: { rankOf: async (user, room) => (room.createdBy === user ? 'owner' : 'member') },
    limits,
    signUp: config.signUp ?? 'open',
    now: Date.now,
    random: randomBytes,
    audit,
  });
  const suspensions = createSuspensions({
    store: keepers,
    now: Date.now,
    ticks: () => performance.now(),
    disconnect: () => {},
    disconnectHere: () => {},
  });
  const keeperService = createKeepers({
    store: keepers,
    users,
    limits,
    now: Date.now,
    ticks: () => performance.now(),
    random: randomBytes,
    onSignedOut: () => {},
    audit,
  });
  const koa = createKoaApp({
    contextOf: (request) => requestContextOf(request, settings),
    allowedOrigins: settings.allowedOrigins,
    auth: createAuth({
      store: users,
      now: Date.now,
      random: randomBytes,
      limits,
      signUp: config.signUp ?? 'open',
      admit: invitations.useToSignUp,
      deviceUse: createDeviceUse({ store: users, now: Date.now, logger: createLogger('silent') }),
      onUserCreated: async () => {},
      onSignedOut: () => {},
      onRenamed: async () => {},
      roleOf: async () => undefined,
      checkSuspended: suspensions.check,
      features: () => [],
    }),
    keepers: keeperService,
    people: createPeople({
      keepers: keeperService,
      keeperIds: keepers.all,
      suspensions,
      users,
      limits,
      now: Date.now,
      onSignedOut: () => {},
      onRenamed: async () => {},
      audit,
    }),
    diskSpace: async () => ({ freeBytes: 7, totalBytes: 9 }),
    invitations,
    reports: createReports({
      store: memory.reports,
      rooms: memory.rooms,
      users,
      log: memory.log,
      access: { refusalOf: async () => undefined },
      moderation: { rankOf: async () => 'member', moderators: async () => [] },
      keepers: keeperService,
      keeperIds: keepers.all,
      names: { ofUsers: async () => ({}) },
      inTurn: (_, work) => work(),
      onRefusal: () => {},
      now: Date.now,
      random: randomBytes,
      audit,
    }),
    hasAdmin: settings.admin !== undefined,
    perform: (async (...asked: unknown[]) => {
      performed.push(asked);
      return answer(...asked);
    }) as Perform,
    work,
    onLimit: () => {},
    hosts: createHostCheck({ publicOrigin: undefined, allowedOrigins: [], ...config }, 'ward-pc'),
    onAuthenticated: () => {},
    frameLimiter: createLimiter({ perSecond: 0.1, burst: REQUESTS_BURST, now: () => performance.now() }),
    isReady: async () => served.isReady,
    page: createPageFiles(folder, now),
    metrics: createMetrics(),
    audit,
    logger: createLogger('info', { write: (line) => void logged.push(JSON.parse(line)) }),
  });
  const server = createServer(koa.callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const served: Served = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    performed,
    logged,
    isReady: true,
    keepers,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return served;
}

export interface Heard {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  text: string;
  /** Undefined if the body is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests inspect any answer
  json: any;
}

/** Sends a request exactly as given: adds only Host and Content-Length, allows every header, does not normalize the path. */
export function ask(
  url: string,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: unknown } = {},
): Promise<Heard> {
  const raw =
    body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type = body === undefined || 'content-type' in headers ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const request = send(url, { method, path, headers: { ...type, ...headers } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString();
        resolve({ status: response.statusCode!, headers: response.headers, bytes, text, json: parsed(text) });
      });
    });
    request.on('error', reject);
    request.end(raw);
  });
}

/** Sends a request that asks for WebSocket. Resolves with the status 101, or with the answer that refuses it. */
export function upgradeAt(
  url: string,
  path: string,
  headers: Record<string, string>,
): Promise<Pick<Heard, 'status' | 'text' | 'json'>> {
  return new Promise((resolve, reject) => {
    const request = send(url, { path, headers });
    request.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode!, text: '', json: undefined });
    });
    request.on('response', async (response) => {
      const text = (await response.toArray()).join('');
      resolve({ status: response.statusCode!, text, json: parsed(text) });
    });
    request.on('error', reject);
    request.end();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
