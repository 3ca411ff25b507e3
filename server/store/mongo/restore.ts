/** What is left to do after a `mongorestore`: the database says that it is another one than it was. */
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { newEpoch } from '../epoch.ts';
import { connect } from './connect.ts';
import { refuseNewer } from './prepare.ts';
import { collectionsOf, META_ID, type MetaDocument } from './schema.ts';
import { type Address, nothingThere } from './unusable.ts';

/** Whoever has another epoch reads all anew, and keeps what waits. Rejects with `Unusable` where something is to be done. */
export async function renewEpoch(url: string, log: Pick<Logger, 'warn'>): Promise<void> {
  const { client } = await connect(url, log, renew);
  await client.close();
}

async function renew(db: Db, at: Address): Promise<MetaDocument> {
  const { meta } = collectionsOf(db);
  const ours = await meta.findOne({ _id: META_ID });
  if (!ours) throw nothingThere(at);
  refuseNewer(ours, at);
  const epoch = newEpoch();
  await meta.updateOne({ _id: META_ID }, { $set: { epoch } });
  return { ...ours, epoch };
}
