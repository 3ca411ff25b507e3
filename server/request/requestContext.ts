/**
 * The request context: what is known of an HTTP request or Socket.IO handshake before the store is asked. Its client
 * address, the page that sent it, and its credentials. Decides whether that page may act here for its user (CSRF). Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { readCookie } from '../auth/cookie.ts';
import type { Config } from '../base/env.ts';
import { type ClientAddress, clientAddressOf, type RawRequest } from './clientAddress.ts';

export interface RequestContext extends ClientAddress {
  origin: OriginVerdict;
  credentials: Credentials;
}

/** The page that sent a request: this server's own, one of `ALLOWED_ORIGINS`, not stated, or any other. */
export type OriginVerdict = 'own' | 'allowed' | 'absent' | 'foreign';

/** The token that a request carries, not yet verified. */
export type Credentials =
  | { tag: 'bearer'; token: string }
  | { tag: 'cookie'; token: string }
  | { tag: 'none' };

export function requestContextOf(
  request: RawRequest,
  config: Pick<Config, 'publicOrigin' | 'trustProxy' | 'allowedOrigins'>,
): RequestContext {
  const client = clientAddressOf(request, config);
  return {
    ...client,
    origin: classifyOrigin(originOf(request.headers), client.ownOrigin, config.allowedOrigins),
    credentials: credentialsOf(request.headers, client.ownOrigin),
  };
}

/**
 * For every request that changes something and for every handshake. A browser adds the cookie to requests of any page, so
 * a request with a cookie must come from a known page. A bearer token is only added by a client that has it.
 */
export function mayAct({ origin, credentials }: Pick<RequestContext, 'origin' | 'credentials'>): boolean {
  return (
    credentials.tag === 'bearer' || isKnownPage(origin) || (origin === 'absent' && credentials.tag === 'none')
  );
}

/** For read-only requests: a browser hides the answer from foreign pages, and sends no `Origin` from our own page. */
export function mayRead({ origin, credentials }: Pick<RequestContext, 'origin' | 'credentials'>): boolean {
  return credentials.tag === 'bearer' || origin !== 'foreign';
}

export function isKnownPage(origin: OriginVerdict): boolean {
  return origin === 'own' || origin === 'allowed';
}

/** `origin` as returned by `originOf`. `null` (a sandboxed frame, a local file) is foreign. */
export function classifyOrigin(
  origin: string | undefined,
  ownOrigin: string | undefined,
  allowed: readonly string[],
): OriginVerdict {
  if (origin === undefined) return 'absent';
  if (origin === ownOrigin) return 'own';
  return allowed.includes(origin) ? 'allowed' : 'foreign';
}

/**
 * The header `Origin`, else the origin of `Referer`. Browsers send no `Origin` with a same-origin GET, and the handshake of
 * Socket.IO's long polling is one; our `Referrer-Policy: same-origin` makes them send `Referer`. A foreign page can omit
 * its Referer but cannot forge it, and `absent` is refused when there is a cookie.
 */
export function originOf({
  origin,
  referer,
}: Pick<IncomingHttpHeaders, 'origin' | 'referer'>): string | undefined {
  if (origin !== undefined) return origin;
  return referer !== undefined && URL.canParse(referer) ? new URL(referer).origin : undefined;
}

/** `Authorization: Bearer` takes precedence over the cookie. Without an `ownOrigin` the cookie's name is unknown. */
export function credentialsOf(
  headers: Pick<IncomingHttpHeaders, 'authorization' | 'cookie'>,
  ownOrigin: string | undefined,
): Credentials {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return { tag: 'bearer', token: bearer };
  const token = ownOrigin === undefined ? undefined : readCookie(headers.cookie, ownOrigin);
  return token === undefined ? { tag: 'none' } : { tag: 'cookie', token };
}
