/** Inserts entries, the only command that writes them, and reports the outcome for each document. */
import { BSON, MongoBulkWriteError } from 'mongodb';
import type { EntryDocument, InsertReply, RoomHead } from './append/commands.ts';
import {
  type Collections,
  ENTRIES_BY_KEY,
  ENTRIES_BY_OFFSET,
  ENTRIES_BY_ROLE_SEQ,
} from './base/collections.ts';
import { faultOf, isUnsendable } from './base/faults.ts';

interface Deps {
  collections: Pick<Collections, 'entriesOf'>;
  /** Called after each acknowledgement: the room is durable up to `newest`; the insert took `tookMs` milliseconds. */
  onDurable: (room: string, newest: RoomHead, tookMs: number) => void;
  /** The name of this process for the others (writeTurns.ts). */
  by: string;
}

/** The documents are of one room, with consecutive serverOffsets; at least one. */
export type Insert = (documents: readonly EntryDocument[]) => Promise<InsertReply>;

export function createInsert({ collections, onDurable, by }: Deps): Insert {
  return insert;

  async function insert(documents: readonly EntryDocument[]): Promise<InsertReply> {
    const deep = documents.findIndex(({ content }) => isDeeperThan(content, MAX_CONTENT_LEVELS));
    if (deep >= 0) return insertBefore(documents, deep, 'The content is nested too deeply.');
    const start = performance.now();
    const last = documents.length - 1;
    try {
      // copies, because the driver adds an _id to what it inserts
      await collections
        .entriesOf(documents[0]!.room)
        .insertMany(documents.map((document, i) => (i === last ? { ...document, by } : { ...document })));
    } catch (error) {
      return isUnsendable(error) ? unsent(documents, error.message) : failed(documents, error, start);
    }
    acknowledged(documents, documents.length, start);
    return { tag: 'inserted' };
  }

  /** The insert is ordered: the server took the documents before the one that failed. */
  async function failed(
    documents: readonly EntryDocument[],
    error: unknown,
    start: number,
  ): Promise<InsertReply> {
    const fault = faultOf(error);
    if (fault.tag === 'unknown') return fault;
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const inserted = [error.writeErrors].flat()[0]!.index;
    // A server that validates the whole batch first has inserted nothing.
    if (fault.tag === 'refused' && error.insertedCount < inserted)
      return insertBefore(documents, inserted, fault.message);
    acknowledged(documents, inserted, start);
    if (fault.tag === 'refused') return { tag: 'refused', inserted, message: fault.message };
    switch (fault.index) {
      case ENTRIES_BY_OFFSET:
        return { tag: 'duplicate', inserted, of: 'serverOffset' };
      case ENTRIES_BY_ROLE_SEQ:
        return { tag: 'duplicate', inserted, of: 'roleSeq' };
      case ENTRIES_BY_KEY:
      case '_id_': // the same document: a retry of the driver
        return { tag: 'duplicate', inserted, of: 'clientOffset' };
      default:
        return { tag: 'unknown', message: `a duplicate in an index that is not ours: ${fault.index}` };
    }
  }

  /** The driver validates the whole batch before it sends any of it. */
  async function unsent(documents: readonly EntryDocument[], message: string): Promise<InsertReply> {
    const invalid = documents.findIndex(isUnsendableDocument);
    return invalid < 0 ? { tag: 'unknown', message } : insertBefore(documents, invalid, message);
  }

  /** Inserts the documents before the one at `invalid`, which is refused with this message. */
  async function insertBefore(
    documents: readonly EntryDocument[],
    invalid: number,
    message: string,
  ): Promise<InsertReply> {
    const reply = invalid > 0 ? await insert(documents.slice(0, invalid)) : { tag: 'inserted' as const };
    return reply.tag === 'inserted' ? { tag: 'refused', inserted: invalid, message } : reply;
  }

  function acknowledged(documents: readonly EntryDocument[], inserted: number, start: number): void {
    const last = documents[inserted - 1];
    if (last) onDurable(last.room, last, performance.now() - start);
  }
}

/** A server accepts 100 levels. Its error for more does not say which document has them. */
const MAX_CONTENT_LEVELS = 90;

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}

/** 16 MiB, the limit of every server, minus the _id that the driver adds. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const ID_BYTES = 32;

function isUnsendableDocument(document: EntryDocument): boolean {
  try {
    return BSON.calculateObjectSize(document) >= MAX_DOCUMENT_BYTES - ID_BYTES;
  } catch {
    return true;
  }
}
