/**
 * Prepares a database for use: creates the collections of an empty one, runs the migrations of an older one, and refuses one
 * of another application or of a newer version. Any number of processes may do this at the same time.
 */
import { type Db, MongoNetworkTimeoutError, MongoServerError } from 'mongodb';
import { LOBBY } from '../../../../shared/mint.ts';
import { newEpoch, Unavailable } from '../../port.ts';
import {
  type Collections,
  collectionsOf,
  DEFINITIONS,
  META,
  META_ID,
  type MetaDocument,
  VERSION,
} from '../base/collections.ts';
import { CODE, isDuplicate } from '../base/faults.ts';
import type { Address } from './address.ts';
import { leastVersion, refuseNewer } from './databaseVersion.ts';
import { MIGRATION_STEPS, type MigrationStep, stepsFor } from './migrate.ts';
import { ofAnotherApplication } from './unusable.ts';

export interface PrepareTools {
  /** Runs those of these steps that remain. */
  bringUpToDate(steps: readonly MigrationStep[]): Promise<void>;
  /** Runs work that may take hours, with a deadline of its own; the log says how far it is. `what`: for the log. */
  patiently(what: string, work: (db: Db) => Promise<unknown>): Promise<void>;
}

/**
 * Returns the `meta` document. Where it throws because the database belongs to another application, nothing in it has been
 * changed.
 */
export async function prepare(db: Db, address: Address, tools: PrepareTools): Promise<MetaDocument> {
  const collections = collectionsOf(db);
  const meta = (await findMeta(db, collections, address)) ?? (await insertMeta(collections));
  refuseNewer(meta, address);
  await createCollections(db);
  const steps = stepsFor(leastVersion(meta));
  const isOld = (meta.steps ?? 0) < steps.length;
  if (isOld) await tools.bringUpToDate(steps);
  await createAllIndexes(db, tools);
  await insertLobby(collections);
  return isOld ? { ...meta, steps: steps.length } : meta;
}

/** It does not matter whether they exist already. */
export async function createCollections(db: Db): Promise<void> {
  await Promise.all(DEFINITIONS.map((definition) => createCollection(db, definition)));
}

export async function createAllIndexes(db: Db, tools: PrepareTools): Promise<void> {
  await Promise.all(DEFINITIONS.map((definition) => createIndexes(db, definition, tools)));
}

/** Undefined for an empty database. Throws where the database has collections but no `meta` document of ours. */
export async function findMeta(db: Db, { meta }: Pick<Collections, 'meta'>, address: Address) {
  // In this order: a process that prepares it at the same moment inserts the document, by the majority, before all else.
  const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
  const others = names.filter((name) => name !== META && !name.startsWith('system.'));
  const documents = await meta.find().limit(2).toArray();
  const ours = documents.find(({ _id }) => _id === META_ID);
  if (!ours && (others.length > 0 || documents.length > 0)) throw ofAnotherApplication(address);
  return ours;
}

/** A new database has this version from the start. */
async function insertMeta({ meta }: Collections): Promise<MetaDocument> {
  const created: MetaDocument = {
    _id: META_ID,
    epoch: newEpoch(),
    schemaVersion: VERSION,
    minVersion: VERSION,
    steps: MIGRATION_STEPS.length,
    createdAt: Date.now(),
  };
  try {
    await meta.insertOne(created);
    return created;
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
  const existing = await meta.findOne({ _id: META_ID });
  if (!existing) throw new Unavailable('Another process is creating the database.'); // not committed by the majority yet
  return existing;
}

/** Where a new index takes longer than the timeout of a call, the server goes on building it: a second request waits for it. */
async function createIndexes(
  db: Db,
  { name, indexes }: (typeof DEFINITIONS)[number],
  { patiently }: PrepareTools,
): Promise<void> {
  if (indexes.length === 0) return;
  const create = (there: Db) => there.collection(name).createIndexes(indexes);
  try {
    await create(db);
  } catch (error) {
    if (!(error instanceof MongoNetworkTimeoutError)) throw error;
    await patiently(`an index of ${name}`, create);
  }
}

async function createCollection(db: Db, { name, options }: (typeof DEFINITIONS)[number]): Promise<void> {
  try {
    await db.createCollection(name, options);
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== CODE.NAMESPACE_EXISTS) throw error;
  }
}

async function insertLobby({ rooms }: Collections): Promise<void> {
  const now = Date.now();
  const lobby = {
    _id: LOBBY,
    kind: 'public',
    name: 'Lobby',
    createdBy: '',
    createdAt: now,
    activeAt: now,
  } as const;
  try {
    await rooms.insertOne(lobby);
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
}
