/** Makes a database ours that is empty, and finds out whether one that is not is. Any number of processes may at once. */
import { type Db, MongoServerError } from 'mongodb';
import { LOBBY } from '../../../shared/mint.ts';
import { newEpoch } from '../epoch.ts';
import { Unavailable } from '../port.ts';
import { CODE, isDuplicate } from './faults.ts';
import { type Collections, collectionsOf, DEFINITIONS, META, META_ID, SCHEMA_VERSION } from './schema.ts';
import { type Address, newer, ofAnother } from './unusable.ts';

/** Returns the epoch. Nothing of another application's database has been changed when it throws. */
export async function prepare(db: Db, at: Address): Promise<string> {
  const collections = collectionsOf(db);
  const { epoch, schemaVersion } = (await known(db, collections, at)) ?? (await mark(collections));
  if (schemaVersion > SCHEMA_VERSION) throw newer(at);
  await Promise.all(DEFINITIONS.map((definition) => make(db, definition)));
  await makeLobby(collections);
  return epoch;
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

async function mark({ meta }: Collections) {
  const made = {
    _id: META_ID,
    epoch: newEpoch(),
    schemaVersion: SCHEMA_VERSION,
    createdAt: Date.now(),
  } as const;
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

async function make(db: Db, { name, options, indexes }: (typeof DEFINITIONS)[number]): Promise<void> {
  try {
    await db.createCollection(name, options);
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== CODE.NAMESPACE_EXISTS) throw error;
  }
  if (indexes.length > 0) await db.collection(name).createIndexes(indexes);
}

async function makeLobby({ rooms }: Collections): Promise<void> {
  const lobby = { _id: LOBBY, kind: 'public', name: 'Lobby', createdBy: '', createdAt: Date.now() } as const;
  try {
    await rooms.insertOne(lobby);
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
}
