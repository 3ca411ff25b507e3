/**
 * Raises the least version that may use a database to that of this program. Until then processes of version 0.1 may work
 * beside those of this one, and nothing is written that they would misread; from then on entries of all kinds are taken.
 *
 * Whoever calls it makes sure that no process of an older version runs any more, and that none will be started: one that
 * still runs would fail at the first entry that it does not know. (One that is started is refused, with a sentence that
 * says why.) There is no way back, but for a copy of the database that was made before.
 */
import { type Db, MongoServerError } from 'mongodb';
import type { Logger } from 'pino';
import { connect } from './connect.ts';
import { CODE } from './faults.ts';
import { leastVersion, prepare } from './prepare.ts';
import { collectionsOf, ENTRY_VALIDATOR, META_ID, type MetaDocument, VERSION } from './schema.ts';
import { type Address, mayNotChangeRules, nothingThere } from './unusable.ts';

/** `was-finished`: it had been called before, or the database was made by this version. Rejects with `Unusable`. */
export async function finishUpgrade(
  url: string,
  log: Pick<Logger, 'warn'>,
): Promise<'finished' | 'was-finished'> {
  let wasFinished = false;
  const { client } = await connect(url, log, async (db, at, bringUpToDate) => {
    const there = await collectionsOf(db).meta.findOne({ _id: META_ID });
    if (!there) throw nothingThere(at);
    const meta = await prepare(db, at, bringUpToDate);
    wasFinished = leastVersion(meta) >= VERSION;
    return wasFinished ? meta : raise(db, at, meta);
  });
  await client.close();
  return wasFinished ? 'was-finished' : 'finished';
}

/** The rules of the collection first: when the new processes hear of the new version, they write what the old rules refuse. */
async function raise(db: Db, at: Address, meta: MetaDocument): Promise<MetaDocument> {
  try {
    await db.command({ collMod: 'entries', validator: ENTRY_VALIDATOR });
  } catch (error) {
    if (error instanceof MongoServerError && error.code === CODE.UNAUTHORIZED) throw mayNotChangeRules(at);
    throw error;
  }
  const raised = { schemaVersion: VERSION, minVersion: VERSION };
  await collectionsOf(db).meta.updateOne({ _id: META_ID }, { $max: raised });
  return { ...meta, ...raised };
}
