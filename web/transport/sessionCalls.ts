/**
 * The HTTP calls of the page: signing in and out, the session, the password. None rejects; without an answer:
 * `unreachable`.
 */

import type { Session, SessionAnswer, SessionRequest } from '../../shared/protocol/index.ts';
import type { Clock } from '../db/clock.ts';
import { CONNECT_WITHIN_MS } from '../records/pageLimits.ts';
import { type HttpResult, httpCall, UNREACHABLE } from './httpCall.ts';

export interface SessionCalls {
  signIn(request: SessionRequest): Promise<HttpResult<SessionAnswer>>;
  /** Undefined where there is none, or no answer. */
  session(): Promise<Session | undefined>;
  signOut(): Promise<HttpResult<unknown>>;
  setPassword(password: string, current: string | undefined): Promise<HttpResult<unknown>>;
}

/** A lazy chunk of the page: valibot and the schemas are not in the first JavaScript. */
export type LoadBodies = () => Promise<Pick<typeof import('./bodies.ts'), 'BODIES' | 'readBody'>>;

export function createSessionCalls(
  fetch: typeof globalThis.fetch,
  clock: Clock,
  loadBodies: LoadBodies,
): SessionCalls {
  async function call<Body extends keyof Bodies>(
    method: string,
    path: string,
    answer: Body,
    body?: unknown,
  ): Promise<HttpResult<Bodies[Body]>> {
    const abort = new AbortController();
    const timer = clock.setTimeout(() => abort.abort(), CONNECT_WITHIN_MS);
    // The first visit learns that nobody is signed in before it fetches any chunk.
    const bodies = answer === 'session' ? undefined : loadBodies();
    bodies?.catch(() => {}); // it is awaited below, if there is an answer
    try {
      const sent = { fetch, method, path, body, signal: abort.signal };
      return await httpCall<Bodies[Body]>(sent, async (ok, text) => {
        if (!ok && !bodies) return UNREACHABLE;
        const { readBody, BODIES } = await (bodies ?? loadBodies());
        return readBody<Bodies[Body]>(BODIES[answer] as never, ok, text);
      });
    } finally {
      clock.clearTimeout(timer);
    }
  }

  return {
    signIn: (request) => call('POST', '/api/session', 'signedIn', request),
    async session() {
      const result = await call('GET', '/api/session', 'session');
      return result.ok ? result.value : undefined;
    },
    signOut: () => call('DELETE', '/api/session', 'nothing'),
    setPassword: (password, current) =>
      call('PUT', '/api/password', 'nothing', current === undefined ? { password } : { password, current }),
  };
}

interface Bodies {
  session: Session;
  signedIn: SessionAnswer;
  nothing: unknown;
}
