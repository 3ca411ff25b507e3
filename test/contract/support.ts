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
import { idFrom } from '../../shared/mint.ts';

/** One database, open. */
export interface Harness {
  /** Changes with `reopen`. */
  readonly store: Store;
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<void>;
  /** An item that this database itself refuses, and only it. */
  poisoned(key: EntryKey): NewEntry;
  /** Closes every store on the data and takes the data away. */
  destroy(): Promise<void>;
}

/** A database that several processes share, where what follows from an entry is done after its commit. */
export interface SharedHarness extends Harness {
  /** One more store on the same data, with caches and a tail of its own, as another process has it. `destroy` closes it. */
  another(): Promise<Store>;
  /**
   * Appends this new delete, join or leave as a process does that dies right after the entry is committed: nothing that
   * follows from it (blanking, rows of members) is done, and no store of this harness knows that something is to be done.
   * Returns its serverOffset.
   */
  interrupted(entry: NewEntry, at: number): Promise<number>;
  /** How many entries of a room are committed whose consequences are not known to be done. */
  unfinished(room: string): Promise<number>;
  /** Everything that the database holds of a room, as text: for what must not stand there any more. */
  stored(room: string): Promise<string>;
  /** The next tail that resumes at a point given so far finds it refused as too old. */
  forgetHistory(): Promise<void>;
}

/** The database of one group of cases; each case keeps to rooms of its own. */
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
  /** How often commits may have passed unheard. */
  gaps(): number;
  point(): ResumePoint | undefined;
  /** Resolves once so many entries were seen. */
  count(atLeast: number): Promise<void>;
  /** Resolves once it holds of what was seen; rejects where the tail does not tell of it in time. */
  until(what: string, holds: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/**
 * Long enough for a busy machine, and shorter than a case may take: what is missing should be named. Set where it is
 * known that nothing will come (broken/).
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
      () => reject(new Error(`the tail told of ${seen.length} entries, and not of ${what}`)),
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
