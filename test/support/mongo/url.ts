/** Connection strings of the tests' databases. */
import { randomBytes } from 'node:crypto';

/** A database that nobody used before. */
export function freshName(): string {
  return `holdfast_test_${randomBytes(6).toString('hex')}`;
}

/** The same server, another database. */
export function withDatabase(url: string, name: string): string {
  const [, scheme, hosts, query = ''] = /^(mongodb(?:\+srv)?:\/\/)([^/?]+)\/?[^?]*(\?.*)?$/.exec(url) ?? [];
  if (hosts === undefined) throw new Error('TEST_MONGODB_URL is no connection string (mongodb://host:port)');
  return `${scheme}${hosts}/${name}${query}`;
}

/** A database on a server that was started here. */
export function ownUrl({ port, setName }: { port: number; setName: string }, name: string): string {
  const options = new URLSearchParams();
  if (setName !== '') options.set('replicaSet', setName);
  // SecantusDB tells nobody that it is primary again after a step-down: the driver finds out when it asks the next time.
  options.set('heartbeatFrequencyMS', '500');
  return `mongodb://127.0.0.1:${port}/${name}?${options}`;
}

/** The same database at another port of this machine, and nowhere else. */
export function throughPort(url: string, port: number): string {
  const through = new URL(url);
  through.port = String(port);
  through.searchParams.delete('replicaSet');
  through.searchParams.set('directConnection', 'true');
  return through.href;
}
