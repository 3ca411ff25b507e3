/**
 * The documents of the next insert: pure arithmetic over what is known at a committed head. It is done anew for every
 * attempt, since one repeat or one lost race gives everything behind it another serverOffset, targets included.
 */
import { assertNever } from '../../../../shared/never.ts';
import type { NewEntry } from '../../port.ts';
import type { AuthorKey, EntryDocument, Target } from './commands.ts';

export interface Known {
  /** Committed. */
  head: number;
  /** By key: the texts as they are at `head`; undefined where it is known that there is none. */
  texts: ReadonlyMap<string, Target | undefined>;
  /** serverOffsets of texts that this batch has deleted: for ever, whatever was looked up. */
  deleted: ReadonlySet<number>;
}

export type Plan =
  /** These must be looked up first. */
  | { tag: 'targets'; keys: AuthorKey[] }
  /** These amend no text of their author's in this room. */
  | { tag: 'no-target'; indexes: number[] }
  /** `indexes[i]` is the item of `documents[i]`. */
  | { tag: 'insert'; documents: EntryDocument[]; indexes: number[] };

/** `undecided`: indexes of the items that have no result yet, ascending; at least one. */
export function plan(
  items: readonly NewEntry[],
  undecided: readonly number[],
  known: Known,
  at: number,
): Plan {
  const draft: Draft = { keys: new Set(), texts: new Map(), deleted: new Set() };
  const documents: EntryDocument[] = [];
  const indexes: number[] = [];
  const lookUp = new Map<string, AuthorKey>();
  const targetless: number[] = [];

  loop: for (const index of undecided) {
    const item = items[index]!;
    if (draft.keys.has(keyOf(item))) continue; // what becomes of the first of its key decides this one
    const amends = amendedBy(item, known, draft);
    switch (amends.tag) {
      case 'nothing':
      case 'text': {
        const document = documentOf(item, known.head + documents.length + 1, at, amends.text);
        documents.push(document);
        indexes.push(index);
        note(document, draft);
        break;
      }
      case 'unknown':
        lookUp.set(keyOf(amends.key), amends.key);
        break;
      case 'none':
        targetless.push(index);
        break;
      case 'undecided':
        break loop;
      default:
        assertNever(amends);
    }
  }
  if (lookUp.size > 0) return { tag: 'targets', keys: [...lookUp.values()] };
  if (targetless.length > 0) return { tag: 'no-target', indexes: targetless };
  return { tag: 'insert', documents, indexes };
}

/** The key of an entry within its room. */
export function keyOf({ author, clientOffset }: AuthorKey): string {
  return `${author} ${clientOffset}`;
}

/** What the documents before this one make of the room, if they are all inserted: else there is another plan. */
interface Draft {
  keys: Set<string>;
  texts: Map<string, Target>;
  /** serverOffsets of texts. */
  deleted: Set<number>;
}

type Amends =
  | { tag: 'nothing'; text?: never }
  | { tag: 'text'; text: Target }
  | { tag: 'unknown'; key: AuthorKey }
  | { tag: 'none' }
  /** An item before it has that key, is no text, and is not yet in the log. */
  | { tag: 'undecided' };

function amendedBy({ kind, author, target }: NewEntry, { texts, deleted }: Known, draft: Draft): Amends {
  if (kind !== 'edit' && kind !== 'delete') return { tag: 'nothing' };
  if (target === undefined) return { tag: 'none' };
  const key = { author, clientOffset: target };
  const text = draft.texts.get(keyOf(key)) ?? texts.get(keyOf(key));
  if (text) {
    const { serverOffset } = text;
    const gone = text.deleted || deleted.has(serverOffset) || draft.deleted.has(serverOffset);
    return { tag: 'text', text: { serverOffset, deleted: gone } };
  }
  if (!texts.has(keyOf(key))) return { tag: 'unknown', key };
  // if it is refused, a text of the same key behind it may come in its place
  return draft.keys.has(keyOf(key)) ? { tag: 'undecided' } : { tag: 'none' };
}

function note(document: EntryDocument, draft: Draft): void {
  const { kind, serverOffset, target } = document;
  draft.keys.add(keyOf(document));
  if (kind === 'text') draft.texts.set(keyOf(document), { serverOffset, deleted: false });
  if (kind === 'delete' && target !== undefined) draft.deleted.add(target);
}

function documentOf(
  { room, author, clientOffset, kind, body, digest }: NewEntry,
  serverOffset: number,
  at: number,
  text: Target | undefined,
): EntryDocument {
  const blank = kind === 'edit' && text?.deleted === true; // an edit behind a delete changes nothing
  return {
    room,
    serverOffset,
    author,
    clientOffset,
    at,
    kind,
    ...(body !== undefined && !blank && { body }),
    ...(text && { target: text.serverOffset }),
    ...(blank && { deleted: true }),
    digest,
    ...((kind === 'delete' || kind === 'join' || kind === 'leave') && { pending: true }),
  };
}
