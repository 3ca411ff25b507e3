/** `append` for who has no socket: the service worker. The same answer, from the same code of the server. */
import type { Acknowledgement, Item } from '../../shared/protocol/index.ts';
import { BODIES, readBody } from './bodies.ts';
import type { Called } from './called.ts';

/** `undefined`: no answer of ours. It may have arrived all the same, and is sent again under the same keys. */
export async function appendByHttp(
  fetch: typeof globalThis.fetch,
  as: string,
  items: readonly Item[],
  signal: AbortSignal,
): Promise<Acknowledgement<'append'> | undefined> {
  const called = await post(fetch, JSON.stringify({ as, items }), signal);
  if (called?.ok) return called.value;
  return called && called.error.code !== 'unreachable' ? called : undefined;
}

async function post(fetch: typeof globalThis.fetch, body: string, signal: AbortSignal) {
  try {
    const response = await fetch('/api/append', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      credentials: 'same-origin',
      redirect: 'error', // to a captive portal's page, which would take the text along
      signal,
    });
    const called: Called<Acknowledgement<'append'>> = readBody(
      BODIES.append,
      response.ok,
      await response.text(),
    );
    return called;
  } catch {
    return undefined; // no network, or given up
  }
}
