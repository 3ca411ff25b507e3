/** Helpers of the contract's cases: the database under test, items to append, reads of the log. */
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
import { idFrom } from '../../shared/mint.ts';

/** One database, open. */
export interface Harness {
  /** Changes with `reopen`. */
  readonly store: Store;
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<void>;
  /** An item that the database itself refuses, without affecting others. */
  poisoned(key: EntryKey): NewEntry;
  /** Closes every store on the data and removes the data. */
  destroy(): Promise<void>;
}

/** A database that several processes share, where the side effects of an entry are applied after its commit. */
export interface SharedHarness extends Harness {
  /** Another store on the same data, with caches and a tail of its own, like another process. `destroy` closes it. */
  another(): Promise<Store>;
  /**
   * Appends a deletion, join or leave like a process that dies right after the commit: no side effect (redaction, rows of
   * members) is applied, and no store of this harness knows of it. Returns its serverOffset.
   */
  interrupted(entry: NewEntry, at: number): Promise<number>;
  /** The number of committed entries of a room whose side effects are still pending. */
  unfinished(room: string): Promise<number>;
  /** Everything that the database stores of a room, as text: to check that content is gone. */
  stored(room: string): Promise<string>;
  /** Makes the resume points given so far too old: the next tail that resumes at one is refused. */
  forgetHistory(): Promise<void>;
}

/** The database of a group of cases; each case uses rooms of its own. */
export function inDatabase<H extends Harness>(
  open: () => Promise<H>,
): {
  readonly store: Store;
  readonly harness: H;
} {
  let harness: H;
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

/** Every entry of a room, read in pages. */
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
  /** How many gaps were reported. */
  gaps(): number;
  point(): ResumePoint | undefined;
  /** Resolves once at least so many entries were received. */
  count(atLeast: number): Promise<void>;
  /** Resolves once `holds` is true of what was received; rejects after `HEARD_WITHIN_MS`. */
  until(what: string, holds: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/**
 * How long to wait for a tail: long enough for a busy machine, but shorter than the timeout of a case, so that the error says
 * what is missing. Set to less in broken/, where entries are known not to come.
 */
export const HEARD_WITHIN_MS = Number(process.env.HEARD_WITHIN_MS ?? 8_000);

export async function listen(
  store: Store,
  from?: ResumePoint,
  concerns: (committed: Committed) => boolean = () => true,
): Promise<Listener> {
  const seen: Committed[] = [];
  let point: ResumePoint | undefined;
  let gaps = 0;
  let wake = () => {};
  const tail = await store.log.tail(from, {
    onBatch(batch, reached) {
      seen.push(...batch.filter(concerns));
      point = reached;
      wake();
    },
    onGap() {
      gaps++;
    },
  });
  async function until(what: string, holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    wake = () => holds() && resolve();
    const timer = setTimeout(
      () => reject(new Error(`the tail delivered ${seen.length} entries, but not ${what}`)),
      HEARD_WITHIN_MS,
    );
    await promise.finally(() => clearTimeout(timer));
  }
  return {
    seen,
    gaps: () => gaps,
    point: () => point,
    count: (atLeast) => until(`${atLeast}`, () => seen.length >= atLeast),
    until,
    close: () => tail.close(),
  };
}

export function upTo(length: number): number[] {
  return Array.from({ length }, (_, i) => i + 1);
}
