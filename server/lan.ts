/** Where a browser finds this server: for the one line that is printed at the start. */
import type { NetworkInterfaceInfo } from 'node:os';

export interface Places {
  /** For a browser on this machine. */
  here: string;
  /** For others in the same network; empty where only this machine is listened to. */
  lan: string[];
}

/** `interfaces` is what `os.networkInterfaces()` says. */
export function placesToOpen(
  scheme: 'http' | 'https',
  host: string,
  port: number,
  interfaces: Record<string, NetworkInterfaceInfo[] | undefined>,
): Places {
  const url = (name: string) => new URL(`${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`).origin;
  if (host !== '0.0.0.0' && host !== '::') return { here: url(host), lan: [] };
  const addresses = Object.values(interfaces).flatMap((all) => all ?? []);
  const reachable = addresses.filter((a) => a.family === 'IPv4' && !a.internal && !a.address.startsWith(LINK_LOCAL));
  return { here: url('127.0.0.1'), lan: reachable.map((a) => url(a.address)) };
}

const LINK_LOCAL = '169.254.';
