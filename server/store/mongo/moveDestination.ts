/**
 * The database that `npm run migrate` fills. Until it is complete, its `meta` document says so, and servers of every version refuse
 * to use it. All writes may be repeated.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, type Document, MongoBulkWriteError } from 'mongodb';
import type { Logger } from 'pino';
import {
  copyText,
  type MoveDestination,
  type MovedEntry,
  type MovedPart,
  type MovePosition,
  type MoveState,
  type StoredCopy,
} from '../move.ts';
import { Unavailable, Unusable } from '../port.ts';
import type { EntryDocument } from './append/commands.ts';
import {
  collectionsOf,
  META_ID,
  type MetaDocument,
  VERSION,
  VERSION_WHILE_FILLING,
} from './base/collections.ts';
import { chunks, ENTRY_FIELDS, entryOf } from './base/entryDocuments.ts';
import { CODE, describeError, faultOf, isDatabaseError, isUnsendable } from './base/faults.ts';
import { collectionOf, documentOf, entryDocumentOf, keepsId, whereKey, wherePart } from './movedDocuments.ts';
import { type Address, placeOf } from './open/address.ts';
import { connectMongo, type Patience } from './open/connect.ts';
import { MIGRATION_STEPS } from './open/migrate.ts';
import { createAllIndexes, createCollections, findMeta } from './open/prepare.ts';
import { probeDatabase } from './open/probeDatabase.ts';
import { filledByAnotherRun, notEmpty, refusedByServer } from './open/unusable.ts';

interface Options {
  url: string;
  log: Pick<Logger, 'warn'>;
  /** The epoch of the source, which the destination takes over. */
  epoch: string;
  /** What the source knows of its move, at this moment. */
  state: () => MoveState | undefined;
  /** Called where the database can be reached, and is empty. Returns the id of the run that fills it. */
  begin: (place: string) => string;
  /** Called where the run of the source has filled the database, at least in part. */
  resume: (place: string) => void;
  patience?: Partial<Patience>;
}

/** Rejects with `Unusable` or `Unavailable`, whose message says what to do. */
export async function openMoveDestination({
  url,
  log,
  epoch,
  state,
  begin,
  resume,
  patience,
}: Options): Promise<MoveDestination> {
  const connection = await connectMongo({
    url,
    log,
    patience: { socketMs: ANSWER_WITHIN_MS, ...patience },
    async prepareDatabase(db, address, tools) {
      const { meta } = collectionsOf(db);
      const existing = await findMeta(db, { meta }, address);
      const before = state();
      const moved = before?.state === 'copying' ? undefined : before;
      if (existing && !existing.filling) {
        if (moved && existing.filledBy === moved.run) return existing; // the source does not know that it is complete
        throw moved ? movedElsewhere(moved) : notEmpty(address);
      }
      // by the run and not by the address, of which one database has many
      if (moved && existing?.filling?.run !== moved.run) throw movedElsewhere(moved);
      if (existing && existing.filling?.run !== before?.run) throw filledByAnotherRun(address);
      const place = placeOf(address, url);
      const filled = existing ?? metaOf(epoch, begin(place));
      if (existing) resume(place);
      else await meta.insertOne(filled);
      await createCollections(db);
      await createAllIndexes(db, tools);
      return filled;
    },
  });
  const { db, streams, address, meta } = connection;
  try {
    await probeDatabase({ db, streams, address });
  } catch (error) {
    await connection.close();
    throw error;
  }
  const { seq, change, hasRows } = meta.filling ?? NOTHING;
  const closing = new AbortController();
  return {
    ...destinationOn(db, address, { seq, change, hasRows }, closing.signal),
    place: placeOf(address, url),
    close() {
      closing.abort();
      return connection.close();
    },
  };
}

/** Longer than for a server: a batch is large. */
const ANSWER_WITHIN_MS = 60_000;
/** An election takes up to 12 s. */
const RETRY_FOR_MS = 45_000;
const RETRY_EVERY_MS = 500;
const DOCUMENTS_PER_WRITE = 1_000;
const ROWS_PER_READ = 200;
const NOTHING: MovePosition = { seq: 0, change: 0, hasRows: false };

function movedElsewhere({ place }: MoveState): Unusable {
  return new Unusable(`The file was moved to ${place} before: name that address with --to.`);
}

function metaOf(epoch: string, run: string): MetaDocument {
  return {
    _id: META_ID,
    epoch,
    schemaVersion: VERSION_WHILE_FILLING,
    minVersion: VERSION_WHILE_FILLING,
    steps: MIGRATION_STEPS.length,
    createdAt: Date.now(),
    filling: { run, ...NOTHING },
  };
}

