/**
 * Why a database cannot be reached, in one sentence that says what to do. `Unusable`: the address or a certificate has to be
 * corrected. `Unavailable`: time may mend it (an election, a start), so the caller waits before it gives up.
 */
import {
  type MongoClient,
  MongoCompatibilityError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
  MongoWriteConcernError,
  type ServerDescription,
} from 'mongodb';
import { Unavailable, Unusable } from '../../port.ts';
import { CODE, isDatabaseError, isSocketError } from '../base/faults.ts';
import type { Address } from './address.ts';
import { ProbeFailed } from './probeDatabase.ts';
import { ofAnotherSet, refusedByServer, tooOld, withoutMajority } from './unusable.ts';

/** What a member of a replica set said of it. */
export interface SeenSet {
  name: string;
  members: readonly string[];
}

/** Remembers the replica set that answered: the driver forgets a server that has another name than it was told. */
export function watchSet(client: MongoClient): () => SeenSet | undefined {
  let seen: SeenSet | undefined;
  client.on('serverHeartbeatSucceeded', ({ reply: { setName, hosts } }) => {
    if (setName !== undefined) seen = { name: setName, members: hosts ?? [] };
  });
  return () => seen;
}

/** Undefined for an error that is not one of the database or of the way to it. */
export function explain(
  error: unknown,
  address: Address,
  seen: SeenSet | undefined,
): Unusable | Unavailable | undefined {
  if (error instanceof Unusable || error instanceof ProbeFailed) return error;
  if (!isDatabaseError(error) && !(error instanceof Unavailable)) return undefined;
  const { hosts } = address;
  if (error instanceof MongoServerSelectionError) return withoutPrimary(error, address, seen);
  if (error instanceof MongoCompatibilityError) return tooOld(address);
  if (isSocketError(error)) {
    if (error.syscall === 'querySrv' || error.syscall === 'queryTxt') return withoutRecord(error, address);
    if (error.syscall === 'open')
      return new Unusable(`MONGODB_URL names a file that cannot be read (${error.message}): correct it.`);
  }
  const refused = refusedByServer(error, address);
  if (refused) return refused;
  if (error instanceof MongoWriteConcernError) return new Unavailable(withoutMajority(error, address));
  if (error instanceof MongoServerError && error.code === CODE.OUT_OF_DISK_SPACE)
    return new Unavailable(`There is no space left on the disk of the MongoDB at ${hosts}: free some.`);
  if (error instanceof MongoNetworkError)
    return new Unavailable(`The MongoDB at ${hosts} does not answer: start it, or correct MONGODB_URL.`);
  return new Unavailable(`The MongoDB at ${hosts} cannot be used (${error.message}): look at its log.`);
}

/** The driver found no primary within its timeout. */
function withoutPrimary(
  { reason }: MongoServerSelectionError,
  address: Address,
  seen: SeenSet | undefined,
): Unusable | Unavailable {
  const { hosts } = address;
  const servers: ServerDescription[] = [...(reason?.servers.values() ?? [])];
  if (seen && address.setName !== undefined && seen.name !== address.setName)
    return ofAnotherSet(seen.name, address);
  if (servers.some(({ error }) => error instanceof MongoCompatibilityError)) return tooOld(address);
  if (servers.some(({ type }) => type === 'RSGhost'))
    return new Unavailable(`The MongoDB at ${hosts} is not a replica set yet: run rs.initiate() on it once.`);
  if (servers.every(({ type }) => type === 'Unknown')) return withoutAnswer(servers, address, seen);
  const primary = servers.find((server) => server.primary !== null)?.primary;
  const lost = servers.find((server) => server.address === primary && server.type === 'Unknown');
  if (lost)
    return new Unavailable(
      `The primary of the replica set at ${hosts} is ${primary}, which does not answer here (${whyOf(lost)}): make that name and port known to this machine, or start it.`,
    );
  return new Unavailable(
    `The replica set at ${hosts} has no primary: look at rs.status() on one of its members.`,
  );
}

function withoutAnswer(
  servers: readonly ServerDescription[],
  { hosts, hasTls }: Address,
  seen: SeenSet | undefined,
): Unusable | Unavailable {
  const codes = servers.map(codeOf);
  const why = servers.map(whyOf).find((message) => message !== '') ?? '';
  if (codes.length > 0 && codes.every((code) => UNTRUSTED.has(code)))
    return new Unusable(
      `The certificate of the MongoDB at ${hosts} is not trusted (${why}): name the file of its authority in MONGODB_URL (tlsCAFile=…), and connect by a name that is in the certificate.`,
    );
  if (codes.length > 0 && codes.every((code) => WITHOUT_TLS.has(code)))
    return new Unusable(`The MongoDB at ${hosts} does not use TLS: remove tls=true from MONGODB_URL.`);
  if (OF_ATLAS.test(hosts))
    return new Unavailable(
      `MongoDB Atlas does not let this machine reach ${hosts} (${why}): add its address to the access list of the project (Network Access), resume the cluster if it is paused, or correct MONGODB_URL.`,
    );
  if (seen && !seen.members.some((member) => hosts.split(', ').includes(member)))
    return new Unavailable(
      `The replica set "${seen.name}" at ${hosts} calls its members ${seen.members.join(', ')}, and none of them answers under that name here (${why}): make these names known to this machine, or change them with rs.reconfig() (a set of one member can also be used with directConnection=true).`,
    );
  if (hasTls && codes.some((code) => code === 'ECONNRESET' || `${code}`.startsWith('ERR_SSL_')))
    return new Unavailable(
      `The MongoDB at ${hosts} ends the connection before TLS is agreed on (${why}): remove tls=true from MONGODB_URL if it uses none, and look at its log otherwise.`,
    );
  if (!hasTls && servers.some(({ error }) => /connection .* closed$/.test(error?.message ?? '')))
    return new Unavailable(
      `The MongoDB at ${hosts} ends every connection: add tls=true to MONGODB_URL if it requires TLS, and look at its log otherwise.`,
    );
  return new Unavailable(`No MongoDB answers at ${hosts}: start it, or correct MONGODB_URL.`);
}

/** A mongodb+srv address. */
function withoutRecord(error: NodeJS.ErrnoException, { hosts }: Address): Unusable | Unavailable {
  return error.code === 'ENOTFOUND' || error.code === 'ENODATA'
    ? new Unusable(
        `There is no MongoDB called ${hosts} in the DNS (${error.message}): correct the host in MONGODB_URL, or name the members of the replica set with mongodb:// instead of mongodb+srv://.`,
      )
    : new Unavailable(
        `The DNS does not answer the question for ${hosts} (${error.message}): correct the DNS server of this machine, or name the members of the replica set with mongodb:// instead of mongodb+srv://.`,
      );
}

/** Node's codes for certificates. */
const UNTRUSTED: ReadonlySet<unknown> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'INVALID_CA',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** What answered spoke no TLS. */
const WITHOUT_TLS: ReadonlySet<unknown> = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);

const OF_ATLAS = /\.mongodb\.net\b/i;

/** The driver wraps the errors of a socket. */
function codeOf({ error }: ServerDescription): unknown {
  const cause = error?.cause ?? error;
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}

/** OpenSSL's messages have more than one line. */
function whyOf({ error }: ServerDescription): string {
  return (error?.message ?? '').replace(/^\w+:error:\w+:/, '').trim();
}
