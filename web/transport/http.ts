/** The calls that are no frames: who one is. Only an answer of our own shape counts as a refusal. */
import * as v from 'valibot';
import { CONNECT_WITHIN_MS } from '../../shared/limits.ts';
import {
  Refusal,
  Session,
  SessionAnswer,
  type SessionRequest,
  type WireError,
} from '../../shared/protocol/index.ts';
import type { Clock } from '../db/clock.ts';

export type Called<T> = { ok: true; value: T } | { ok: false; error: WireError };

export interface Http {
  signIn(request: SessionRequest): Promise<Called<SessionAnswer>>;
  session(): Promise<Called<Session>>;
  signOut(): Promise<Called<unknown>>;
  setPassword(password: string, current: string | undefined): Promise<Called<unknown>>;
}

export function createHttp(fetch: typeof globalThis.fetch, clock: Clock): Http {
  async function call<T>(
    method: string,
    path: string,
    schema: v.GenericSchema<unknown, T>,
    body?: unknown,
  ): Promise<Called<T>> {
    const abort = new AbortController();
    const timer = clock.setTimeout(() => abort.abort(), CONNECT_WITHIN_MS);
    try {
      const sent =
        body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const response = await fetch(path, {
        method,
        ...sent,
        credentials: 'same-origin',
        signal: abort.signal,
      });
      return read(schema, response.ok, await response.text());
    } catch {
      return UNREACHABLE; // no network, or a body that stopped on its way
    } finally {
      clock.clearTimeout(timer);
    }
  }

  return {
    signIn: (request) => call('POST', '/api/session', SessionAnswer, request),
    session: () => call('GET', '/api/session', Session),
    signOut: () => call('DELETE', '/api/session', Nothing),
    setPassword: (password, current) =>
      call('PUT', '/api/password', Nothing, current === undefined ? { password } : { password, current }),
  };
}

/** A proxy's page, a captive portal, a bare 404 say nothing about what was asked: as if nobody had answered. */
export function read<T>(schema: v.GenericSchema<unknown, T>, ok: boolean, text: string): Called<T> {
  const body = text === '' ? undefined : parseJson(text);
  if (ok) {
    const parsed = v.safeParse(schema, body);
    return parsed.success ? { ok: true, value: parsed.output } : UNREACHABLE;
  }
  const refusal = v.safeParse(Refusal, body);
  return refusal.success ? refusal.output : UNREACHABLE;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return NOT_JSON;
  }
}

/** No body, or one of ours that says nothing more. */
const Nothing = v.optional(v.looseObject({}));
const NOT_JSON = Symbol('not JSON');
const UNREACHABLE = {
  ok: false,
  error: { code: 'unreachable', message: 'The server cannot be reached.' },
} as const;
