/** Classifies errors of the MongoDB driver: what they mean for the caller, and what may be logged of them. */
import { BSON, MongoBulkWriteError, MongoError, MongoInvalidArgumentError, MongoServerError } from 'mongodb';
import { ENTRY_INDEXES } from './collections.ts';

export type WriteFault =
  /** Another document has this key in the index of this name. */
  | { tag: 'duplicate'; index: string }
  /** The database refuses this document because of its content. */
  | { tag: 'refused'; message: string }
  /** The outcome is unknown: the write may have happened, may happen later, or never. */
  | { tag: 'unknown'; message: string };

/** Error codes of MongoDB, https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml. */
export const CODE = {
  UNAUTHORIZED: 13,
  AUTHENTICATION_FAILED: 18,
  INDEX_NOT_FOUND: 27,
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

/** Classifies a failed write. Rethrows an error that did not come from the driver: that is a bug of ours. */
export function faultOf(error: unknown): WriteFault {
  if (isUnsendable(error)) return { tag: 'refused', message: error.message };
  if (!isDatabaseError(error)) throw error;
  const unknown = { tag: 'unknown', message: describeError(error) } as const;
  // Neither the documents before the duplicate nor the duplicate's original need be durable then (L4).
  if (error instanceof MongoBulkWriteError && error.result.getWriteConcernError()) return unknown;
  if (!(error instanceof MongoServerError)) return unknown;
  const index = error.code === CODE.DUPLICATE_KEY ? indexOf(error) : undefined;
  if (index !== undefined) return { tag: 'duplicate', index };
  return REFUSED.has(error.code) ? { tag: 'refused', message: describeError(error) } : unknown;
}

/** True for an error of the database or of the network to it; false for a bug of ours. */
export function isDatabaseError(error: unknown): error is Error {
  return error instanceof MongoError || isSocketError(error);
}

/**
 * Where a connection breaks during a write, the driver passes on the error of the socket: `write ECONNRESET`, or an EPIPE
 * of Node itself, which has no `syscall`.
 */
export function isSocketError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && ('syscall' in error || ('code' in error && error.code === 'EPIPE'));
}

/** True where the driver itself rejects a document (no valid BSON, or too large): nothing was sent. */
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

/** For the log. A server's message about a document may contain its text, and the error contains whole documents. */
export function describeError(error: Error): string {
  const code = error instanceof MongoServerError ? error.code : undefined;
  if (code === CODE.OUT_OF_DISK_SPACE) return "There is no space left on the database's disk: free some.";
  if (code === CODE.DOCUMENT_VALIDATION_FAILURE) return 'The document failed validation.';
  return code === undefined ? error.message : `${error.message} (code ${code})`;
}

/**
 * The name of the index of a duplicate: by its key, where the driver passes `keyPattern` on (not for an insert of many
 * documents), else from the text, "… index: NAME dup key: { … }", with "collation: { … }" before it where there is one.
 */
function indexOf(error: MongoServerError): string | undefined {
  const pattern: unknown = error.keyPattern;
  if (typeof pattern === 'object' && pattern !== null) {
    const fields = Object.keys(pattern).join();
    const ours = ENTRY_INDEXES.find(({ key }) => Object.keys(key).join() === fields);
    return ours?.name ?? (fields === '_id' ? '_id_' : fields);
  }
  return /\bindex: (\S+) (?:collation: .* )?dup key\b/.exec(error.message)?.[1];
}
