/**
 * One request over HTTP, for the page and for the service worker. Only a body of our own protocol counts as an answer.
 */
import type { WireError } from '../../shared/protocol/index.ts';

export type HttpResult<T> = { ok: true; value: T } | { ok: false; error: WireError };

export const UNREACHABLE = {
  ok: false,
  error: { code: 'unreachable', message: 'The server cannot be reached.' },
} as const;

export interface HttpCall {
  fetch: typeof globalThis.fetch;
  method: string;
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  signal: AbortSignal;
}

/** Never rejects: `unreachable` without a network, when the signal aborts, and when the body is cut off. */
export async function httpCall<T>(
  { fetch, method, path, body, signal }: HttpCall,
  read: (ok: boolean, text: string) => HttpResult<T> | Promise<HttpResult<T>>,
): Promise<HttpResult<T>> {
  try {
    const response = await fetch(path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
      credentials: 'same-origin',
      redirect: 'error', // a captive portal would get the password or the text
      signal,
    });
    return await read(response.ok, await response.text());
  } catch {
    return UNREACHABLE;
  }
}
