/**
 * CORS for the pages in `ALLOWED_ORIGINS`: for Koa, and for what is refused before it. With none configured, no CORS header is
 * ever sent. Engine.IO has its own for what it answers itself.
 */
import type { IncomingMessage } from 'node:http';

type Asking = Pick<IncomingMessage, 'method' | 'headers'>;

/** With which the page that sent this request may read the answer; empty for any other page. */
export function corsHeaders(allowedOrigins: readonly string[], { headers }: Asking): Record<string, string> {
  if (allowedOrigins.length === 0) return {};
  const { origin } = headers;
  if (origin === undefined || !allowedOrigins.includes(origin)) return { Vary: 'Origin' };
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': 'Retry-After',
  };
}

/** A browser asks whether a page of `ALLOWED_ORIGINS` may send what it wants to send. */
export function isPreflight(allowedOrigins: readonly string[], { method, headers }: Asking): boolean {
  const { origin, 'access-control-request-method': wanted } = headers;
  return method === 'OPTIONS' && !!wanted && origin !== undefined && allowedOrigins.includes(origin);
}

export const CORS_METHODS = 'GET, POST, PUT, DELETE';
