import type { IncomingHttpHeaders } from 'node:http';
import { readCookie } from './cookie.ts';

/** What a request or handshake brings to say who it is. It is not yet known to be true. */
export type Proof = { tag: 'bearer'; token: string } | { tag: 'cookie'; token: string } | { tag: 'none' };

/** `Authorization: Bearer` goes before the cookie. `own` is this server's origin as the request has it, if it has one. */
export function proofOf(
  headers: Pick<IncomingHttpHeaders, 'authorization' | 'cookie'>,
  own: string | undefined,
): Proof {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return { tag: 'bearer', token: bearer };
  const token = own === undefined ? undefined : readCookie(headers.cookie, own);
  return token === undefined ? { tag: 'none' } : { tag: 'cookie', token };
}
