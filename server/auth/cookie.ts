/** The cookie that holds a browser's token. Pure: strings in, strings out. */
import { COOKIE_LIFETIME_S } from '../../shared/limits.ts';

/**
 * The name has the port in it: cookies ignore ports, and two servers on one machine would sign each other's users out.
 * Over HTTPS `__Host-` keeps neighbouring subdomains from setting it. `origin` is the server's own, as the request has it.
 */
export function cookieName(origin: string): string {
  const url = new URL(origin);
  const secure = url.protocol === 'https:';
  const port = url.port || (secure ? '443' : '80');
  return `${secure ? '__Host-' : ''}holdfast-${port}`;
}

/** The value of `Set-Cookie` that keeps `token` for 400 days from now. */
export function cookieWith(origin: string, token: string): string {
  return cookie(origin, token, COOKIE_LIFETIME_S);
}

export function cookieCleared(origin: string): string {
  return cookie(origin, '', 0);
}

/** The token in the header `Cookie`, if this server's is there. */
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
