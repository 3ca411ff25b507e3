/**
 * State of one batch during an append: what is known of the room, and the result of each item. It issues no commands;
 * appendToRoom.ts does.
 */
import { isMessage, ruleOf } from '../../../../shared/kinds.ts';
import type { AppendResult, NewEntry } from '../../port.ts';
import type { AuthorKey, EntryDocument, FoundEntry, RoomHead, Target } from './commands.ts';
import { type InsertPlan, keyInRoom, planInsert } from './planInsert.ts';

export interface BatchState {
  /** Committed: from an acknowledged write, the tail, or a majority read. serverOffsets are derived from this only (L1). */
  readonly head: RoomHead;
  /** Committed entries whose side effects are not applied yet, those of repeats among them. */
  readonly pending: EntryDocument[];
  next(): InsertPlan | { tag: 'done' };

  /** Target messages in their state at the head, or later. */
  learnTargets(keys: readonly AuthorKey[], targets: readonly (Target | undefined)[]): void;
  /** Another process moved the head: the known targets may be amended since, and are forgotten. */
  headMoved(to: RoomHead): void;
  /** Committed entries with these keys: their items are repeats or conflicts. */
  learnOriginals(keys: readonly AuthorKey[], originals: readonly (FoundEntry | undefined)[]): void;
  inserted(documents: readonly EntryDocument[], indexes: readonly number[]): void;
  decide(index: number, result: AppendResult): void;

  isDecided(index: number): boolean;
  keyAt(index: number): AuthorKey;
  /** The keys of all undecided items, each once. */
  undecidedKeys(): AuthorKey[];
  /** Up to the first undecided item. */
  results(): AppendResult[];
}

export function createBatchState(
  room: string,
  exists: boolean,
  items: readonly NewEntry[],
  at: number,
  start: RoomHead,
): BatchState {
  let head = start;
  const results: (AppendResult | undefined)[] = items.map(() => undefined);
  const byKey = Map.groupBy(items.keys(), (index) => keyInRoom(items[index]!));
  const targets = new Map<string, Target | undefined>();
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

  function headMoved(to: RoomHead) {
    head = to;
    targets.clear();
  }

  /** The entry with this key decides the result, whatever else may be wrong with the item (L3). */
  function decideByOriginal(
    key: AuthorKey,
    { serverOffset, at, digest }: Pick<FoundEntry, 'serverOffset' | 'at' | 'digest'>,
  ) {
    for (const index of byKey.get(keyInRoom(key)) ?? []) {
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
      return indexes.length === 0
        ? { tag: 'done' }
        : planInsert(items, indexes, { exists, head, targets, removed }, at);
    },

    learnTargets(keys, found) {
      for (const [i, key] of keys.entries()) targets.set(keyInRoom(key), found[i]);
    },
    headMoved,
    learnOriginals(keys, originals) {
      for (const [i, key] of keys.entries()) {
        const found = originals[i];
        if (!found) continue;
        if (found.serverOffset > head.serverOffset)
          headMoved({ serverOffset: found.serverOffset, at: found.at });
        if (found.pending) pending.push({ room, ...key, ...found });
        decideByOriginal(key, found);
      }
    },
    inserted(documents, indexes) {
      for (const [i, document] of documents.entries()) {
        const { serverOffset, at, kind, target } = document;
        head = { serverOffset, at };
        if (document.pending) pending.push(document);
        if (isMessage(document)) targets.set(keyInRoom(document), { serverOffset, deleted: false });
        if (ruleOf(kind)?.effect === 'remove' && target !== undefined) removed.add(target);
        decide(indexes[i]!, { tag: 'appended', serverOffset, at });
        decideByOriginal(document, document);
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
