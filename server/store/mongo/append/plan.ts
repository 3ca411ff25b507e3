/**
 * The documents of the next insert: pure arithmetic over what is known at a committed head. It is done anew for every
 * attempt, since one repeat or one lost race gives everything behind it another serverOffset, targets included.
 */
import { isMessage, ruleOf } from '../../../../shared/kinds.ts';
import { assertNever } from '../../../../shared/never.ts';
import type { NewEntry } from '../../port.ts';
import type { AuthorKey, EntryDocument, Head, Target } from './commands.ts';

export interface Known {
  /** Committed. */
  head: Head;
  /** By key: the messages as they are at `head`; undefined where it is known that there is none. */
  messages: ReadonlyMap<string, Target | undefined>;
  /** serverOffsets of messages that this batch has removed: for ever, whatever was looked up. */
  removed: ReadonlySet<number>;
}

export type Plan =
  /** These must be looked up first. */
  | { tag: 'targets'; keys: AuthorKey[] }
  /** These name no message in this room that they may be about. */
  | { tag: 'no-target'; indexes: number[] }
  /** `indexes[i]` is the item of `documents[i]`. */
  | { tag: 'insert'; documents: EntryDocument[]; indexes: number[] };

/**
 * `undecided`: indexes of the items that have no result yet, ascending; at least one. All are stamped `at`, or as the
 * newest entry where that is later: a clock that went back, or another process whose clock is ahead.
 */
export function plan(
  items: readonly NewEntry[],
  undecided: readonly number[],
  known: Known,
  at: number,
): Plan {
  const draft: Draft = { keys: new Set(), messages: new Map(), removed: new Set() };
  const stamp = Math.max(at, known.head.at);
  const documents: EntryDocument[] = [];
  const indexes: number[] = [];
  const lookUp = new Map<string, AuthorKey>();
  const targetless: number[] = [];

  loop: for (const index of undecided) {
    const item = items[index]!;
    if (draft.keys.has(keyOf(item))) continue; // what becomes of the first of its key decides this one
    const named = namedBy(item, known, draft);
    switch (named.tag) {
      case 'nothing':
      case 'message': {
        const serverOffset = known.head.serverOffset + documents.length + 1;
        const document = documentOf(item, serverOffset, stamp, named.message);
        documents.push(document);
        indexes.push(index);
        note(document, draft);
        break;
      }
      case 'unknown':
        lookUp.set(keyOf(named.key), named.key);
        break;
      case 'none':
        targetless.push(index);
        break;
      case 'undecided':
        break loop;
      default:
        assertNever(named);
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
  messages: Map<string, Target>;
  /** serverOffsets of messages. */
  removed: Set<number>;
}

/** The message that an item names as its target. */
type Named =
  | { tag: 'nothing'; message?: never }
  | { tag: 'message'; message: Target }
  | { tag: 'unknown'; key: AuthorKey }
  | { tag: 'none' }
  /** An item before it has that key, is no message, and is not yet in the log. */
  | { tag: 'undecided' };

function namedBy(item: NewEntry, { messages, removed }: Known, draft: Draft): Named {
  const names = ruleOf(item.kind)?.target ?? 'none';
  if (names === 'none') return { tag: 'nothing' };
  if (item.target === undefined) return { tag: 'none' };
  const author = names === 'any' ? (item.targetAuthor ?? item.author) : item.author;
  const key = { author, clientOffset: item.target };
  const message = draft.messages.get(keyOf(key)) ?? messages.get(keyOf(key));
  if (message) {
    const { serverOffset } = message;
    const deleted = message.deleted || removed.has(serverOffset) || draft.removed.has(serverOffset);
    return { tag: 'message', message: { serverOffset, deleted } };
  }
  if (!messages.has(keyOf(key))) return { tag: 'unknown', key };
  // if it is refused, a message of the same key behind it may come in its place
  return draft.keys.has(keyOf(key)) ? { tag: 'undecided' } : { tag: 'none' };
}

function note(document: EntryDocument, draft: Draft): void {
  const { kind, serverOffset, target } = document;
  draft.keys.add(keyOf(document));
  if (isMessage(document)) draft.messages.set(keyOf(document), { serverOffset, deleted: false });
  if (ruleOf(kind)?.effect === 'remove' && target !== undefined) draft.removed.add(target);
}

function documentOf(
  { room, author, clientOffset, kind, body, subject, content, digest }: NewEntry,
  serverOffset: number,
  at: number,
  message: Target | undefined,
): EntryDocument {
  const { effect, membership } = ruleOf(kind) ?? {};
  const redacted = effect === 'replace' && message?.deleted === true; // it changes nothing any more
  return {
    room,
    serverOffset,
    author,
    clientOffset,
    at,
    kind,
    ...(body !== undefined && !redacted && { body }),
    ...(message && { target: message.serverOffset }),
    ...(subject !== undefined && { subject }),
    ...(content !== undefined && !redacted && { content }),
    ...(redacted && { deleted: true }),
    digest,
    ...((effect === 'remove' || membership !== undefined) && { pending: true }),
  };
}
