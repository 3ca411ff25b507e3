/** Which page a request was sent from, and whether it may do something here in its reader's name. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Proof } from '../auth/proof.ts';

export type OriginVerdict = 'own' | 'allowed' | 'absent' | 'foreign';

/** `origin` as `originOf` has it; `null` (a sandboxed frame, a local file) is foreign. */
export function judge(
  origin: string | undefined,
  own: string | undefined,
  allowed: readonly string[],
): OriginVerdict {
  if (origin === undefined) return 'absent';
  if (origin === own) return 'own';
  return allowed.includes(origin) ? 'allowed' : 'foreign';
}

/**
 * The header `Origin`, else the origin of `Referer`. A browser sends no `Origin` with a GET to its own server, and the
 * handshake of Socket.IO's long polling is one; our `Referrer-Policy: same-origin` makes it say the `Referer`.
 * A foreign page can leave its Referer out but cannot forge it, and absent is not good enough for a cookie.
 */
export function originOf({
  origin,
  referer,
}: Pick<IncomingHttpHeaders, 'origin' | 'referer'>): string | undefined {
  if (origin !== undefined) return origin;
  return referer !== undefined && URL.canParse(referer) ? new URL(referer).origin : undefined;
}

/**
 * For every request that changes something and for every handshake: a browser adds the cookie by itself, whoever made
 * it ask, so with a cookie the page must be known. A token is only ever added by who has it.
 */
export function mayAct({ origin, proof }: { origin: OriginVerdict; proof: Proof }): boolean {
  return proof.tag === 'bearer' || isKnownPage(origin) || (origin === 'absent' && proof.tag === 'none');
}

/** For requests that only read: a browser lets no foreign page see the answer, and sends no `Origin` from our own. */
export function mayRead({ origin, proof }: { origin: OriginVerdict; proof: Proof }): boolean {
  return proof.tag === 'bearer' || origin !== 'foreign';
}

export function isKnownPage(origin: OriginVerdict): boolean {
  return origin === 'own' || origin === 'allowed';
}
