/** The routes under `/api`: sessions, and the requests that the service worker or a script makes without a socket. */
import type { IncomingMessage } from 'node:http';
import Router from '@koa/router';
import type { Context } from 'koa';
import { ACKNOWLEDGE_WITHIN_MS, APPEND_MAX_BYTES, FRAME_MAX_BYTES } from '../../shared/limits.ts';
import {
  type AnsweredName,
  ComeBackAsk,
  ComeBackDecision,
  ComeBackLook,
  InvitationLook,
  InvitationRequest,
  NameRequest,
  PassRequest,
  PasswordRequest,
  PersonChange,
  ReportRequest,
  type Session,
  type SessionAnswer,
  SessionRequest,
} from '../../shared/protocol/index.ts';
import type { Auth, Identity } from '../auth/auth.ts';
import { cookieCleared, cookieWith } from '../auth/cookie.ts';
import type { Keepers } from '../auth/keepers.ts';
import type { People } from '../auth/people.ts';
import type { OnLimit } from '../base/audit.ts';
import type { Metrics } from '../base/metrics.ts';
import { parseOrRefuse } from '../base/parse.ts';
import { RefusedError } from '../base/refusal.ts';
import { READS_WAITING } from '../base/serverLimits.ts';
import { withTimeout } from '../base/timeout.ts';
import { addressKey } from '../limits/addressKey.ts';
import { createKeyedQueue } from '../limits/keyedQueue.ts';
import type { Limiter } from '../limits/limiter.ts';
import { BYTES_PER_UNIT, type Payer, type WorkMeter } from '../limits/workMeter.ts';
import { codesOf, type Perform } from '../request/perform.ts';
import { isKnownPage, mayAct, mayRead } from '../request/requestContext.ts';
import type { Invitations } from '../rooms/invitations.ts';
import type { Reports } from '../rooms/reports.ts';
import { answerWith, eventOf, type State } from './middleware.ts';

interface Deps {
  auth: Auth;
  keepers: Keepers;
  people: People;
  /** Of the disk with the database; undefined where that is on another machine. */
  diskSpace: () => Promise<{ freeBytes: number; totalBytes: number } | undefined>;
  invitations: Invitations;
  reports: Reports;
  perform: Perform;
  work: WorkMeter;
  /** Requests per second and device. `append` and `range` do the same here as over a socket. */
  frameLimiter: Limiter;
  onLimit: OnLimit;
  /** Called with each request whose session is valid. */
  onAuthenticated: (request: IncomingMessage) => void;
  metrics: Metrics;
  /** The built manifest of the page; undefined where it is not built. */
  manifest: () => Promise<string | undefined>;
}

/** The deadline starts when the body was read: a slow upload does not count as a delay of the server. */
const inTime = <T>(work: Promise<T>) => withTimeout(ACKNOWLEDGE_WITHIN_MS, work);

