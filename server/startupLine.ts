/** Where a browser finds this server: the one line that is printed at the start. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { Config } from './base/env.ts';

type Listening = Pick<Config, 'host' | 'port' | 'publicOrigin' | 'tls'>;
type Interfaces = Record<string, NetworkInterfaceInfo[] | undefined>;

/** `port` is the one that is listened on, not the one asked for. */
export function openAt(listening: Listening, interfaces: Interfaces = networkInterfaces()): string {
  const { here, lan } = places(listening, interfaces);
  return `Holdfast: open ${here}${lan.length === 0 ? '' : `, or from this network ${lan.join(' or ')}`}`;
}

function places(
  { host, port, publicOrigin, tls }: Listening,
  interfaces: Interfaces,
): { here: string; lan: string[] } {
  if (publicOrigin !== undefined) return { here: publicOrigin, lan: [] };
  const url = (name: string) => {
    return new URL(`http${tls ? 's' : ''}://${name.includes(':') ? `[${name}]` : name}:${port}`).origin;
  };
  if (host !== '0.0.0.0' && host !== '::') return { here: url(host), lan: [] };
  const addresses = Object.values(interfaces).flatMap((all) => all ?? []);
  const reachable = addresses.filter(
    (a) => a.family === 'IPv4' && !a.internal && !a.address.startsWith(LINK_LOCAL),
  );
  return { here: url('127.0.0.1'), lan: reachable.map((a) => url(a.address)) };
}

const LINK_LOCAL = '169.254.';
