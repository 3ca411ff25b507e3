/** What is printed at start: the addresses under which a browser finds this server, and what other names need. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { Config } from './base/env.ts';

type Listening = Pick<Config, 'host' | 'port' | 'publicOrigin' | 'tls'>;
type Interfaces = Record<string, NetworkInterfaceInfo[] | undefined>;

/** `port`: the actual one, also if PORT is 0. One line, or two if machines other than this one can reach the server. */
export function startupLine(listening: Listening, interfaces: Interfaces = networkInterfaces()): string {
  const { local, lan } = addressesOf(listening, interfaces);
  const others = lan.length === 0 ? '' : `, or from this network ${lan.join(' or ')}`;
  const needsName = listening.publicOrigin === undefined && isEveryAddress(listening.host);
  return `Holdfast: open ${local}${others}${needsName ? `\n${OTHER_NAMES}` : ''}`;
}

function addressesOf(
  { host, port, publicOrigin, tls }: Listening,
  interfaces: Interfaces,
): { local: string; lan: string[] } {
  if (publicOrigin !== undefined) return { local: publicOrigin, lan: [] };
  const url = (name: string) => {
    return new URL(`http${tls ? 's' : ''}://${name.includes(':') ? `[${name}]` : name}:${port}`).origin;
  };
  if (!isEveryAddress(host)) return { local: url(host), lan: [] };
  const addresses = Object.values(interfaces).flatMap((all) => all ?? []);
  const reachable = addresses.filter(
    (a) => a.family === 'IPv4' && !a.internal && !a.address.startsWith(LINK_LOCAL),
  );
  return { local: url('127.0.0.1'), lan: reachable.map((a) => url(a.address)) };
}

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

const OTHER_NAMES =
  'To open it under a domain or behind a proxy, set PUBLIC_ORIGIN to that address, such as https://chat.example.org.';
const LINK_LOCAL = '169.254.';
