/** What an error of the driver means for those who wait. */
import { BSON, MongoBulkWriteError, MongoError, MongoInvalidArgumentError, MongoServerError } from 'mongodb';

export type Fault =
  /** Another document has this key of the index named. */
  | { tag: 'duplicate'; index: string }
  /** The database refuses this document for what it is. */
  | { tag: 'refused'; message: string }
  /** What was asked may have been done, be done later, or never. */
  | { tag: 'unknown'; message: string };

/** Error codes of MongoDB, https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml. */
export const CODE = {
  UNAUTHORIZED: 13,
  AUTHENTICATION_FAILED: 18,
  NAMESPACE_EXISTS: 48,
  INDEX_OPTIONS_CONFLICT: 85,
  INDEX_KEY_SPECS_CONFLICT: 86,
  DOCUMENT_VALIDATION_FAILURE: 121,
  ATLAS_ERROR: 8_000,
  BSON_OBJECT_TOO_LARGE: 10_334,
  DUPLICATE_KEY: 11_000,
  OUT_OF_DISK_SPACE: 14_031,
} as const;

const REFUSED: ReadonlySet<unknown> = new Set([CODE.DOCUMENT_VALIDATION_FAILURE, CODE.BSON_OBJECT_TOO_LARGE]);

/** Throws what did not come from the driver: that is a mistake of ours. */
export function faultOf(error: unknown): Fault {
  if (isUnsendable(error)) return { tag: 'refused', message: error.message };
  if (!isOfTheDatabase(error)) throw error;
  const unknown = { tag: 'unknown', message: messageOf(error) } as const;
  // What was written before the duplicate may not be durable then, nor what the duplicate met (L4).
  if (error instanceof MongoBulkWriteError && error.result.getWriteConcernError()) return unknown;
  if (!(error instanceof MongoServerError)) return unknown;
  const index = error.code === CODE.DUPLICATE_KEY ? indexOf(error.message) : undefined;
  if (index !== undefined) return { tag: 'duplicate', index };
  return REFUSED.has(error.code) ? { tag: 'refused', message: messageOf(error) } : unknown;
}

/** Of the database or the way to it, and no mistake of ours. */
export function isOfTheDatabase(error: unknown): error is Error {
  return error instanceof MongoError || isOfSocket(error);
}

/**
 * The driver hands on what its socket says, as it is, where a connection breaks while it writes: `write ECONNRESET`, or
 * an EPIPE of Node's own, which names no system call.
 */
export function isOfSocket(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && ('syscall' in error || ('code' in error && error.code === 'EPIPE'));
}

/** The driver itself finds that a document is no BSON, or more than a server takes: nothing was sent. */
export function isUnsendable(error: unknown): error is Error {
  return (
    error instanceof BSON.BSONError ||
    error instanceof RangeError ||
    (error instanceof MongoInvalidArgumentError && error.message.startsWith('Document is larger'))
  );
}

export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === CODE.DUPLICATE_KEY;
}

/** For the log. What a server says of a document may hold its text, and the error holds the documents themselves. */
export function messageOf(error: Error): string {
  const code = error instanceof MongoServerError ? error.code : undefined;
  if (code === CODE.OUT_OF_DISK_SPACE) return "There is no space left on the database's disk: free some.";
  if (code === CODE.DOCUMENT_VALIDATION_FAILURE) return 'The document failed validation.';
  return code === undefined ? error.message : `${error.message} (code ${code})`;
}

/** Which index it was stands only in the text: "… index: NAME dup key: { … }". */
function indexOf(message: string): string | undefined {
  return /\bindex: (\S+) dup key\b/.exec(message)?.[1];
}
