/** Turns a row of `entries` into the entry that clients see. */
import type { Entry } from '../../../shared/entry.ts';
import type { Committed } from '../port.ts';
import { asEntry } from '../storedEntries.ts';

/** The columns of an `EntryRow`. */
export const COLUMNS =
  'serverOffset, author, clientOffset, at, kind, body, target, deleted, subject, content';

/** `content`: the fields without a column, as JSON. */
export interface EntryRow {
  serverOffset: number;
  author: string;
  clientOffset: string;
  at: number;
  kind: string;
  body: string | null;
  target: number | null;
  deleted: 0 | 1;
  subject: string | null;
  content: string | null;
}

/** A committed entry with its number in the order of all commits. */
export interface Numbered extends Committed {
  seq: number;
}

export type NumberedRow = EntryRow & { seq: number; room: string };

export function numberedOf(row: NumberedRow): Numbered {
  return { seq: row.seq, room: row.room, entry: entryOf(row) };
}

/** Never throws: a row that is no valid entry becomes an `unreadable` one in its place. */
export function entryOf(row: EntryRow): Entry {
  const { serverOffset, author, clientOffset, at, kind } = row;
  return asEntry({
    ...(row.content === null ? {} : contentOf(row.content)),
    serverOffset,
    author,
    clientOffset,
    at,
    kind,
    ...(row.target === null ? {} : { target: row.target }),
    ...(row.subject === null ? {} : { subject: row.subject }),
    ...(row.deleted ? { deleted: true as const } : row.body === null ? {} : { body: row.body }),
  });
}

function contentOf(json: string): object {
  try {
    const content: unknown = JSON.parse(json);
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content;
  } catch {
    // not JSON
  }
  return { unreadable: true };
}
