/**
 * The bookkeeping of one batch: what is known of the room and what was decided of each item. It asks nothing; room.ts
 * leads the conversation.
 */
import { isMessage, ruleOf } from '../../../../shared/kinds.ts';
import type { AppendResult, NewEntry } from '../../port.ts';
import type { AuthorKey, EntryDocument, Found, Head, Target } from './commands.ts';
import { keyOf, type Plan, plan } from './plan.ts';

export interface Batch {
  /** Committed (own acknowledged write, own tail, majority read): the only thing numbers come from (L1). */
  readonly head: Head;
  /** Committed, and something follows from them: also repeated ones that still wait for it. */
  readonly pending: EntryDocument[];
  next(): Plan | { tag: 'done' };

  /** As they are at the head, or later. */
  learnMessages(keys: readonly AuthorKey[], messages: readonly (Target | undefined)[]): void;
  /** Others moved the head: what was known of messages may have been amended since. */
  headMoved(to: Head): void;
  /** Committed entries under these keys: their items are repeats or conflicts. */
  learnOriginals(keys: readonly AuthorKey[], originals: readonly (Found | undefined)[]): void;
  inserted(documents: readonly EntryDocument[], indexes: readonly number[]): void;
  decide(index: number, result: AppendResult): void;

  isDecided(index: number): boolean;
  keyAt(index: number): AuthorKey;
  /** Of all that is undecided, each once. */
  undecidedKeys(): AuthorKey[];
  /** Up to the first item that is undecided. */
  results(): AppendResult[];
}

export function createBatch(room: string, items: readonly NewEntry[], at: number, start: Head): Batch {
  let head = start;
  const results: (AppendResult | undefined)[] = items.map(() => undefined);
  const byKey = Map.groupBy(items.keys(), (index) => keyOf(items[index]!));
  const messages = new Map<string, Target | undefined>();
  const removed = new Set<number>();
  const pending: EntryDocument[] = [];

  const undecided = () => [...results.keys()].filter((index) => results[index] === undefined);
  const keyAt = (index: number) => {
    const { author, clientOffset } = items[index]!;
    return { author, clientOffset };
  };

  function decide(index: number, result: AppendResult) {
    results[index] = result;
  }

  function headMoved(to: Head) {
    head = to;
    messages.clear();
  }

  /** The key comes first (L3): what stands under it decides, whatever else is to be said of the item. */
  function repeats(
    key: AuthorKey,
    { serverOffset, at, digest }: Pick<Found, 'serverOffset' | 'at' | 'digest'>,
  ) {
    for (const index of byKey.get(keyOf(key)) ?? []) {
      if (results[index]) continue;
      const same = items[index]!.digest === digest;
      decide(index, same ? { tag: 'repeat', serverOffset, at } : { tag: 'conflict' });
    }
  }

  return {
    get head() {
      return head;
    },
    pending,

    next() {
      const indexes = undecided();
      return indexes.length === 0 ? { tag: 'done' } : plan(items, indexes, { head, messages, removed }, at);
    },

    learnMessages(keys, found) {
      for (const [i, key] of keys.entries()) messages.set(keyOf(key), found[i]);
    },
    headMoved,
    learnOriginals(keys, originals) {
      for (const [i, key] of keys.entries()) {
        const found = originals[i];
        if (!found) continue;
        if (found.serverOffset > head.serverOffset)
          headMoved({ serverOffset: found.serverOffset, at: found.at });
        if (found.pending) pending.push({ room, ...key, ...found });
        repeats(key, found);
      }
    },
    inserted(documents, indexes) {
      for (const [i, document] of documents.entries()) {
        const { serverOffset, at, kind, target } = document;
        head = { serverOffset, at };
        if (document.pending) pending.push(document);
        if (isMessage(document)) messages.set(keyOf(document), { serverOffset, deleted: false });
        if (ruleOf(kind)?.effect === 'remove' && target !== undefined) removed.add(target);
        decide(indexes[i]!, { tag: 'appended', serverOffset, at });
        repeats(document, document);
      }
    },
    decide,

    isDecided: (index) => results[index] !== undefined,
    keyAt,
    undecidedKeys: () =>
      [...byKey.values()]
        .map((indexes) => indexes.find((index) => results[index] === undefined))
        .filter((index) => index !== undefined)
        .map(keyAt),
    results() {
      const end = results.indexOf(undefined);
      return results.slice(0, end < 0 ? undefined : end) as AppendResult[];
    },
  };
}
