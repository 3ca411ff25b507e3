/** The entry that everybody sees of a document. */
import type { KnownEntry } from '../../../shared/entry.ts';
import { assertNever } from '../../../shared/never.ts';
import type { EntryDocument } from './append/commands.ts';

/** The collection's validator holds: a text and an edit have a body unless they are blanked. */
export function entryOf(document: Omit<EntryDocument, 'room' | 'digest' | 'pending'>): KnownEntry {
  const { serverOffset, author, clientOffset, at, kind } = document;
  const common = { serverOffset, author, clientOffset, at };
  const content = document.deleted ? { deleted: true as const } : { body: document.body! };
  switch (kind) {
    case 'text':
      return { ...common, kind, ...content };
    case 'edit':
      return { ...common, kind, target: document.target!, ...content };
    case 'delete':
      return { ...common, kind, target: document.target! };
    case 'join':
    case 'leave':
      return { ...common, kind };
    default:
      return assertNever(kind);
  }
}

/** What `entryOf` needs. */
export const ENTRY_FIELDS = {
  _id: 0,
  serverOffset: 1,
  author: 1,
  clientOffset: 1,
  at: 1,
  kind: 1,
  body: 1,
  target: 1,
  deleted: 1,
} as const;