/** The names of the routes are the values of the metrics label `event`. */
export function createApi({
  auth,
  keepers,
  people,
  diskSpace,
  invitations,
  reports,
  perform,
  work,
  frameLimiter,
  onLimit,
  onAuthenticated,
  metrics,
  manifest,
}: Deps): Router<State> {
  const api = new Router<State>({ prefix: '/api', sensitive: true });
  /** Of each device: ranges, and what concerns reports. */
  const reads = createKeyedQueue({
    maxWaiting: READS_WAITING,
    waitMs: ACKNOWLEDGE_WITHIN_MS,
    now: () => performance.now(),
  });

  api.use(async (ctx, next) => {
    metrics.frames.inc({ event: eventOf(ctx) });
    const { requestContext } = ctx.state;
    const changes = ctx.method !== 'GET' && ctx.method !== 'HEAD';
    if (changes ? !mayAct(requestContext) : !mayRead(requestContext)) throw foreignPage();
    await next();
  });

  api.post('sign-in', '/session', async (ctx) => {
    const { credential, ...request } = parseOrRefuse(
      SessionRequest,
      await readJson(ctx.req, SMALL_BODY_BYTES),
      'body',
    );
    await signIn(ctx, credential, (address) => auth.signIn(request, address));
  });

  api.post('sign-in-by-pass', '/session/pass', async (ctx) => {
    const { credential, ...request } = parseOrRefuse(
      PassRequest,
      await readJson(ctx.req, SMALL_BODY_BYTES),
      'body',
    );
    await signIn(ctx, credential, (address) => auth.signInByPass(request, address));
  });

  api.post('code', '/code', async (ctx) => {
    const { pass, expiresAt } = await inTime(auth.makePass(await identityOf(ctx), 'code'));
    ctx.status = 201;
    ctx.body = { code: pass, expiresAt };
  });

  api.post('recovery-code', '/recovery-code', async (ctx) => {
    const code = await inTime(auth.makeRecoveryCode(await identityOf(ctx)));
    ctx.status = 201;
    ctx.body = { code };
  });

  api.post('become-keeper', '/keeper', async (ctx) => {
    await inTime(keepers.become(await identityOf(ctx)));
    ctx.body = { ok: true };
  });

  api.post('ask-to-come-back', '/come-back', async (ctx) => {
    const { name } = parseOrRefuse(ComeBackAsk, await readJson(ctx.req, SMALL_BODY_BYTES), 'body');
    ctx.body = await inTime(keepers.ask(name, ctx.state.requestContext.address));
    ctx.status = 201;
  });

  api.post('come-back-state', '/come-back/state', async (ctx) => {
    const { request } = parseOrRefuse(ComeBackLook, await readJson(ctx.req, SMALL_BODY_BYTES), 'body');
    ctx.body = { state: await inTime(keepers.stateOf(request, ctx.state.requestContext.address)) };
  });

  api.get('come-back-requests', '/come-back', async (ctx) => {
    ctx.body = { requests: await inTime(keepers.requests(await identityOf(ctx))) };
  });

  api.put('decide-come-back', '/come-back/:id', async (ctx) => {
    const identity = await identityOf(ctx);
    const decision = parseOrRefuse(ComeBackDecision, await readJson(ctx.req, SMALL_BODY_BYTES), 'body');
    await inTime(keepers.decide(identity, String(ctx.params.id), decision));
    ctx.body = { ok: true };
  });

  api.get('find-people', '/people', async (ctx) => {
    const { name } = ctx.query;
    ctx.body = { people: await inTime(people.find(await identityOf(ctx), String(name ?? ''))) };
  });

  api.put('change-person', '/people/:id', async (ctx) => {
    const identity = await identityOf(ctx);
    const change = parseOrRefuse(PersonChange, await readJson(ctx.req, SMALL_BODY_BYTES), 'body');
    await inTime(people.change(identity, String(ctx.params.id), change));
    ctx.body = { ok: true };
  });

  api.get('devices-of-person', '/people/:id/devices', async (ctx) => {
    const identity = await identityOf(ctx);
    ctx.body = { devices: await inTime(people.devices(identity, String(ctx.params.id))) };
  });

  api.delete('device-of-person', '/people/:id/devices/:device', async (ctx) => {
    const { id, device } = ctx.params;
    await inTime(people.removeDevice(await identityOf(ctx), String(id), String(device)));
    ctx.body = { ok: true };
  });

  api.get('server', '/server', async (ctx) => {
    await inTime(keepers.mustBeKeeper(await identityOf(ctx)));
    ctx.body = (await inTime(diskSpace())) ?? {};
  });

  api.post('make-invitation', '/invitations', async (ctx) => {
    const identity = await identityOf(ctx);
    const request = parseOrRefuse(InvitationRequest, await readJson(ctx.req, SMALL_BODY_BYTES), 'body');
    ctx.body = await inTime(invitations.make(identity, request));
    ctx.status = 201;
  });

  api.get('invitations', '/invitations', async (ctx) => {
    const { room } = ctx.query;
    const ofRoom = room === undefined ? undefined : String(room);
    ctx.body = { invitations: await inTime(invitations.list(await identityOf(ctx), ofRoom)) };
  });

  api.delete('revoke-invitation', '/invitations/:id', async (ctx) => {
    await inTime(invitations.revoke(await identityOf(ctx), String(ctx.params.id)));
    ctx.body = { ok: true };
  });

  // Not a GET: an invitation in an address would be in the logs of proxies.
  api.post('look-at-invitation', '/invitations/look', async (ctx) => {
    const { invite } = parseOrRefuse(InvitationLook, await readJson(ctx.req, SMALL_BODY_BYTES), 'body');
    ctx.body = await inTime(invitations.look(invite, ctx.state.requestContext.address));
  });

  api.post('report', '/reports', async (ctx) => {
    const identity = await identityOf(ctx);
    const request = parseOrRefuse(ReportRequest, await readJson(ctx.req, SMALL_BODY_BYTES), 'body');
    await metered(ctx, identity, REPORT_CALLS.make, () => reports.make(identity, request));
    ctx.body = { ok: true };
  });

  api.get('reports', '/reports', async (ctx) => {
    const identity = await identityOf(ctx);
    const { room } = ctx.query;
    const ofRoom = room === undefined ? undefined : String(room);
    ctx.body = await metered(ctx, identity, REPORT_CALLS.list, async () => ({
      reports: await reports.list(identity, ofRoom),
    }));
  });

  api.get('read-report', '/reports/:id', async (ctx) => {
    const identity = await identityOf(ctx);
    ctx.body = await metered(ctx, identity, REPORT_CALLS.read, () =>
      reports.read(identity, String(ctx.params.id)),
    );
  });

  api.delete('close-report', '/reports/:id', async (ctx) => {
    const identity = await identityOf(ctx);
    await metered(ctx, identity, REPORT_CALLS.close, () => reports.close(identity, String(ctx.params.id)));
    ctx.body = { ok: true };
  });

  // A browser that adds the page to a home screen fetches it, and the app starts there with storage of its own. A GET, since
  // browsers fetch it so; a foreign page cannot read what it makes. Without a session it is the manifest as it was built.
  api.get('manifest', '/manifest.webmanifest', async (ctx) => {
    const built = await manifest();
    if (!built) throw new RefusedError('not-found', 'The page is not built yet.');
    const pass = await identityOf(ctx)
      .then((identity) => inTime(auth.makePass(identity, 'link')))
      .catch(() => undefined);
    ctx.type = 'application/manifest+json';
    ctx.body = pass ? JSON.stringify({ ...JSON.parse(built), start_url: `/#/pass/${pass.pass}` }) : built;
  });

  api.get('session', '/session', async (ctx) => {
    ctx.body = await inTime(auth.session(await identityOf(ctx)));
    const { ownOrigin, credentials } = ctx.state.requestContext;
    // renews the cookie's lifetime of 400 days
    if (credentials.tag === 'cookie') ctx.append('Set-Cookie', cookieWith(ownOrigin!, credentials.token));
  });

  api.delete('sign-out', '/session', async (ctx) => {
    await inTime(auth.signOut(await identityOf(ctx)));
    const { ownOrigin, credentials } = ctx.state.requestContext;
    if (credentials.tag === 'cookie') ctx.append('Set-Cookie', cookieCleared(ownOrigin!));
    ctx.body = { ok: true };
  });

  api.put('password', '/password', async (ctx) => {
    const identity = await identityOf(ctx);
    const change = parseOrRefuse(PasswordRequest, await readJson(ctx.req, SMALL_BODY_BYTES), 'body');
    await inTime(auth.setPassword(identity, change, ctx.state.requestContext.address));
    ctx.body = { ok: true };
  });

  api.get('devices', '/devices', async (ctx) => {
    ctx.body = { devices: await inTime(auth.devices(await identityOf(ctx))) };
  });

  api.delete('device', '/devices/:id', async (ctx) => {
    await inTime(auth.removeDevice(await identityOf(ctx), String(ctx.params.id)));
    ctx.body = { ok: true };
  });

  api.put('name', '/name', async (ctx) => {
    const identity = await identityOf(ctx);
    const { name } = parseOrRefuse(NameRequest, await readJson(ctx.req, SMALL_BODY_BYTES), 'body');
    ctx.body = { user: await inTime(auth.rename(identity, name)) };
  });

  api.post('append', '/append', async (ctx) => {
    const identity = await identityOf(ctx);
    await request(ctx, 'append', identity, await readJson(ctx.req, APPEND_MAX_BYTES));
  });

  api.get('range', '/rooms/:room/entries', async (ctx) => {
    const identity = await identityOf(ctx);
    const { from, to } = ctx.query;
    await request(ctx, 'range', identity, {
      room: ctx.params.room,
      from: toNumber(from),
      to: toNumber(to),
    });
  });

  return api;

  async function signIn(
    ctx: Context & { state: State },
    credential: SessionRequest['credential'],
    enter: (address: string) => Promise<{ session: Session; token: string }>,
  ): Promise<void> {
    const { ownOrigin, origin, address } = ctx.state.requestContext;
    // Cookies are for pages only, and a page always states its origin.
    if (credential === 'cookie' && (ownOrigin === undefined || !isKnownPage(origin))) throw foreignPage();
    const { session, token } = await inTime(enter(address));
    const answer: SessionAnswer = credential === 'token' ? { ...session, token } : session;
    if (credential === 'cookie') ctx.append('Set-Cookie', cookieWith(ownOrigin!, token));
    ctx.status = 201;
    ctx.body = answer;
  }

  async function identityOf(ctx: { state: State; req: IncomingMessage }): Promise<Identity> {
    const { credentials, address } = ctx.state.requestContext;
    const identity =
      credentials.tag === 'none' ? undefined : await inTime(auth.identify(credentials.token, address));
    if (!identity) throw new RefusedError('unauthorized', 'Sign in first.');
    onAuthenticated(ctx.req);
    const { user, device } = identity;
    const retryAfter = frameLimiter.take(device, 1);
    if (retryAfter > 0) {
      onLimit('frames', { user: user.id, device });
      throw new RefusedError('rate-limited', 'Too many requests at once.', retryAfter);
    }
    return identity;
  }

  function payerOf(ctx: { state: State }, { user }: Identity): Payer {
    return { user: user.id, address: addressKey(ctx.state.requestContext.address) };
  }

  /** Charges calls of the store, about, also of what is refused in the end, and what is answered. One at a time for a device. */
  function metered<T>(
    ctx: { state: State },
    identity: Identity,
    calls: number,
    answer: () => Promise<T>,
  ): Promise<T> {
    const payer = payerOf(ctx, identity);
    return reads(identity.device, async () => {
      work.admit(payer, 'reads');
      let units = calls;
      try {
        const answered = await inTime(answer());
        units += Buffer.byteLength(JSON.stringify(answered) ?? '') / BYTES_PER_UNIT;
        return answered;
      } finally {
        work.charge(payer, 'reads', units);
      }
    });
  }

  async function request(
    ctx: Context & { state: State },
    name: AnsweredName,
    identity: Identity,
    payload: unknown,
  ): Promise<void> {
    const { user, device } = identity;
    const payer = payerOf(ctx, identity);
    const answer = () => perform(name, user, payload, { transport: 'http', payer, id: ctx.state.requestId });
    const acknowledgement = name === 'range' ? await reads(device, answer) : await answer();
    ctx.state.codes = codesOf(acknowledgement);
    if (acknowledgement.ok) ctx.body = acknowledgement;
    else answerWith(ctx, acknowledgement.error);
  }
}

