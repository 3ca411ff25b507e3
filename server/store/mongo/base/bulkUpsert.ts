/** Upserts of which others may insert the same documents at the same time. */
import { type AnyBulkWriteOperation, type Collection, type Document, MongoBulkWriteError } from 'mongodb';
import { CODE } from './faults.ts';

/** Returns the indexes of the operations that failed with a duplicate key. */
export async function bulkUpsert<T extends Document>(
  collection: Collection<T>,
  operations: AnyBulkWriteOperation<T>[],
): Promise<number[]> {
  if (operations.length === 0) return [];
  try {
    await collection.bulkWrite(operations, { ordered: false });
    return [];
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) throw error;
    const errors = [error.writeErrors].flat();
    if (errors.some(({ code }) => code !== CODE.DUPLICATE_KEY) || errors.length === 0) throw error;
    return errors.map(({ index }) => index);
  }
}
