/** Provides the reverse proxies for which deploy/proxies/ has configurations: nginx, HAProxy, Caddy and Apache. Linux only. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { onPath } from './onPath.ts';
import { aptInstall, CannotSetUp, mayInstall } from './root.ts';

/** Debian's packages, by the names of the programs. */
const PACKAGES = { nginx: 'nginx', haproxy: 'haproxy', caddy: 'caddy', apache2: 'apache2-bin' } as const;

export type ProxyProgram = keyof typeof PACKAGES;

/** On other systems their tests are skipped. */
export const HAS_PROXIES = process.platform === 'linux';

/** Installs those that are missing. */
export async function proxiesForTests(): Promise<void> {
  if (!HAS_PROXIES || missing().length === 0) return;
  if (mayInstall() && (await installStopped(...missing())) && missing().length === 0) return;
  const packages = missing().join(' ');
  throw new CannotSetUp(
    'The tests of proxies need nginx, HAProxy, Caddy and Apache, which are not all here: ' +
      `\`sudo apt-get install ${packages}\` (or your system’s packages of them) installs what is missing.`,
  );
}

/** Debian starts a service when its package is installed, unless this file says no: these would take the ports 80 and 443. */
const POLICY = '/usr/sbin/policy-rc.d';

async function installStopped(...packages: string[]): Promise<boolean> {
  if (existsSync(POLICY)) return aptInstall(...packages);
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await aptInstall(...packages);
  } finally {
    rmSync(POLICY);
  }
}

/** Undefined if it is not installed. */
export function findProxyProgram(name: ProxyProgram): string | undefined {
  // ordinary users have no /usr/sbin on their PATH
  return [...onPath(name), `/usr/sbin/${name}`].find((path) => existsSync(path));
}

function missing(): string[] {
  const programs = Object.keys(PACKAGES) as ProxyProgram[];
  return programs.filter((name) => findProxyProgram(name) === undefined).map((name) => PACKAGES[name]);
}
