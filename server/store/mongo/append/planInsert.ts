/**
 * Plans the next insert of a batch from what is known at a committed head. Pure. Every attempt is planned anew, because one
 * repeat or one lost race shifts the serverOffsets of all later items, and of the targets among them.
 */
import { hasSideEffects, isMessage, makesRoom, ruleOf } from '../../../../shared/kinds.ts';
import { assertNever } from '../../../../shared/never.ts';
import type { NewEntry } from '../../port.ts';
import type { AuthorKey, EntryDocument, RoomHead, Target } from './commands.ts';

export interface RoomKnowledge {
  /** The room has a document. One that has none exists all the same once it has an entry. */
  exists: boolean;
  /** Committed. */
  head: RoomHead;
  /** By key: messages that are, or may become, targets, in their state at `head`; undefined where it is known that there is none. */
  targets: ReadonlyMap<string, Target | undefined>;
  /** serverOffsets of messages that this batch has removed; this overrides `targets`. */
  removed: ReadonlySet<number>;
}

export type InsertPlan =
  /** The targets with these keys must be looked up first. */
  | { tag: 'targets'; keys: AuthorKey[] }
  /**
   * `no-target`: the items at these indexes name no message of this room as their target, or one that they may not amend.
   * `no-room`: the room does not exist. `room-exists`: they would make a room that does.
   */
  | { tag: 'refused'; indexes: number[]; as: RefusedAs }
  /** `indexes[i]` is the item of `documents[i]`. */
  | { tag: 'insert'; documents: EntryDocument[]; indexes: number[] };

type RefusedAs = 'no-target' | 'no-room' | 'room-exists';

/**
 * `undecided`: indexes of the items without a result, ascending; at least one. All get the time `at`, or that of the newest
 * entry where that is later, because a clock went back or the clock of another process is ahead.
 */
export function planInsert(
  items: readonly NewEntry[],
  undecided: readonly number[],
  known: RoomKnowledge,
  at: number,
): InsertPlan {
  const draft: Draft = {
    keys: new Set(),
    targets: new Map(),
    removed: new Set(),
    exists: known.exists || known.head.serverOffset > 0,
  };
  const stamp = Math.max(at, known.head.at);
  const documents: EntryDocument[] = [];
  const indexes: number[] = [];
  const lookUp = new Map<string, AuthorKey>();
  const refused = new Map<RefusedAs, number[]>();
  const refuse = (index: number, as: RefusedAs) => refused.set(as, [...(refused.get(as) ?? []), index]);

  loop: for (const index of undecided) {
    const item = items[index]!;
    if (draft.keys.has(keyInRoom(item))) continue; // the result of the first item with this key decides this one too
    const creates = makesRoom(item.kind);
    if (creates === draft.exists) {
      refuse(index, creates ? 'room-exists' : 'no-room');
      continue;
    }
    const found = targetOf(item, known, draft);
    switch (found.tag) {
      case 'not-needed':
      case 'message': {
        const serverOffset = known.head.serverOffset + documents.length + 1;
        const document = documentOf(item, serverOffset, stamp, found.message);
        documents.push(document);
        indexes.push(index);
        addToDraft(document, draft);
        break;
      }
      case 'unknown':
        lookUp.set(keyInRoom(found.key), found.key);
        break;
      case 'none':
        refuse(index, 'no-target');
        break;
      case 'undecided':
        break loop;
      default:
        assertNever(found);
    }
  }
  if (lookUp.size > 0) return { tag: 'targets', keys: [...lookUp.values()] };
  for (const [as, indexes] of refused) return { tag: 'refused', indexes, as };
  return { tag: 'insert', documents, indexes };
}

/** The key of an entry within its room, as one string. */
export function keyInRoom({ author, clientOffset }: AuthorKey): string {
  return `${author} ${clientOffset}`;
}

/** State of the room after the documents planned so far, if all of them are inserted; otherwise everything is planned anew. */
interface Draft {
  keys: Set<string>;
  targets: Map<string, Target>;
  /** serverOffsets of messages. */
  removed: Set<number>;
  /** The room exists. */
  exists: boolean;
}

/** The target of an item. */
type FoundTarget =
  | { tag: 'not-needed'; message?: never }
  | { tag: 'message'; message: Target }
  | { tag: 'unknown'; key: AuthorKey }
  | { tag: 'none' }
  /** An earlier item of the batch has that key, is no message, and is not in the log yet. */
  | { tag: 'undecided' };

function targetOf(item: NewEntry, { targets, removed }: RoomKnowledge, draft: Draft): FoundTarget {
  const names = ruleOf(item.kind)?.target ?? 'none';
  if (names === 'none') return { tag: 'not-needed' };
  const none: FoundTarget = { tag: names === 'reply' ? 'not-needed' : 'none' };
  if (item.target === undefined) return none;
  const author = names === 'own' ? item.author : (item.targetAuthor ?? item.author);
  const key = { author, clientOffset: item.target };
  const message = draft.targets.get(keyInRoom(key)) ?? targets.get(keyInRoom(key));
  if (message) {
    const { serverOffset } = message;
    const deleted = message.deleted || removed.has(serverOffset) || draft.removed.has(serverOffset);
    if (deleted && ruleOf(item.kind)?.sets === 'about') return none;
    return { tag: 'message', message: { serverOffset, deleted } };
  }
  if (!targets.has(keyInRoom(key))) return { tag: 'unknown', key };
  // if that item is refused, a later message with the same key may take its place
  return draft.keys.has(keyInRoom(key)) ? { tag: 'undecided' } : none;
}

function addToDraft(document: EntryDocument, draft: Draft): void {
  const { kind, serverOffset, target } = document;
  draft.keys.add(keyInRoom(document));
  draft.exists = true;
  if (isMessage(document)) draft.targets.set(keyInRoom(document), { serverOffset, deleted: false });
  if (ruleOf(kind)?.effect === 'remove' && target !== undefined) draft.removed.add(target);
}

function documentOf(
  { room, author, clientOffset, kind, body, subject, content, roleSeq, digest }: NewEntry,
  serverOffset: number,
  at: number,
  message: Target | undefined,
): EntryDocument {
  const { effect } = ruleOf(kind) ?? {};
  const redacted = effect === 'replace' && message?.deleted === true; // a replacement of a removed message has no effect
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
    ...(roleSeq !== undefined && { roleSeq }),
    ...(hasSideEffects(kind) && { pending: true }),
  };
}