/** Calls of the store. */
const REPORT_CALLS = { make: 16, list: 10, read: 10, close: 6 };

/** Enough for a name, a claim, and a password of 200 code points, each escaped as `\uXXXX\uXXXX`. */
const SMALL_BODY_BYTES = 16 * 1024;

/** Parses a request body of at most `maxBytes`. Throws `invalid` or `too-large`. */
async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new RefusedError('invalid', 'The body must be application/json.');
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new RefusedError('invalid', 'The body must not be compressed.');
  }
  return parseJson(await readBytes(request, maxBytes));
}

async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // A body that is only somewhat too large is read to its end and discarded: many clients do not read an answer
    // while they still send.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      if (size > FRAME_MAX_BYTES) break;
    }
    request.resume(); // discards the rest of a body that is far too large, so that the client reads the answer
  } catch {
    throw new RefusedError('invalid', 'The connection was lost before the body was complete.');
  }
  if (size > maxBytes) throw new RefusedError('too-large', `The body is larger than ${maxBytes} bytes.`);
  return Buffer.concat(chunks);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new RefusedError('invalid', 'The body is not JSON.');
  }
}

/** Converts digits to a number. Anything else is passed on for the schema to refuse. */
function toNumber(text: string | string[] | undefined): unknown {
  return typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : text;
}

function foreignPage(): RefusedError {
  return new RefusedError(
    'forbidden',
    'This request did not come from a page of this server. If it did, set PUBLIC_ORIGIN to the address that the browser shows.',
  );
}
