/**
 * The change stream as MongoDB's protocol has it: one `aggregate`, then a `getMore` for each round. The driver's own
 * ChangeStream is not used: it resumes on its own, with waits of its own, and hands out one change at a time.
 *
 * A stream shows each entry as it was inserted. Read from an older position, some entries were removed since: those are
 * redacted here, so that no reader sees removed content.
 */
import { type Collection, type Db, type Document, Long, Timestamp } from 'mongodb';
import { kindsThat, ruleOf } from '../../../../shared/kinds.ts';
import type { EntryDocument } from '../append/commands.ts';
import { whereAmends } from '../base/entryDocuments.ts';
import type { StreamPosition } from './streamFailure.ts';
import type { ChangeSource, Rounds } from './streamLoop.ts';

const ROUND_MS = 1_000;
const ROUND_CHANGES = 200;
const KILL_WITHIN_MS = 1_000;

export function changesOf(
  db: Db,
  entries: Collection<EntryDocument>,
): ChangeSource<EntryDocument, Timestamp> {
  return {
    async present(signal) {
      const nothing = { find: entries.collectionName, filter: { _id: null }, readConcern: MAJORITY };
      const { operationTime } = await db.command(nothing, { signal, readPreference: 'primary' });
      return after(operationTime);
    },
    open: (from) => openRounds(db, entries, from),
  };
}

const MAJORITY = { level: 'majority' };

/**
 * The operationTime of a majority read is the newest committed time: later commits come after it. A stream includes the
 * changes of its start time, so it starts one increment later.
 */
function after({ t, i }: Timestamp): Timestamp {
  return new Timestamp({ t, i: i + 1 });
}

type OpenPosition = Exclude<StreamPosition<Timestamp>, { tag: 'present' }>;

function openRounds(db: Db, entries: Collection<EntryDocument>, from: OpenPosition): Rounds<EntryDocument> {
  const collection = entries.collectionName;
  const session = db.client.startSession({ causalConsistency: false });
  let cursor: Long | undefined;
  /** True until a round is empty: the entries of earlier rounds may be old, and removed since. */
  let isBehind = from.tag === 'token';

  async function ask(signal: AbortSignal): Promise<Document> {
    const command = cursor ? more(collection, cursor) : open(collection, from);
    const options = { session, signal, readPreference: 'primary', enableUtf8Validation: false } as const;
    const answer = await db.command(command, options);
    const isFirst = cursor === undefined;
    cursor = Long.fromValue(answer.cursor.id); // a small id arrives as a number, but must be sent as a Long
    if (!isFirst && answer.cursor.nextBatch.length === 0) isBehind = false;
    return answer.cursor;
  }

  return {
    async next(signal) {
      const { firstBatch, nextBatch, postBatchResumeToken } = await ask(signal);
      const batch: Document[] = firstBatch ?? nextBatch;
      const documents = redactWithinBatch(batch.map(({ fullDocument }) => fullDocument));
      return {
        changes: isBehind ? await redactByLog(documents, entries) : documents,
        token: postBatchResumeToken._data,
        isLast: cursor!.isZero(),
      };
    },
    abandon() {
      void releaseCursor().catch(() => {}); // the server also drops a cursor that nobody reads
    },
  };

  async function releaseCursor() {
    const kill = { killCursors: collection, cursors: [cursor] };
    const signal = AbortSignal.timeout(KILL_WITHIN_MS);
    if (cursor && !cursor.isZero()) await db.command(kill, { session, signal }).catch(() => {});
    await session.endSession();
  }
}

function open(collection: string, from: OpenPosition): Document {
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

/** Redacts the content that a removal in the same batch removes. */
function redactWithinBatch(documents: readonly EntryDocument[]): EntryDocument[] {
  return redactRemoved(
    documents,
    documents.filter(({ kind }) => ruleOf(kind)?.effect === 'remove'),
  );
}

/** Redacts the content that any committed removal removes, whether or not that removal was applied to its target yet. */
async function redactByLog(
  documents: readonly EntryDocument[],
  entries: Collection<EntryDocument>,
): Promise<EntryDocument[]> {
  const removals = [...Map.groupBy(documents.filter(hasContent), ({ room }) => room)].map(([room, its]) =>
    entries
      .find(whereAmends(room, its.map(ownerOf), kindsThat('remove')))
      .project<Removal>({ _id: 0, room: 1, target: 1 })
      .toArray(),
  );
  return redactRemoved(documents, (await Promise.all(removals)).flat());
}

type Removal = Pick<EntryDocument, 'room' | 'target'>;

function redactRemoved(documents: readonly EntryDocument[], removals: readonly Removal[]): EntryDocument[] {
  if (removals.length === 0) return [...documents];
  const removed = new Set(removals.map(({ room, target }) => `${room} ${target}`));
  return documents.map((document) => {
    if (!hasContent(document) || !removed.has(`${document.room} ${ownerOf(document)}`)) return document;
    const { body: _, content: __, ...kept } = document;
    return { ...kept, deleted: true };
  });
}

function hasContent({ body, content }: EntryDocument): boolean {
  return body !== undefined || content !== undefined;
}

/** serverOffset of the message whose removal removes this content: the message it replaces, or itself. */
function ownerOf({ serverOffset, kind, target }: EntryDocument): number {
  return ruleOf(kind)?.effect === 'replace' && target !== undefined ? target : serverOffset;
}
