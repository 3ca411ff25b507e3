/** MONGODB_URL: the client for it, and what can be refused before anything is connected. */
import { MongoClient, type MongoClientOptions } from 'mongodb';
import type { Unusable } from '../../port.ts';
import {
  behindALoadBalancer,
  imitation,
  impossibleName,
  malformedUrl,
  ofMongoItself,
  unknownOptions,
} from './unusable.ts';

export interface Address {
  /** Host names with ports, separated by commas. */
  hosts: string;
  database: string;
  /** `replicaSet` of the URL. */
  setName: string | undefined;
  hasUser: boolean;
  hasTls: boolean;
}

/** Throws `Unusable` for a URL that the driver does not take. */
export function clientOf(url: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(url, options);
  } catch (error) {
    // the original error may contain the URL, and with it the password
    throw unknownOptionsOf(url, error as Error) ?? malformedUrl();
  }
}

export function addressOf({ options }: MongoClient, url: string): Address {
  const named = /^[^/]+\/\/[^/?]+\/([^?]+)/.exec(url)?.[1];
  return {
    hosts: options.srvHost ?? options.hosts.map((host) => `${host}`).join(', '),
    database: named === undefined ? 'holdfast' : decodeURIComponent(named),
    setName: options.replicaSet,
    hasUser: options.credentials !== undefined,
    hasTls: options.tls,
  };
}

/** The address for people, without user, password and options that may hold secrets. */
export function placeOf({ hosts, database, setName }: Address, url: string): string {
  const scheme = url.startsWith('mongodb+srv:') ? 'mongodb+srv' : 'mongodb';
  const set = setName === undefined ? '' : `?replicaSet=${encodeURIComponent(setName)}`;
  return `${scheme}://${hosts.replaceAll(', ', ',')}/${encodeURIComponent(database)}${set}`;
}

/** Why nothing may be connected: Holdfast would fill a database of MongoDB itself, or cannot work with this server. */
export function refusalOf({ options }: MongoClient, address: Address): Unusable | undefined {
  const { hosts, database } = address;
  const imitated = IMITATIONS.find(({ pattern }) =>
    hosts
      .toLowerCase()
      .split(', ')
      .some((host) => pattern.test(host)),
  );
  if (imitated) return imitation(imitated.name, address);
  // also by the TXT record of a mongodb+srv address, which is known only when the client has tried to connect
  if (options.loadBalanced) return behindALoadBalancer(address);
  if (OF_MONGO_ITSELF.includes(database)) return ofMongoItself(address);
  return IMPOSSIBLE_NAME.test(database) || Buffer.byteLength(database) > NAME_MAX_BYTES
    ? impossibleName(address)
    : undefined;
}

/** Hosts of servers that speak MongoDB's protocol and are none. The patterns are those of the driver. */
const IMITATIONS = [
  { name: 'Amazon DocumentDB', pattern: /\.docdb(-elastic)?\.amazonaws\.com(\.cn)?(:\d+)?$/ },
  { name: 'Azure Cosmos DB', pattern: /\.cosmos\.azure\.(com|cn)(:\d+)?$/ },
];

const OF_MONGO_ITSELF = ['admin', 'local', 'config'];
/** https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions, for servers on any system. */
const IMPOSSIBLE_NAME = /[/\\. "$*<>:|?\0]/;
const NAME_MAX_BYTES = 63;

/** Undefined where the driver complains about something else. */
function unknownOptionsOf(url: string, { message }: Error): Unusable | undefined {
  const names = /^options? ([a-z, ]+) (?:is|are) not supported$/.exec(message)?.[1];
  if (names === undefined || /\?.*@/.test(url)) return undefined; // a password with a `?` is no list of options
  // the driver names them in small letters
  return unknownOptions(
    names.split(', ').map((name) => new RegExp(`[?&](${name})=`, 'i').exec(url)?.[1] ?? name),
  );
}
