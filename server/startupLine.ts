/** The line that is printed at start: the addresses under which a browser finds this server. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { Config } from './base/env.ts';

type Listening = Pick<Config, 'host' | 'port' | 'publicOrigin' | 'tls'>;
type Interfaces = Record<string, NetworkInterfaceInfo[] | undefined>;

/** `port`: the actual one, also if PORT is 0. */
export function startupLine(listening: Listening, interfaces: Interfaces = networkInterfaces()): string {
  const { local, lan } = addressesOf(listening, interfaces);
  return `Holdfast: open ${local}${lan.length === 0 ? '' : `, or from this network ${lan.join(' or ')}`}`;
}

function addressesOf(
  { host, port, publicOrigin, tls }: Listening,
  interfaces: Interfaces,
): { local: string; lan: string[] } {
  if (publicOrigin !== undefined) return { local: publicOrigin, lan: [] };
  const url = (name: string) => {
    return new URL(`http${tls ? 's' : ''}://${name.includes(':') ? `[${name}]` : name}:${port}`).origin;
  };
  if (host !== '0.0.0.0' && host !== '::') return { local: url(host), lan: [] };
  const addresses = Object.values(interfaces).flatMap((all) => all ?? []);
  const reachable = addresses.filter(
    (a) => a.family === 'IPv4' && !a.internal && !a.address.startsWith(LINK_LOCAL),
  );
  return { local: url('127.0.0.1'), lan: reachable.map((a) => url(a.address)) };
}

const LINK_LOCAL = '169.254.';
