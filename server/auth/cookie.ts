/** The session cookie of a browser: its name, `Set-Cookie` values, and reading it from a header. Pure. */
import { COOKIE_LIFETIME_S } from '../../shared/limits.ts';

/**
 * The name contains the port: cookies are shared by all ports of a host, and two servers on one machine would sign out each
 * other's users. Over HTTPS the prefix `__Host-` keeps other subdomains from setting it. `origin`: this server's own, as the
 * client sees it.
 */
export function cookieName(origin: string): string {
  if (origin !== last.origin) last = { origin, name: nameFor(origin) };
  return last.name;
}

/** Almost all requests have the same origin. */
let last = { origin: '', name: '' };

function nameFor(origin: string): string {
  const url = new URL(origin);
  const secure = url.protocol === 'https:';
  const port = url.port || (secure ? '443' : '80');
  return `${secure ? '__Host-' : ''}holdfast-${port}`;
}

/** The value of `Set-Cookie` that stores `token` for 400 days. */
export function cookieWith(origin: string, token: string): string {
  return cookie(origin, token, COOKIE_LIFETIME_S);
}

/** The value of `Set-Cookie` that deletes the cookie. */
export function cookieCleared(origin: string): string {
  return cookie(origin, '', 0);
}

/** The token in a `Cookie` header, if it has this server's cookie. */
export function readCookie(header: string | undefined, origin: string): string | undefined {
  const name = cookieName(origin);
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name)
      return pair.slice(equals + 1).trim() || undefined;
  }
  return undefined;
}

function cookie(origin: string, value: string, maxAge: number): string {
  const secure = origin.startsWith('https:') ? '; Secure' : '';
  return `${cookieName(origin)}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}
