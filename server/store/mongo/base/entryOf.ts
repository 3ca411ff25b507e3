/** Turns a stored document into the entry that clients see. */
import type { Entry } from '../../../../shared/entry.ts';
import { asEntry } from '../../storedEntries.ts';
import type { EntryDocument } from '../append/commands.ts';

/** Never throws: a document that is no valid entry becomes an `unreadable` one in its place. */
export function entryOf(document: EntryFields): Entry {
  const { serverOffset, author, clientOffset, at, kind, body, target, subject, content, deleted } = document;
  return asEntry({
    ...(deleted === undefined ? contentOf(content) : { deleted }),
    serverOffset,
    author,
    clientOffset,
    at,
    kind,
    ...(target === undefined ? {} : { target }),
    ...(subject === undefined ? {} : { subject }),
    ...(body === undefined || deleted === true ? {} : { body }),
  });
}

/** The stored value may be anything: an ObjectId, a list, a number. */
function contentOf(content: unknown): object {
  if (content === undefined) return {};
  const isPlain =
    typeof content === 'object' && content !== null && Object.getPrototypeOf(content) === Object.prototype;
  return isPlain ? content : { unreadable: true };
}

export type EntryFields = Omit<EntryDocument, 'room' | 'digest' | 'pending' | 'by'>;

/** `at` of a stored entry in milliseconds; 0 where it is not valid. */
export function timeOf({ at }: { at: unknown }): number {
  return Number.isSafeInteger(at) && (at as number) >= 0 ? (at as number) : 0;
}

/** The projection that `entryOf` needs. */
export const ENTRY_FIELDS = {
  _id: 0,
  serverOffset: 1,
  author: 1,
  clientOffset: 1,
  at: 1,
  kind: 1,
  body: 1,
  target: 1,
  subject: 1,
  content: 1,
  deleted: 1,
} as const;
