/** Opens a port. What a server that cannot listen tells its operator. */
import type { Server as NetServer } from 'node:net';
import { ConfigError } from './base/env.ts';

/** Connections that the system has accepted for us: with Node's 511, some of 3,000 that come at once are reset. */
const LISTEN_BACKLOG = 4_096;

/** Rejects with `ConfigError`. */
export async function listenOn(
  server: NetServer,
  { host, port }: { host: string; port: number },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen('', host, port, error)));
    server.listen({ port, host, backlog: LISTEN_BACKLOG }, resolve);
  });
  // One connection that cannot be accepted, such as without a file descriptor, does not end the process.
  server.on('error', () => {});
}

/** `prefix`: of the names of the settings that have this host and port. */
export function cannotListen(
  prefix: '' | 'METRICS_',
  host: string,
  port: number,
  error: NodeJS.ErrnoException,
): ConfigError {
  const place = `${host}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new ConfigError([
        `The address ${place} is already in use: stop the other process, or set ${prefix}PORT to a free port.`,
      ]);
    case 'EACCES':
      return new ConfigError([
        `This user may not listen on ${place}: set ${prefix}PORT to a port above 1023.`,
      ]);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ConfigError([
        `This machine does not have the address ${host}: set ${prefix}HOST to one of its addresses, or to 0.0.0.0.`,
      ]);
    default:
      return new ConfigError([`The server cannot listen on ${place}: ${error.message}.`]);
  }
}
