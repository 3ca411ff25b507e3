/** The one command that writes entries, and what its answer says of each document. */
import { BSON, MongoBulkWriteError } from 'mongodb';
import type { EntryDocument, Head, InsertReply } from './append/commands.ts';
import { faultOf, isUnsendable } from './faults.ts';
import { type Collections, ENTRIES_BY_KEY, ENTRIES_BY_OFFSET } from './schema.ts';

interface Deps {
  collections: Pick<Collections, 'entriesOf'>;
  /** So far the room is durable: what was inserted here is acknowledged, after so many milliseconds. */
  onDurable: (room: string, newest: Head, tookMs: number) => void;
  /** This process, to the others: turns.ts. */
  by: string;
}

/** Of one room, consecutive, at least one. */
export type Insert = (documents: readonly EntryDocument[]) => Promise<InsertReply>;

export function createInsert({ collections, onDurable, by }: Deps): Insert {
  return insert;

  async function insert(documents: readonly EntryDocument[]): Promise<InsertReply> {
    const deep = documents.findIndex(({ content }) => isDeeperThan(content, MAX_CONTENT_LEVELS));
    if (deep >= 0) return before(documents, deep, 'The content is nested too deeply.');
    const start = performance.now();
    const last = documents.length - 1;
    try {
      // copies: the driver gives what it inserts an _id
      await collections
        .entriesOf(documents[0]!.room)
        .insertMany(documents.map((document, i) => (i === last ? { ...document, by } : { ...document })));
    } catch (error) {
      return isUnsendable(error) ? unsent(documents, error.message) : stopped(documents, error, start);
    }
    durable(documents, documents.length, start);
    return { tag: 'inserted' };
  }

  /** The server took them one by one, up to one that it did not take. */
  async function stopped(
    documents: readonly EntryDocument[],
    error: unknown,
    start: number,
  ): Promise<InsertReply> {
    const fault = faultOf(error);
    if (fault.tag === 'unknown') return fault;
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const inserted = [error.writeErrors].flat()[0]!.index;
    // A server that looks at all of them first has inserted none.
    if (fault.tag === 'refused' && error.insertedCount < inserted)
      return before(documents, inserted, fault.message);
    durable(documents, inserted, start);
    if (fault.tag === 'refused') return { tag: 'refused', inserted, message: fault.message };
    switch (fault.index) {
      case ENTRIES_BY_OFFSET:
        return { tag: 'duplicate', inserted, of: 'serverOffset' };
      case ENTRIES_BY_KEY:
      case '_id_': // this very document: the driver asked twice
        return { tag: 'duplicate', inserted, of: 'clientOffset' };
      default:
        return { tag: 'unknown', message: `a duplicate in an index that is not ours: ${fault.index}` };
    }
  }

  /** The driver looks at all of them first, and has sent none. */
  async function unsent(documents: readonly EntryDocument[], message: string): Promise<InsertReply> {
    const guilty = documents.findIndex(isGuilty);
    return guilty < 0 ? { tag: 'unknown', message } : before(documents, guilty, message);
  }

  async function before(
    documents: readonly EntryDocument[],
    guilty: number,
    message: string,
  ): Promise<InsertReply> {
    const reply = guilty > 0 ? await insert(documents.slice(0, guilty)) : { tag: 'inserted' as const };
    return reply.tag === 'inserted' ? { tag: 'refused', inserted: guilty, message } : reply;
  }

  function durable(documents: readonly EntryDocument[], inserted: number, start: number): void {
    const last = documents[inserted - 1];
    if (last) onDurable(last.room, last, performance.now() - start);
  }
}

/** A server takes 100 levels, and says of what has more only that the command failed. */
const MAX_CONTENT_LEVELS = 90;

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}

/** 16 MiB, as every server says of itself; the driver adds an _id. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const ID_BYTES = 32;

function isGuilty(document: EntryDocument): boolean {
  try {
    return BSON.calculateObjectSize(document) >= MAX_DOCUMENT_BYTES - ID_BYTES;
  } catch {
    return true;
  }
}
