/** What is stored as an entry and may not be one: rows and documents that were changed by hand, or by a fault. */
import type { Entry } from '../../shared/entry.ts';

/** An entry as a store has it: of the right form, unless somebody meddled with it. */
export type StoredEntry = { serverOffset: number } & Record<string, unknown>;

/**
 * The entry itself, or in its place one that is `unreadable` and that every client can parse: a log has no gap, and a room
 * with one bad entry is readable around it. Unknown kinds and fields are passed on as they are.
 */
export function asEntry(stored: StoredEntry): Entry {
  return isEntry(stored) ? (stored as unknown as Entry) : unreadable(stored);
}

function isEntry({
  author,
  clientOffset,
  at,
  kind,
  target,
  subject,
  body,
  deleted,
  unreadable,
}: StoredEntry) {
  if (!isId(author) || !isId(clientOffset) || !isMillis(at) || typeof kind !== 'string') return false;
  if (unreadable !== undefined || (deleted !== undefined && deleted !== true)) return false;
  if (target !== undefined && !isOffset(target)) return false;
  if (subject !== undefined && !isId(subject)) return false;
  const hasBody = typeof body === 'string' || (deleted === true && body === undefined);
  switch (kind) {
    case 'text':
      return hasBody;
    case 'edit':
      return target !== undefined && hasBody;
    case 'delete':
      return target !== undefined;
    default:
      return true;
  }
}

function unreadable({ serverOffset, author, clientOffset, at, kind }: StoredEntry): Entry {
  return {
    serverOffset,
    author: isId(author) ? author : NOBODY,
    clientOffset: isId(clientOffset) ? clientOffset : NOBODY,
    at: isMillis(at) ? at : 0,
    kind: typeof kind === 'string' ? kind : 'unreadable',
    unreadable: true,
  };
}

/** An id that nobody has: it would be drawn once in 2^128. */
const NOBODY = 'A'.repeat(22);
const ID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

function isMillis(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isOffset(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
