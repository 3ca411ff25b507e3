/**
 * The change stream as MongoDB speaks it: one `aggregate`, then a `getMore` for each round. Not the driver's own
 * ChangeStream: that resumes out of sight and with waits of its own, and hands out one change at a time.
 */
import { type Collection, type Db, type Document, Long, Timestamp } from 'mongodb';
import type { EntryDocument } from './append/commands.ts';
import type { ChangeSource, Rounds } from './tailLoop.ts';
import type { Place } from './tailPlace.ts';
import { redactByEachOther, redactByLog } from './tailRedact.ts';

const ROUND_MS = 1_000;
const ROUND_CHANGES = 200;
const KILL_WITHIN_MS = 1_000;

export function changesOf(
  db: Db,
  entries: Collection<EntryDocument>,
): ChangeSource<EntryDocument, Timestamp> {
  return {
    async present(signal) {
      const read = { find: entries.collectionName, limit: 1, projection: { _id: 1 }, readConcern: MAJORITY };
      const { operationTime } = await db.command(read, { signal, readPreference: 'primary' });
      return after(operationTime);
    },
    open: (from) => openRounds(db, entries, from),
  };
}

const MAJORITY = { level: 'majority' };

/**
 * Of a majority read, operationTime is the newest moment that is committed: what is committed later comes after it. A
 * stream begins with what happened at its very moment, so it begins one further.
 */
function after({ t, i }: Timestamp): Timestamp {
  return new Timestamp({ t, i: i + 1 });
}

type OpenPlace = Exclude<Place<Timestamp>, { tag: 'present' }>;

function openRounds(db: Db, entries: Collection<EntryDocument>, from: OpenPlace): Rounds<EntryDocument> {
  const collection = entries.collectionName;
  const session = db.client.startSession({ causalConsistency: false });
  let cursor: Long | undefined;
  /** Until a round finds nothing more: what it brings may be of long ago. */
  let isBehind = from.tag === 'token';

  async function ask(signal: AbortSignal): Promise<Document> {
    const command = cursor ? more(collection, cursor) : open(collection, from);
    const options = { session, signal, readPreference: 'primary', enableUtf8Validation: false } as const;
    const answer = await db.command(command, options);
    const isFirst = cursor === undefined;
    cursor = Long.fromValue(answer.cursor.id); // a small one comes as a number, and must not go back as such
    if (!isFirst && answer.cursor.nextBatch.length === 0) isBehind = false;
    return answer.cursor;
  }

  return {
    async next(signal) {
      const { firstBatch, nextBatch, postBatchResumeToken } = await ask(signal);
      const batch: Document[] = firstBatch ?? nextBatch;
      const documents = redactByEachOther(batch.map(({ fullDocument }) => fullDocument));
      return {
        changes: isBehind ? await redactByLog(documents, entries) : documents,
        token: postBatchResumeToken._data,
        isLast: cursor!.isZero(),
      };
    },
    abandon() {
      void leave().catch(() => {}); // the server forgets a cursor that nobody asks, too
    },
  };

  async function leave() {
    const kill = { killCursors: collection, cursors: [cursor] };
    const signal = AbortSignal.timeout(KILL_WITHIN_MS);
    if (cursor && !cursor.isZero()) await db.command(kill, { session, signal }).catch(() => {});
    await session.endSession();
  }
}

function open(collection: string, from: OpenPlace): Document {
  const start =
    from.tag === 'token' ? { resumeAfter: { _data: from.token } } : { startAtOperationTime: from.time };
  return {
    aggregate: collection,
    pipeline: [
      { $changeStream: start },
      { $match: { operationType: 'insert' } },
      { $project: { fullDocument: 1 } },
    ],
    cursor: { batchSize: ROUND_CHANGES },
    readConcern: MAJORITY,
  };
}

function more(collection: string, cursor: Long): Document {
  return { getMore: cursor, collection, batchSize: ROUND_CHANGES, maxTimeMS: ROUND_MS };
}
