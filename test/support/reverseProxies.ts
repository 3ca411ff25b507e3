/**
 * The reverse proxies of docs/PROXIES.md as processes. Each runs on its file in deploy/proxies/, in which only that is replaced
 * which the page tells to replace: name, certificate, nodes, ports, and the choice between cookie and address. What stands
 * around that file on Debian (`surroundings`) is written here.
 */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { makeCertificate } from './certificate.ts';
import { freePort } from './mongo/port.ts';
import { type ProcessGroup, startGroup } from './processGroup.ts';
import { findProxyProgram, type ProxyProgram } from './setup/proxies.ts';
import { temporaryFolder } from './tmp.ts';
import { ROOT } from './tools.ts';
import { waitFor } from './waitFor.ts';

/** By what all requests of a session of long polling go to one node. */
export type Stickiness = 'cookie' | 'address';

/** Their ports. More than two at HAProxy only. */
type Nodes = readonly [number, number, ...number[]];

export interface ReverseProxy extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`, the same after a restart. */
  readonly url: string;
  /** Of plain HTTP. */
  readonly httpPort: number;
  /** Its output of all runs. */
  logs(): string;
  /** SIGTERM, and SIGKILL where that takes longer than systemd waits; then it starts again. */
  restart(): Promise<void>;
}

interface Place {
  port: number;
  httpPort: number;
  certFile: string;
  keyFile: string;
  /** For what the proxy writes. */
  folder: string;
  /** The shipped file, with everything replaced. */
  site: string;
}

interface Kind {
  program: ProxyProgram;
  file: string;
  /** Replaced in the file besides what all have in common: each must be there. */
  replaced(place: Omit<Place, 'site'>): [found: string | RegExp, by: string][];
  /** Writes the files around it, and returns the arguments of the program. */
  surroundings(place: Place): string[];
}

const STOPPED_WITHIN_MS = 5_000;

/** Resolves when it accepts connections. */
export async function startReverseProxy(
  program: ProxyProgram,
  stickiness: Stickiness,
  nodes: Nodes,
): Promise<ReverseProxy> {
  const path = findProxyProgram(program);
  if (path === undefined) throw new Error(`no ${program}: run \`npm test\`, which installs it`);
  const kind = KINDS[program];
  const folder = await temporaryFolder();
  const { certFile, keyFile } = makeCertificate(folder.path, 'proxy');
  const given = {
    port: await freePort(),
    httpPort: await freePort(),
    certFile,
    keyFile,
    folder: folder.path,
  };
  const place = { ...given, site: join(folder.path, kind.file) };
  writeFileSync(place.site, shippedFile(kind, given, stickiness, nodes));
  const args = kind.surroundings(place);
  let running: ProcessGroup | undefined;
  let logs = '';

  const start = async () => {
    running = startGroup(path, args, { cwd: folder.path, env: { HOME: folder.path } });
    await waitFor(`${program} accepts connections`, () => {
      running!.check();
      return answers(place.port);
    });
  };
  const stop = async () => {
    if (running === undefined) return;
    const { child } = running;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS);
    if (child.exitCode === null && child.signalCode === null) await ended;
    clearTimeout(timer);
    await running.kill9();
    logs += running.logs();
    running = undefined;
  };
  const dispose = async () => {
    await running?.kill9();
    await folder.remove();
  };

  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    url: `https://127.0.0.1:${place.port}`,
    httpPort: place.httpPort,
    logs: () => logs + (running?.logs() ?? ''),
    async restart() {
      await stop();
      await start();
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** What docs/PROXIES.md, "What to replace", tells to do. */
function shippedFile(
  kind: Kind,
  place: Omit<Place, 'site'>,
  stickiness: Stickiness,
  [first, second, ...more]: Nodes,
): string {
  let text = readFileSync(`${ROOT}/deploy/proxies/${kind.file}`, 'utf8');
  const replaced: [string | RegExp, string][] = [
    ...kind.replaced(place),
    ['127.0.0.1:3000', `127.0.0.1:${first}`],
    ['127.0.0.1:3001', `127.0.0.1:${second}`],
  ];
  if (stickiness === 'address') {
    replaced.push([/^.* # by cookie\n/gm, ''], [/#address: /g, '']);
  }
  for (const [found, by] of replaced) {
    const next = text.replace(found, by);
    if (next === text) throw new Error(`${kind.file} has no ${found}`);
    text = next;
  }
  if (more.length > 0 && kind.program !== 'haproxy') throw new Error(`${kind.file} has two nodes`);
  for (const [nth, port] of more.entries())
    text += `  server node${nth + 3} 127.0.0.1:${port}${stickiness === 'cookie' ? ` cookie node${nth + 3}` : ''}\n`;
  return text;
}

const NAME: [RegExp, string] = [/chat\.example\.org/g, '127.0.0.1'];
const CERT = '/etc/ssl/holdfast/fullchain.pem';
const KEY = '/etc/ssl/holdfast/privkey.pem';
const OF_IPV6 = /^.*\[::\].*\n/gm;
const IS_ROOT = process.getuid?.() === 0;

const KINDS: Record<ProxyProgram, Kind> = {
  nginx: {
    program: 'nginx',
    file: 'nginx.conf',
    replaced: ({ port, httpPort, certFile, keyFile }) => [
      NAME,
      [OF_IPV6, ''],
      ['listen 80;', `listen 127.0.0.1:${httpPort};`],
      ['listen 443 ', `listen 127.0.0.1:${port} `],
      [CERT, certFile],
      [KEY, keyFile],
    ],
    surroundings({ folder, site }) {
      const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${folder}/${name};`,
      );
      const main = `${IS_ROOT ? 'user root;' : ''} pid ${folder}/pid; worker_processes 1; daemon off;
        error_log stderr warn;
        events { worker_connections 768; }
        http { access_log off; gzip on; ${paths.join(' ')} include ${site}; }`;
      return ['-c', written(folder, 'main.conf', main)];
    },
  },
  haproxy: {
    program: 'haproxy',
    file: 'haproxy.cfg',
    replaced: ({ port, httpPort, certFile, keyFile, folder }) => [
      [OF_IPV6, ''],
      ['bind :80', `bind 127.0.0.1:${httpPort}`],
      ['bind :443', `bind 127.0.0.1:${port}`],
      [
        '/etc/ssl/holdfast/haproxy.pem',
        written(folder, 'haproxy.pem', readFileSync(certFile, 'utf8') + readFileSync(keyFile, 'utf8')),
      ],
    ],
    surroundings({ folder, site }) {
      const main = 'global\n  log stderr format raw local0 notice\n  maxconn 1000\n';
      return ['-db', '-f', written(folder, 'main.cfg', main), '-f', site];
    },
  },
  caddy: {
    program: 'caddy',
    file: 'Caddyfile',
    replaced: ({ port, httpPort, certFile, keyFile }) => [
      // several run at once, each without the interface for other configurations
      ['{\n\tgrace_period', `{\n\tadmin off\n\thttp_port ${httpPort}\n\thttps_port ${port}\n\tgrace_period`],
      NAME,
      ['#certificate: ', ''],
      [CERT, certFile],
      [KEY, keyFile],
    ],
    surroundings: ({ site }) => ['run', '--adapter', 'caddyfile', '--config', site],
  },
  apache2: {
    program: 'apache2',
    file: 'apache.conf',
    replaced: ({ port, httpPort, certFile, keyFile }) => [
      ['*:80>', `*:${httpPort}>`],
      ['*:443>', `*:${port}>`],
      [CERT, certFile],
      [KEY, keyFile],
      ['https://chat.example.org/', `https://chat.example.org:${port}/`], // where it redirects to
      NAME,
    ],
    surroundings({ folder, site, port, httpPort }) {
      const { modules } = /a2enmod (?<modules>.*)/.exec(readFileSync(site, 'utf8'))!.groups!;
      const names = [...OF_DEBIAN, ...modules!.trim().split(' ')];
      const main = `ServerRoot ${folder}
        DefaultRuntimeDir ${folder}
        PidFile ${folder}/pid
        ServerName 127.0.0.1
        ${IS_ROOT ? 'User www-data\n        Group www-data' : ''}
        ErrorLog "|/bin/cat"
        ${names.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
        RequestReadTimeout header=20-40,minrate=500
        RequestReadTimeout body=10,minrate=500
        Listen 127.0.0.1:${httpPort}
        Listen 127.0.0.1:${port}
        Include ${site}`;
      return ['-D', 'FOREGROUND', '-f', written(folder, 'main.conf', main)];
    },
  },
};

/** Apache's modules that are enabled on Debian, as far as they have to do with requests; `socache_shmcb` comes with `ssl`. */
const OF_DEBIAN = 'mpm_event authz_core alias env filter deflate reqtimeout setenvif socache_shmcb'.split(
  ' ',
);

function written(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Whether it completes a handshake of TLS. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
