/** Error messages for a database that cannot be used: one sentence each that says what to do. None contains a password. */
import {
  MongoCompatibilityError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
  type TopologyDescription,
} from 'mongodb';
import { Unusable } from '../../port.ts';
import { CODE } from '../base/faults.ts';

export interface Address {
  /** Host names with ports, separated by commas. */
  hosts: string;
  database: string;
}

export function malformedUrl(): Unusable {
  return new Unusable(
    'MONGODB_URL is not the address of a MongoDB: write it like mongodb://host:27017/holdfast?replicaSet=rs0.',
  );
}

export function notAReplicaSet({ hosts }: Address): Unusable {
  return new Unusable(
    `The MongoDB at ${hosts} is not a replica set: start it with --replSet rs0 and run rs.initiate() on it once (one member is enough).`,
  );
}

export function tooOld({ hosts }: Address): Unusable {
  return new Unusable(`The MongoDB at ${hosts} is too old: install MongoDB 6.0 or a later one.`);
}

export function ofAnotherApplication({ database, hosts }: Address): Unusable {
  return new Unusable(
    `The database "${database}" at ${hosts} belongs to another application: name another one in MONGODB_URL, after the host.`,
  );
}

export function nothingThere({ database, hosts }: Address): Unusable {
  return new Unusable(
    `The database "${database}" at ${hosts} is not a database of Holdfast: restore the copy with mongorestore first, or correct MONGODB_URL.`,
  );
}

export function mayNotChangeValidator({ database, hosts }: Address): Unusable {
  return new Unusable(
    `The user of MONGODB_URL may not change the validator of a collection of the database "${database}" at ${hosts}: for this command, give it the role dbAdmin there, or name a user who has it.`,
  );
}

export function writtenByNewer({ database, hosts }: Address): Unusable {
  return new Unusable(
    `The database "${database}" at ${hosts} was written by a newer version of Holdfast: install that version or a later one.`,
  );
}

/** Undefined for an error that may go away by itself. */
export function unusableBy(error: unknown, address: Address): Unusable | undefined {
  if (isFromOldServer(error)) return tooOld(address);
  if (!(error instanceof MongoServerError)) return undefined;
  const { hosts, database } = address;
  switch (error.code) {
    case CODE.AUTHENTICATION_FAILED:
    case CODE.ATLAS_ERROR:
      return new Unusable(
        `The MongoDB at ${hosts} refuses the user or password of MONGODB_URL: correct them, and authSource if the user was made in another database.`,
      );
    case CODE.UNAUTHORIZED:
      return new Unusable(
        `The user of MONGODB_URL may not use the database "${database}" at ${hosts}: give it the role readWrite there.`,
      );
    case CODE.INDEX_OPTIONS_CONFLICT:
    case CODE.INDEX_KEY_SPECS_CONFLICT:
      return new Unusable(
        `The database "${database}" at ${hosts} has indexes that Holdfast did not make (${error.message}): drop them.`,
      );
    default:
      return undefined;
  }
}

/** The driver refuses very old servers, and waits for others until its timeout. */
function isFromOldServer(error: unknown): boolean {
  if (!(error instanceof MongoServerSelectionError)) return error instanceof MongoCompatibilityError;
  const servers = [...(error.reason?.servers.values() ?? [])];
  return servers.some((server) => server.error instanceof MongoCompatibilityError);
}

/** After the last retry: why the database cannot be reached. */
export function unreachable(error: Error, address: Address): Unusable {
  const { hosts } = address;
  if (error instanceof MongoServerSelectionError) return withoutPrimary(error.reason, address);
  if (error instanceof MongoServerError && error.code === CODE.OUT_OF_DISK_SPACE)
    return new Unusable(`There is no space left on the disk of the MongoDB at ${hosts}: free some.`);
  if (error instanceof MongoNetworkError)
    return new Unusable(`The MongoDB at ${hosts} does not answer: start it, or correct MONGODB_URL.`);
  return new Unusable(`The MongoDB at ${hosts} cannot be used (${error.message}): look at its log.`);
}

function withoutPrimary(seen: TopologyDescription | undefined, { hosts }: Address): Unusable {
  const types = [...(seen?.servers.values() ?? [])].map(({ type }) => type);
  if (types.includes('RSGhost'))
    return new Unusable(`The MongoDB at ${hosts} is not a replica set yet: run rs.initiate() on it once.`);
  if (types.some((type) => type !== 'Unknown'))
    return new Unusable(
      `The replica set at ${hosts} has no primary: look at rs.status() on one of its members.`,
    );
  return new Unusable(`No MongoDB answers at ${hosts}: start it, or correct MONGODB_URL.`);
}
