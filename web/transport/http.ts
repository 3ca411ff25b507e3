/** The calls that are no frames: who one is. Only an answer of our own shape counts as a refusal. */

import type { Session, SessionAnswer, SessionRequest } from '../../shared/protocol/index.ts';
import type { Clock } from '../db/clock.ts';
import { CONNECT_WITHIN_MS } from '../records/pageLimits.ts';
import type { Called } from './called.ts';
import { callServer } from './callServer.ts';

export interface Http {
  signIn(request: SessionRequest): Promise<Called<SessionAnswer>>;
  session(): Promise<Called<Session>>;
  signOut(): Promise<Called<unknown>>;
  setPassword(password: string, current: string | undefined): Promise<Called<unknown>>;
}

/** The page fetches it as a chunk of its own; the service worker is one file and has it. */
export type LoadBodies = () => Promise<typeof import('./bodies.ts')>;

export function createHttp(fetch: typeof globalThis.fetch, clock: Clock, loadBodies: LoadBodies): Http {
  async function call<Body extends keyof Bodies>(
    method: string,
    path: string,
    answer: Body,
    body?: unknown,
  ): Promise<Called<Bodies[Body]>> {
    const abort = new AbortController();
    const timer = clock.setTimeout(() => abort.abort(), CONNECT_WITHIN_MS);
    const wire = loadBodies();
    wire.catch(() => {}); // awaited when there is an answer to read
    try {
      const sent = { fetch, method, path, body, signal: abort.signal };
      return await callServer<Bodies[Body]>(sent, async (ok, text) => {
        const { readBody, BODIES } = await wire;
        return readBody<Bodies[Body]>(BODIES[answer] as never, ok, text);
      });
    } finally {
      clock.clearTimeout(timer);
    }
  }

  return {
    signIn: (request) => call('POST', '/api/session', 'signedIn', request),
    session: () => call('GET', '/api/session', 'session'),
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
