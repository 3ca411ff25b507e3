/** Who is at the other end of a request, and what that end calls this server: with proxies in between, or without. */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import type { TrustProxy } from '../base/env.ts';

export interface Peer {
  /** The client's address, as far as the trusted proxies tell. */
  address: string;
  /** This server's own origin for this client; undefined where the request names no host that could be one. */
  own: string | undefined;
}

/** The part of a request that this looks at, so that a plain object is enough in a test. */
export interface RawRequest {
  headers: IncomingHttpHeaders;
  socket: { remoteAddress?: string | undefined; encrypted?: boolean };
}

/** A header of a proxy that is not trusted is not looked at. */
export function peerOf(
  { headers, socket }: RawRequest,
  { publicOrigin, trustProxy }: { publicOrigin: string | undefined; trustProxy: TrustProxy },
): Peer {
  const chain = [...list(headers['x-forwarded-for']), socket.remoteAddress ?? ''].map(plainAddress);
  const hops = trustedHops(chain, trustProxy);
  const address = chain[Math.max(0, chain.length - 1 - hops)]!;
  const scheme = fromRight(headers['x-forwarded-proto'], hops) ?? (socket.encrypted ? 'https' : 'http');
  const host = fromRight(headers['x-forwarded-host'], hops) ?? headers.host;
  return {
    // What is no address was not written by a proxy that knows what it does.
    address: isIP(address) ? address : (chain.at(-1) ?? ''),
    own: publicOrigin ?? originFrom(scheme, host),
  };
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

/** Each proxy may have added its own value on the right: the outermost trusted one's is so many from the end. */
function fromRight(header: string | string[] | undefined, hops: number): string | undefined {
  const values = list(header);
  return hops === 0 ? undefined : values[Math.max(0, values.length - hops)];
}

function list(header: string | string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

/** A server that listens on `::` sees IPv4 clients as `::ffff:10.0.0.1`. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

function originFrom(scheme: string, host: string | undefined): string | undefined {
  const text = `${scheme}://${host}`;
  const plain = host !== undefined && /^https?$/.test(scheme) && !/[/?#@\\\s]/.test(host);
  return plain && URL.canParse(text) ? new URL(text).origin : undefined;
}
