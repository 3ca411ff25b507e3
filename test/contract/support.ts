/** What the cases of the contract share: a database to try, items to append, and ways to look at the log. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import type {
  AppendResult,
  Committed,
  EntryKey,
  NewEntry,
  ResumePoint,
  Store,
} from '../../server/store/port.ts';
import type { Entry } from '../../shared/entry.ts';
import { idFrom } from '../../shared/ids.ts';

/** One database, open. */
export interface Harness {
  /** Changes with `reopen`. */
  readonly store: Store;
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<void>;
  /** An item that this database itself refuses, and only it. */
  poisoned(key: EntryKey): NewEntry;
  /** Closes the store and takes the data away. */
  destroy(): Promise<void>;
}

/** The database of one group of cases; each case keeps to rooms of its own. */
export function inDatabase(open: () => Promise<Harness>): {
  readonly store: Store;
  readonly harness: Harness;
} {
  let harness: Harness;
  beforeAll(async () => {
    harness = await open();
  });
  afterAll(() => harness.destroy());
  return {
    get store() {
      return harness.store;
    },
    get harness() {
      return harness;
    },
  };
}

export function newId(): string {
  return idFrom(randomBytes(16));
}

export async function newRoom(store: Store, kind: 'public' | 'private' = 'public'): Promise<string> {
  const id = newId();
  await store.rooms.create({ id, kind, name: 'Deck', createdBy: newId(), createdAt: 1 });
  return id;
}

export function text(room: string, author: string, body: string): NewEntry {
  return item({ room, author, clientOffset: newId() }, { kind: 'text', body });
}

export function edit(target: EntryKey, body: string): NewEntry {
  return item({ ...target, clientOffset: newId() }, { kind: 'edit', target: target.clientOffset, body });
}

export function remove(target: EntryKey): NewEntry {
  return item({ ...target, clientOffset: newId() }, { kind: 'delete', target: target.clientOffset });
}

export function join(room: string, author: string): NewEntry {
  return item({ room, author, clientOffset: newId() }, { kind: 'join' });
}

export function leave(room: string, author: string): NewEntry {
  return item({ room, author, clientOffset: newId() }, { kind: 'leave' });
}

export function item(
  { room, author, clientOffset }: EntryKey,
  content: Pick<NewEntry, 'kind' | 'body' | 'target'>,
): NewEntry {
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('base64url');
  return { room, author, clientOffset, ...content, digest };
}

/** The results of a batch that was not stopped. */
export async function append(store: Store, items: readonly NewEntry[], at = 1_000): Promise<AppendResult[]> {
  const { results, stopped } = await store.log.append(items, at);
  expect(stopped).toBeUndefined();
  expect(results).toHaveLength(items.length);
  return results;
}

/** The serverOffsets of a batch whose items are all new. */
export async function appendNew(store: Store, items: readonly NewEntry[], at = 1_000): Promise<number[]> {
  const results = await append(store, items, at);
  return results.map((result) => {
    if (result.tag !== 'appended') throw new Error(`not appended: ${JSON.stringify(result)}`);
    return result.serverOffset;
  });
}

/** Every entry of a room, page by page. */
export async function wholeLog(store: Store, room: string): Promise<Entry[]> {
  const log: Entry[] = [];
  for (;;) {
    const { entries, head } = await store.log.range(room, log.length + 1, log.length + 200, 100_000);
    log.push(...entries);
    if (log.length >= head || entries.length === 0) return log;
  }
}

export interface Listener {
  seen: Committed[];
  point(): ResumePoint | undefined;
  /** Resolves once so many entries were seen. */
  count(atLeast: number): Promise<void>;
  close(): Promise<void>;
}

export async function listen(
  store: Store,
  from?: ResumePoint,
  concerns: (committed: Committed) => boolean = () => true,
): Promise<Listener> {
  const seen: Committed[] = [];
  let point: ResumePoint | undefined;
  let wake = () => {};
  const tail = await store.log.tail(from, (batch, reached) => {
    seen.push(...batch.filter(concerns));
    point = reached;
    wake();
  });
  return {
    seen,
    point: () => point,
    async count(atLeast) {
      while (seen.length < atLeast) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
    },
    close: () => tail.close(),
  };
}

export function upTo(length: number): number[] {
  return Array.from({ length }, (_, i) => i + 1);
}