function destinationOn(
  db: Db,
  address: Address,
  first: MovePosition,
  closing: AbortSignal,
): Omit<MoveDestination, 'place' | 'close'> {
  const collections = collectionsOf(db);
  const { meta } = collections;
  let position = first;

  return {
    position: () => position,
    async save(next) {
      const set = Object.fromEntries(Object.entries(next).map(([name, value]) => [`filling.${name}`, value]));
      await again(() => meta.updateOne({ _id: META_ID }, { $set: set }));
      position = next;
    },
    async insertEntries(entries) {
      const [one] = entries;
      if (!one) return;
      const insert = () =>
        collections.entriesOf(one.room).insertMany(entries.map(entryDocumentOf), UNORDERED);
      await again(() => withoutDuplicates(insert)).catch((error: unknown) => {
        throw refusedEntry(error, entries) ?? error;
      });
    },
    async replaceEntries(entries) {
      for (const some of chunks(entries, DOCUMENTS_PER_WRITE)) {
        const operations = some.map((entry) => ({
          replaceOne: {
            filter: { room: entry.room, serverOffset: entry.serverOffset },
            replacement: entryDocumentOf(entry),
            upsert: true,
          },
        }));
        await again(() => collections.entriesOf(some[0]!.room).bulkWrite(operations, UNORDERED));
      }
    },
    async clear(part) {
      await again(() => collectionOf(collections, part).deleteMany(wherePart(part)));
    },
    async insertRows(part, rows) {
      for (const some of chunks(rows, DOCUMENTS_PER_WRITE))
        await again(() =>
          withoutDuplicates(() =>
            collectionOf(collections, part).insertMany(
              some.map((row) => documentOf(part, row)),
              UNORDERED,
            ),
          ),
        );
    },
    async deleteRows(part, keys) {
      for (const some of chunks(keys, DOCUMENTS_PER_WRITE)) {
        const operations = some.map((key) => ({ deleteOne: { filter: whereKey(part, key) } }));
        await again(() => collectionOf(collections, part).bulkWrite(operations, UNORDERED));
      }
    },
    count: (part) =>
      again(async () => {
        if (part !== 'entries') return collectionOf(collections, part).countDocuments(wherePart(part));
        const counts = collections.entries.map((entries) => entries.countDocuments({}));
        return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
      }),
    async *entriesOf(room) {
      const found = collections
        .entriesOf(room)
        .find({ room })
        .sort({ serverOffset: 1 })
        .project<EntryDocument>(COPY_FIELDS)
        .batchSize(DOCUMENTS_PER_WRITE);
      for await (const document of explained(found)) yield copyOf(document);
    },
    async entriesAt(room, offsets) {
      const found: StoredCopy[] = [];
      for (const some of chunks(offsets, ROWS_PER_READ)) {
        const where = { room, serverOffset: { $in: [...some] } };
        const cursor = collections.entriesOf(room).find(where).project<EntryDocument>(COPY_FIELDS);
        found.push(...(await again(() => cursor.clone().toArray())).map(copyOf));
      }
      return found;
    },
    async *texts(part) {
      const found = collectionOf(collections, part).find(wherePart(part)).batchSize(DOCUMENTS_PER_WRITE);
      for await (const document of explained(found)) yield textOf(part, document);
    },
    async textsAt(part, keys) {
      const found: string[] = [];
      for (const some of chunks(keys, ROWS_PER_READ)) {
        const $or = some.map((key) => whereKey(part, key));
        const where = { $and: [{ $or }, wherePart(part)] };
        const documents = await again(() => collectionOf(collections, part).find(where).toArray());
        found.push(...documents.map((document) => textOf(part, document)));
      }
      return found;
    },
    textOf: (part, row) => textOf(part, documentOf(part, row)),
    async finish(usersRev) {
      const open = { schemaVersion: VERSION, minVersion: VERSION, ...(usersRev > 0 && { usersRev }) };
      const found = await again(() => meta.findOne({ _id: META_ID }));
      if (!found?.filling) return; // servers may have begun to use it
      const set = { ...open, filledBy: found.filling.run };
      await again(() => meta.updateOne({ _id: META_ID }, { $set: set, $unset: { filling: '' } }));
    },
  };

  /** Repeats what fails for reasons that time may mend, until the destination is closed. */
  async function again<T>(work: () => Promise<T>): Promise<T> {
    for (
      const until = performance.now() + RETRY_FOR_MS;
      ;
      await sleep(RETRY_EVERY_MS, undefined, { signal: closing })
    ) {
      try {
        return await work();
      } catch (error) {
        if (!isDatabaseError(error) || faultOf(error).tag !== 'unknown') throw error;
        const refused = refusedByServer(error, address);
        if (refused) throw refused;
        if (performance.now() > until) throw doesNotAnswer(error);
      }
    }
  }

  async function* explained<T>(found: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* found;
    } catch (error) {
      throw isDatabaseError(error) ? (refusedByServer(error, address) ?? doesNotAnswer(error)) : error;
    }
  }

  function doesNotAnswer(error: Error): Unavailable {
    return new Unavailable(
      `The MongoDB at ${address.hosts} does not answer (${describeError(error)}): call this again when it does; it goes on where it stopped.`,
    );
  }
}

const UNORDERED = { ordered: false } as const;
const COPY_FIELDS = { ...ENTRY_FIELDS, digest: 1, roleSeq: 1 } as const;

function copyOf(document: EntryDocument): StoredCopy {
  const { serverOffset, digest, roleSeq = null } = document;
  return { serverOffset, text: copyText(entryOf(document), digest, roleSeq) };
}

function textOf(part: MovedPart, { _id, ...fields }: Document): string {
  const sorted = Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(keepsId(part) ? [_id, sorted] : sorted);
}

/** Documents that an earlier attempt has inserted are not inserted again. */
async function withoutDuplicates(insert: () => Promise<unknown>): Promise<void> {
  try {
    await insert();
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) throw error;
    const other = [error.writeErrors].flat().find(({ code }) => code !== CODE.DUPLICATE_KEY);
    if (other || [error.writeErrors].flat().length === 0) throw error;
  }
}

/** Undefined where the entries are not the reason. */
function refusedEntry(error: unknown, entries: readonly MovedEntry[]): Unusable | undefined {
  const isWrite = isDatabaseError(error) || isUnsendable(error);
  if (!isWrite || faultOf(error).tag !== 'refused') return undefined;
  const at =
    error instanceof MongoBulkWriteError
      ? [error.writeErrors].flat().find(({ code }) => code !== CODE.DUPLICATE_KEY)
      : undefined;
  const entry = at && entries[at.index];
  const which = entry ? `the entry ${entry.serverOffset} of the room ${entry.room}` : 'an entry';
  return new Unusable(
    `MongoDB refuses ${which} (${describeError(error)}): the file is unchanged and in use.`,
  );
}
