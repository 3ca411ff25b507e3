/** The operators' commands on a MongoDB: what remains to be done after `mongorestore`, and at the end of an upgrade. */
import { type Db, MongoServerError } from 'mongodb';
import type { Logger } from 'pino';
import { newEpoch } from '../../port.ts';
import { collectionsOf, ENTRY_VALIDATOR, META_ID, type MetaDocument, VERSION } from '../base/collections.ts';
import { CODE } from '../base/faults.ts';
import type { Address } from './address.ts';
import { connectMongo, type Prepare } from './connect.ts';
import { leastVersion, refuseNewer } from './databaseVersion.ts';
import { MIGRATION_STEPS } from './migrate.ts';
import { prepare } from './prepare.ts';
import { mayNotChangeValidator, nothingThere } from './unusable.ts';

/**
 * `npm run restore` after `mongorestore`: gives the database a new epoch, so that clients drop what they hold of its logs,
 * read everything again, and keep their outbox. Rejects with `Unusable`, whose message says what to do.
 */
export async function renewEpoch(url: string, log: Pick<Logger, 'warn'>): Promise<void> {
  const connection = await connectMongo({ url, log, prepareDatabase: renew });
  await connection.close();
}

async function renew(db: Db, address: Address): Promise<MetaDocument> {
  const { meta } = collectionsOf(db);
  const ours = await meta.findOne({ _id: META_ID });
  if (!ours) throw nothingThere(address);
  refuseNewer(ours, address);
  const epoch = newEpoch();
  await meta.updateOne({ _id: META_ID }, { $set: { epoch } });
  return { ...ours, epoch };
}

/**
 * `npm run finish-upgrade`: raises the least version that may use the database to that of this program. Until then processes
 * of an older version may run beside those of this one, and nothing is written that they would misread; afterwards entries of
 * all kinds are accepted, and devices are moved into documents of their own, while processes of this version run.
 *
 * The operator makes sure that no process of an older version runs, and that none will be started: a running one would fail
 * at the first entry of a kind it does not know (one that is started is refused, with a sentence that says why). The only
 * way back is a copy of the database that was made before.
 *
 * `was-finished`: it was called before, or this version created the database. Rejects with `Unusable`.
 */
export async function finishUpgrade(
  url: string,
  log: Pick<Logger, 'warn'>,
): Promise<'finished' | 'was-finished'> {
  let wasFinished = false;
  const finish: Prepare = async (db, address, tools) => {
    const existing = await collectionsOf(db).meta.findOne({ _id: META_ID });
    if (!existing) throw nothingThere(address);
    const meta = await prepare(db, address, tools);
    wasFinished = leastVersion(existing) >= VERSION && (existing.steps ?? 0) >= MIGRATION_STEPS.length;
    if (wasFinished) return meta;
    await raise(db, address);
    return prepare(db, address, tools); // the steps that waited for it
  };
  const connection = await connectMongo({ url, log, prepareDatabase: finish });
  await connection.close();
  return wasFinished ? 'was-finished' : 'finished';
}

/** The validator first: as soon as processes see the new version, they write what the old validator refuses. */
async function raise(db: Db, address: Address): Promise<void> {
  try {
    await db.command({ collMod: 'entries', validator: ENTRY_VALIDATOR });
  } catch (error) {
    if (error instanceof MongoServerError && error.code === CODE.UNAUTHORIZED)
      throw mayNotChangeValidator(address);
    throw error;
  }
  const raised = { schemaVersion: VERSION, minVersion: VERSION };
  await collectionsOf(db).meta.updateOne({ _id: META_ID }, { $max: raised });
}
