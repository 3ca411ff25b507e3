/**
 * Makes a database ours that is empty, brings an older one up to date, and finds out whether one that is there is ours
 * and for this version. Any number of processes may at once.
 */
import { type Db, MongoServerError } from 'mongodb';
import { LOBBY } from '../../../shared/mint.ts';
import { newEpoch } from '../epoch.ts';
import { Unavailable } from '../port.ts';
import { CODE, isDuplicate } from './faults.ts';
import { STEPS } from './migrate.ts';
import {
  type Collections,
  collectionsOf,
  DEFINITIONS,
  META,
  META_ID,
  type MetaDocument,
  VERSION,
} from './schema.ts';
import { type Address, newer, ofAnother } from './unusable.ts';

/**
 * Returns what the database says of itself. `bringUpToDate` is called where steps of migrate.ts are left. Nothing of
 * another application's database has been changed when it throws.
 */
export async function prepare(
  db: Db,
  at: Address,
  bringUpToDate: () => Promise<void>,
): Promise<MetaDocument> {
  const collections = collectionsOf(db);
  const meta = (await known(db, collections, at)) ?? (await mark(collections));
  refuseNewer(meta, at);
  await Promise.all(DEFINITIONS.map((definition) => make(db, definition)));
  if ((meta.steps ?? 0) < STEPS.length) await bringUpToDate();
  await Promise.all(DEFINITIONS.map((definition) => index(db, definition)));
  await makeLobby(collections);
  return meta;
}

/** Throws where processes of this version may not use it any more. */
export function refuseNewer(meta: MetaDocument, at: Address): void {
  if (leastVersion(meta) > VERSION) throw newer(at);
}

/** Which a process must have to use this database. */
export function leastVersion({ schemaVersion, minVersion = 1 }: MetaDocument): number {
  return Math.max(schemaVersion, minVersion);
}

/** Undefined for a database of nothing. */
async function known(db: Db, { meta }: Collections, at: Address) {
  // In this order: who prepares it at the same moment makes the document first, and waits until the majority has it.
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  const others = names.filter((name) => name !== META && !name.startsWith('system.'));
  const documents = await meta.find().limit(2).toArray();
  const ours = documents.find(({ _id }) => _id === META_ID);
  if (!ours && (others.length > 0 || documents.length > 0)) throw ofAnother(at);
  return ours;
}

/** A new database is of this version from the beginning. */
async function mark({ meta }: Collections): Promise<MetaDocument> {
  const made: MetaDocument = {
    _id: META_ID,
    epoch: newEpoch(),
    schemaVersion: VERSION,
    minVersion: VERSION,
    steps: STEPS.length,
    createdAt: Date.now(),
  };
  try {
    await meta.insertOne(made);
    return made;
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
  const first = await meta.findOne({ _id: META_ID });
  if (!first) throw new Unavailable('Another process is just making the database.'); // not yet by the majority
  return first;
}

async function index(db: Db, { name, indexes }: (typeof DEFINITIONS)[number]): Promise<void> {
  if (indexes.length > 0) await db.collection(name).createIndexes(indexes);
}

async function make(db: Db, { name, options }: (typeof DEFINITIONS)[number]): Promise<void> {
  try {
    await db.createCollection(name, options);
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== CODE.NAMESPACE_EXISTS) throw error;
  }
}

async function makeLobby({ rooms }: Collections): Promise<void> {
  const lobby = { _id: LOBBY, kind: 'public', name: 'Lobby', createdBy: '', createdAt: Date.now() } as const;
  try {
    await rooms.insertOne(lobby);
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
}
