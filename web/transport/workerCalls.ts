/** The calls of the service worker, which has no socket. The same answers, from the same code of the server. */
import { type Acknowledgement, Appended, type Item, Session } from '../../shared/protocol/index.ts';
import { readBody } from './bodies.ts';
import type { Called } from './called.ts';
import { callServer } from './callServer.ts';

/** `undefined`: no answer of ours. It may have arrived all the same, and is sent again under the same keys. */
export async function appendByHttp(
  fetch: typeof globalThis.fetch,
  as: string,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<Acknowledgement<'append'> | undefined> {
  const call = { fetch, method: 'POST', path: '/api/append', body: { as, items }, signal };
  const called = await callServer(call, (ok, text) => readBody(Appended, ok, text));
  if (called.ok) return called.value;
  return called.error.code === 'unreachable' ? undefined : called;
}

/** Who is signed in, and what the server takes. */
export function sessionByHttp(fetch: typeof globalThis.fetch, signal: AbortSignal): Promise<Called<Session>> {
  const call = { fetch, method: 'GET', path: '/api/session', signal };
  return callServer(call, (ok, text) => readBody(Session, ok, text));
}
