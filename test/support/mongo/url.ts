/** Connection strings of the tests' databases. */
import { randomBytes } from 'node:crypto';

/** The name of an unused database. */
export function freshName(): string {
  return `holdfast_test_${randomBytes(6).toString('hex')}`;
}

/** The same server, another database. */
export function withDatabase(url: string, name: string): string {
  const [, scheme, hosts, query = ''] = /^(mongodb(?:\+srv)?:\/\/)([^/?]+)\/?[^?]*(\?.*)?$/.exec(url) ?? [];
  if (hosts === undefined)
    throw new Error('TEST_MONGODB_URL is not a connection string (mongodb://host:port)');
  return `${scheme}${hosts}/${name}${query}`;
}

/** A database on a server that the tests started. */
export function ownUrl({ port, setName }: { port: number; setName: string }, name: string): string {
  const options = new URLSearchParams();
  if (setName !== '') options.set('replicaSet', setName);
  // SecantusDB does not announce that it is primary again after a step-down: the driver notices at its next heartbeat.
  options.set('heartbeatFrequencyMS', '500');
  return `mongodb://127.0.0.1:${port}/${name}?${options}`;
}

/** The same database through another port of this machine, by a direct connection. */
export function throughPort(url: string, port: number): string {
  const through = new URL(url);
  through.port = String(port);
  through.searchParams.delete('replicaSet');
  through.searchParams.set('directConnection', 'true');
  return through.href;
}
