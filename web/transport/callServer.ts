/** One request over HTTP and its answer, for the page and for the service worker. Only an answer of our own shape counts. */
import { type Called, UNREACHABLE } from './called.ts';

export interface ServerCall {
  fetch: typeof globalThis.fetch;
  method: string;
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  signal: AbortSignal;
}

/** `unreachable` where there is no network, the signal aborts, or a body stops on its way. */
export async function callServer<T>(
  { fetch, method, path, body, signal }: ServerCall,
  read: (ok: boolean, text: string) => Called<T> | Promise<Called<T>>,
): Promise<Called<T>> {
  try {
    const response = await fetch(path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
      credentials: 'same-origin',
      redirect: 'error', // to a captive portal's page, which would take a password or a text along
      signal,
    });
    return await read(response.ok, await response.text());
  } catch {
    return UNREACHABLE;
  }
}
