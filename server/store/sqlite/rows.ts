/** A row of `entries`, and the entry that everybody sees of it. */
import type { Entry, EntryKind } from '../../../shared/entry.ts';
import { assertNever } from '../../../shared/never.ts';
import type { Committed } from '../port.ts';

/** The columns that an `EntryRow` is made of. */
export const COLUMNS = 'serverOffset, author, clientOffset, at, kind, body, target, deleted';

export interface EntryRow {
  serverOffset: number;
  author: string;
  clientOffset: string;
  at: number;
  kind: EntryKind;
  body: string | null;
  target: number | null;
  deleted: 0 | 1;
}

/** A committed entry with its place in the order of all commits. */
export interface Numbered extends Committed {
  seq: number;
}

export type NumberedRow = EntryRow & { seq: number; room: string };

export function numberedOf(row: NumberedRow): Numbered {
  return { seq: row.seq, room: row.room, entry: entryOf(row) };
}

/** The schema's checks hold: an edit and a delete have a target, a text and an edit a body unless they are blanked. */
export function entryOf(row: EntryRow): Entry {
  const { serverOffset, author, clientOffset, at } = row;
  const common = { serverOffset, author, clientOffset, at };
  const content = row.deleted ? { deleted: true as const } : { body: row.body! };
  switch (row.kind) {
    case 'text':
      return { ...common, kind: 'text', ...content };
    case 'edit':
      return { ...common, kind: 'edit', target: row.target!, ...content };
    case 'delete':
      return { ...common, kind: 'delete', target: row.target! };
    case 'join':
    case 'leave':
      return { ...common, kind: row.kind };
    default:
      return assertNever(row.kind);
  }
}
