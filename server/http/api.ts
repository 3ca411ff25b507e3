/** `/api`: sessions, and the requests that a service worker or a plain script makes without a socket. */
import Router from '@koa/router';
import type { Context } from 'koa';
import * as v from 'valibot';
import { ACKNOWLEDGE_WITHIN_MS, APPEND_MAX_BYTES } from '../../shared/limits.ts';
import {
  type AnsweredName,
  NameRequest,
  PasswordRequest,
  type SessionAnswer,
  SessionRequest,
} from '../../shared/protocol/index.ts';
import type { Auth, Identity } from '../auth/auth.ts';
import { cookieCleared, cookieWith } from '../auth/cookie.ts';
import type { Metrics } from '../base/metrics.ts';
import { RefusedError } from '../base/refusal.ts';
import { withTimeout } from '../base/timeout.ts';
import { type Limiter, takeOrRefuse } from '../limits/limiter.ts';
import type { Perform } from '../perform.ts';
import { readJson } from './body.ts';
import type { State } from './context.ts';
import { answerWith, eventOf } from './errors.ts';
import { isKnownPage, mayAct, mayRead } from './origin.ts';

interface Deps {
  auth: Auth;
  perform: Perform;
  /** Frames a second and device; `append` and `range` are the same here as by socket. */
  frameLimiter: Limiter;
  metrics: Metrics;
}

/** From when the request was read: a slow upload is not the server's delay. */
const inTime = <T>(work: Promise<T>) => withTimeout(ACKNOWLEDGE_WITHIN_MS, work);

/** The names of the routes are the `event` of the metrics. */
export function createApi({ auth, perform, frameLimiter, metrics }: Deps): Router<State> {
  const api = new Router<State>({ prefix: '/api', sensitive: true });

  api.use(async (ctx, next) => {
    metrics.frames.inc({ event: eventOf(ctx) });
    const { visit } = ctx.state;
    const changes = ctx.method !== 'GET' && ctx.method !== 'HEAD';
    if (changes ? !mayAct(visit) : !mayRead(visit)) throw foreign();
    await next();
  });

  api.post('sign-in', '/session', async (ctx) => {
    const { credential, ...request } = parse(SessionRequest, await readJson(ctx.req, SMALL_BODY_BYTES));
    const { own, origin, address } = ctx.state.visit;
    // A cookie is for a page, and a page says where it is from.
    if (credential === 'cookie' && (own === undefined || !isKnownPage(origin))) throw foreign();
    const { session, token } = await inTime(auth.signIn(request, address));
    const answer: SessionAnswer = credential === 'token' ? { ...session, token } : session;
    if (credential === 'cookie') ctx.append('Set-Cookie', cookieWith(own!, token));
    ctx.status = 201;
    ctx.body = answer;
  });

  api.get('session', '/session', async (ctx) => {
    ctx.body = await inTime(auth.session(await identityOf(ctx)));
    const { own, proof } = ctx.state.visit;
    if (proof.tag === 'cookie') ctx.append('Set-Cookie', cookieWith(own!, proof.token)); // 400 days from now again
  });

  api.delete('sign-out', '/session', async (ctx) => {
    await inTime(auth.signOut(await identityOf(ctx)));
    const { own, proof } = ctx.state.visit;
    if (proof.tag === 'cookie') ctx.append('Set-Cookie', cookieCleared(own!));
    ctx.body = { ok: true };
  });

  api.put('password', '/password', async (ctx) => {
    const identity = await identityOf(ctx);
    const change = parse(PasswordRequest, await readJson(ctx.req, SMALL_BODY_BYTES));
    await inTime(auth.setPassword(identity, change));
    ctx.body = { ok: true };
  });

  api.put('name', '/name', async (ctx) => {
    const identity = await identityOf(ctx);
    const { name } = parse(NameRequest, await readJson(ctx.req, SMALL_BODY_BYTES));
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

  async function identityOf(ctx: { state: State }): Promise<Identity> {
    const { proof } = ctx.state.visit;
    const identity = proof.tag === 'none' ? undefined : await inTime(auth.identify(proof.token));
    if (!identity) throw new RefusedError('unauthorized', 'Sign in first.');
    return identity;
  }

  async function request(
    ctx: Context,
    name: AnsweredName,
    { user, device }: Identity,
    payload: unknown,
  ): Promise<void> {
    takeOrRefuse(frameLimiter, `http ${device}`, 'Too many requests at once.');
    const acknowledgement = await perform(name, user, payload, 'http');
    if (acknowledgement.ok) ctx.body = acknowledgement;
    else answerWith(ctx, acknowledgement.error);
  }
}

/** A name, a password of 200 code points however they are escaped, a claim. */
const SMALL_BODY_BYTES = 16 * 1024;

function parse<const S extends v.GenericSchema>(schema: S, body: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, body);
  if (!parsed.success)
    throw new RefusedError('invalid', `The body is not what belongs here: ${v.summarize(parsed.issues)}`);
  return parsed.output;
}

/** Digits to a number; anything else is left for the request's schema to refuse. */
function toNumber(text: string | string[] | undefined): unknown {
  return typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : text;
}

function foreign(): RefusedError {
  return new RefusedError(
    'forbidden',
    'This was not sent from a page of this server. If the page is, set PUBLIC_ORIGIN to the address in its address bar.',
  );
}
