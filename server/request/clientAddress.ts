/** The client's address and this server's own origin as that client sees it, with or without reverse proxies in between. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import type { TrustProxy } from '../base/env.ts';

export interface ClientAddress {
  /** The client's IP address; taken from `X-Forwarded-For` as far as its proxies are trusted. */
  address: string;
  /** This server's origin as the client sees it; undefined when the request has no valid `Host`. */
  ownOrigin: string | undefined;
  /** `Host` as the client sent it (in HTTP/2 `:authority`), or `X-Forwarded-Host` of a trusted proxy. Undefined if it is absent, repeated or contradicted. */
  host: string | undefined;
}

/** The part of `IncomingMessage` that is read here, so that tests can pass a plain object. */
export interface RawRequest {
  headers: IncomingHttpHeaders;
  /** Names and values in turn. `headers` has only the first of several `Host`. */
  rawHeaders?: readonly string[];
  socket: { remoteAddress?: string | undefined; encrypted?: boolean };
}

/** `X-Forwarded-…` headers that an untrusted proxy or the client itself added are ignored. */
export function clientAddressOf(
  { headers, rawHeaders = [], socket }: RawRequest,
  { publicOrigin, trustProxy }: { publicOrigin: string | undefined; trustProxy: TrustProxy },
): ClientAddress {
  const forwarded = trustProxy.tag === 'nobody' ? [] : commaSeparated(headers['x-forwarded-for']);
  const chain = [...forwarded, socket.remoteAddress ?? ''].map(plainAddress);
  const hops = trustedHops(chain, trustProxy);
  const address = chain[Math.max(0, chain.length - 1 - hops)]!;
  const scheme =
    schemeIn(hopsFromRight(headers['x-forwarded-proto'], hops)) ?? (socket.encrypted ? 'https' : 'http');
  const named = hopsFromRight(headers['x-forwarded-host'], hops) ?? hostIn(headers);
  const isHost = (text: string, i: number) =>
    i % 2 === 0 && text.length === 4 && text.toLowerCase() === 'host';
  const isRepeated = rawHeaders.filter(isHost).length > 1;
  return {
    // Not an IP address: the header is broken, so use the address of the TCP connection.
    address: isIP(address) ? address : (chain.at(-1) ?? ''),
    ownOrigin: publicOrigin ?? originFrom(scheme, named),
    host: isRepeated ? undefined : named,
  };
}

/** HTTP/2 has the pseudo-header `:authority`. Undefined where `Host` says something else: proxies may have read that one. */
function hostIn({ ':authority': authority, host }: IncomingHttpHeaders): string | undefined {
  if (authority === undefined) return host;
  return host === undefined || host === authority ? String(authority) : undefined;
}

function trustedHops(chain: readonly string[], trust: TrustProxy): number {
  switch (trust.tag) {
    case 'nobody':
      return 0;
    case 'hops':
      return trust.hops;
    case 'addresses': {
      const isTrusted = (address: string) =>
        isIP(address) > 0 && trust.addresses.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
      return chain.length - 1 - chain.findLastIndex((address) => !isTrusted(address));
    }
  }
}

/** Each proxy appends its value on the right, so the outermost trusted proxy's value is the `hops`-th from the end. */
function hopsFromRight(header: string | string[] | undefined, hops: number): string | undefined {
  if (hops === 0) return undefined;
  const values = commaSeparated(header);
  return values[Math.max(0, values.length - hops)];
}

/** Some proxies say `ws` and `wss` of a WebSocket: Node's http-proxy, Traefik. Its page is of `http` or `https`. */
function schemeIn(proto: string | undefined): string | undefined {
  return proto?.replace(/^ws(s?)$/i, 'http$1');
}

function commaSeparated(header: string | string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

/** A socket that listens on `::` reports IPv4 clients as `::ffff:10.0.0.1`. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** Almost all requests have the same one, and parsing it is a fifth of what is done for a request before its handler. */
function originFrom(scheme: string, host: string | undefined): string | undefined {
  const text = `${scheme}://${host}`;
  if (text === lastOrigin.text) return lastOrigin.origin;
  const origin = parseOrigin(text, scheme, host);
  lastOrigin = { text, origin };
  return origin;
}

let lastOrigin: { text: string; origin: string | undefined } = { text: '', origin: undefined };

function parseOrigin(text: string, scheme: string, host: string | undefined): string | undefined {
  const plain = host !== undefined && /^https?$/.test(scheme) && !/[/?#@\\\s]/.test(host);
  return plain && URL.canParse(text) ? new URL(text).origin : undefined;
}
