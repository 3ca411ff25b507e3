/** Error messages for a database that cannot be used: one sentence each that says what to do. None contains a password. */
import { MongoServerError } from 'mongodb';
import { Unusable } from '../../port.ts';
import { CODE } from '../base/faults.ts';
import type { Address } from './address.ts';

type Place = Pick<Address, 'hosts' | 'database'>;

export function malformedUrl(): Unusable {
  return new Unusable(
    'MONGODB_URL is not the address of a MongoDB: write it like mongodb://host:27017/holdfast?replicaSet=rs0.',
  );
}

export function unknownOptions(names: readonly string[]): Unusable {
  const list = names.map((name) => `"${name}"`).join(', ');
  return new Unusable(`MONGODB_URL has an option that does not exist (${list}): correct or remove it.`);
}

export function ofMongoItself({ database }: Place): Unusable {
  return new Unusable(
    `The database "${database}" belongs to MongoDB itself: name another one in MONGODB_URL, after the host (where users are kept in "${database}", add authSource=${database}).`,
  );
}

export function impossibleName({ database }: Place): Unusable {
  return new Unusable(
    `"${database}" cannot be the name of a database: name another one in MONGODB_URL, after the host.`,
  );
}

/** `name`: of the product. */
export function imitation(name: string, { hosts }: Place): Unusable {
  return new Unusable(
    `The database at ${hosts} is ${name}, which lacks commands of MongoDB that Holdfast needs: use a replica set of MongoDB 6.0 or later.`,
  );
}

export function behindALoadBalancer({ hosts }: Place): Unusable {
  return new Unusable(
    `MONGODB_URL says that the MongoDB at ${hosts} is behind a load balancer (loadBalanced=true): name the members of a replica set instead.`,
  );
}

export function isShardedCluster({ hosts }: Place): Unusable {
  return new Unusable(
    `The MongoDB at ${hosts} is a sharded cluster (a mongos): name the members of a replica set in MONGODB_URL instead.`,
  );
}

export function notAReplicaSet({ hosts }: Place): Unusable {
  return new Unusable(
    `The MongoDB at ${hosts} is not a replica set: start it with --replSet rs0 and run rs.initiate() on it once (one member is enough).`,
  );
}

export function ofAnotherSet(setName: string, { hosts, setName: wanted }: Address): Unusable {
  return new Unusable(
    `The replica set at ${hosts} is called "${setName}", not "${wanted}": correct replicaSet in MONGODB_URL, or the host.`,
  );
}

export function tooOld({ hosts }: Place): Unusable {
  return new Unusable(`The MongoDB at ${hosts} is too old: install MongoDB 6.0 or a later one.`);
}

export function ofAnotherApplication({ database, hosts }: Place): Unusable {
  return new Unusable(
    `The database "${database}" at ${hosts} belongs to another application: name another one in MONGODB_URL, after the host.`,
  );
}

export function nothingThere({ database, hosts }: Place): Unusable {
  return new Unusable(
    `The database "${database}" at ${hosts} is not a database of Holdfast: restore the copy with mongorestore first, or correct MONGODB_URL.`,
  );
}

export function mayNotChangeValidator({ database, hosts }: Place): Unusable {
  return new Unusable(
    `The user of MONGODB_URL may not change the validator of a collection of the database "${database}" at ${hosts}: for this command, give it the role dbAdmin there, or name a user who has it.`,
  );
}

export function writtenByNewer({ database, hosts }: Place): Unusable {
  return new Unusable(
    `The database "${database}" at ${hosts} was written by a newer version of Holdfast: install that version or a later one.`,
  );
}

export function stillBeingFilled({ database, hosts }: Place): Unusable {
  return new Unusable(
    `The database "${database}" at ${hosts} is being filled by \`npm run migrate\`: start this server when that has finished, or call it again where it was interrupted.`,
  );
}

export function notEmpty({ database, hosts }: Place): Unusable {
  return new Unusable(
    `The database "${database}" at ${hosts} is not empty, and nothing is overwritten: name another one after the host, or drop that one.`,
  );
}

export function filledByAnotherRun({ database, hosts }: Place): Unusable {
  return new Unusable(
    `The database "${database}" at ${hosts} is half filled from another file, or by a run that was given up: drop it, or name another one after the host.`,
  );
}

/** Time may mend it, so it is a sentence only. `what`: as in "cannot open a change stream". */
export function lacking(what: string, { message }: Error, { hosts }: Place): string {
  return `The MongoDB at ${hosts} cannot ${what} (${message}): look at rs.status() and at its log; docs/MONGODB.md says what Holdfast needs.`;
}

export function withoutMajority(error: Error, address: Place): string {
  return lacking('acknowledge a write by the majority of its members', error, address);
}

/** The errors of a server that do not go away by themselves; undefined for the others. */
export function refusedByServer(error: unknown, address: Address): Unusable | undefined {
  if (!(error instanceof MongoServerError)) return undefined;
  const { hosts, database, hasUser } = address;
  switch (error.code) {
    case CODE.AUTHENTICATION_FAILED:
      return wrongPassword(address);
    case CODE.ATLAS_ERROR:
      // of many kinds: wrong passwords, quotas, commands that a tier does not allow
      return /auth/i.test(error.message)
        ? wrongPassword(address, error.message)
        : new Unusable(
            `MongoDB Atlas at ${hosts} refuses what Holdfast needs (${error.message}): look at the limits of the cluster's tier, and at its quotas.`,
          );
    case CODE.UNAUTHORIZED:
      return new Unusable(
        hasUser
          ? `The user of MONGODB_URL may not use the database "${database}" at ${hosts}: give it the role readWrite there.`
          : `The MongoDB at ${hosts} serves only its users: write one into MONGODB_URL, like mongodb://USER:PASSWORD@host/${database}?authSource=admin.`,
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

function wrongPassword({ hosts }: Place, message?: string): Unusable {
  const said = message === undefined ? '' : ` (${message})`;
  return new Unusable(
    `The MongoDB at ${hosts} refuses the user or password of MONGODB_URL${said}: correct them, and authSource if the user was made in another database.`,
  );
}
