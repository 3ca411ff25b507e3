/** Whether the device takes what is written, as the last attempts showed, and whether it kept what was. */

import type { Clock, Timer } from '../db/clock.ts';
import { DatabaseHangs } from '../db/database.ts';
import { isFull } from '../db/failure.ts';
import type { UserDatabase } from '../db/schema.ts';
import { RETRY_MAX_MS } from '../records/pageLimits.ts';
import type { StorageState } from './model.ts';

/** Who writes tells how it went. */
export interface StorageHealth {
  failed(error: unknown): void;
  worked(): void;
}

export interface StorageWatch extends StorageHealth {
  get(): StorageState;
  /** The browser threw away what was stored: it stays said until a person has seen it. */
  emptied(): void;
  seen(): void;
  close(): void;
}

interface Deps {
  db: UserDatabase;
  clock: Clock;
  changed(): void;
  /** It takes something again. What was given up may have been written all the same; a full one has missed something. */
  takesAgain(after: 'full' | 'failing'): void;
}

export function createStorageState({ db, clock, changed, takesAgain }: Deps): StorageWatch {
  let state: 'ok' | 'full' | 'failing' = 'ok';
  let emptied = false;
  let probing = false;
  let again: Timer | undefined;
  let closed = false;

  function become(next: typeof state): void {
    if (next === state || closed) return;
    state = next;
    changed();
    cancel();
    if (state !== 'ok') probeLater();
  }

  function recover(): void {
    if (state === 'ok') return;
    const after = state;
    become('ok');
    takesAgain(after);
  }

  function probeLater(): void {
    cancel();
    again = clock.setTimeout(probe, RETRY_MAX_MS);
  }

  /** A write that happened to be empty or small shows nothing: it is full until it takes something of some size. */
  async function probe(): Promise<void> {
    if (probing || closed) return;
    probing = true;
    const took = await write(db).then(
      () => true,
      () => false,
    );
    probing = false;
    if (closed || state === 'ok') return;
    if (took) recover();
    else probeLater();
  }

  function cancel(): void {
    if (again !== undefined) clock.clearTimeout(again);
    again = undefined;
  }

  return {
    get: () => (state === 'ok' && emptied ? 'emptied' : state),
    failed(error) {
      const next = stateOf(error);
      if (next) become(next);
    },
    worked() {
      if (state === 'failing') recover();
    },
    emptied() {
      if (closed) return;
      emptied = true;
      changed();
    },
    seen() {
      emptied = false;
      if (state !== 'ok') void probe();
    },
    close() {
      closed = true;
      cancel();
    },
  };
}

/** Deleted within the transaction that writes it: it stays in no database. */
function write(db: UserDatabase): Promise<void> {
  return db.write(['meta'], async (tx) => {
    await tx.objectStore('meta').put('-'.repeat(PROBE_CHARACTERS), 'probe');
    await tx.objectStore('meta').delete('probe');
  });
}

/** Undefined for what says nothing of the storage: a mistake of ours, or nobody is interested any more. */
function stateOf(error: unknown): 'full' | 'failing' | undefined {
  if (isFull(error)) return 'full';
  return error instanceof DatabaseHangs || error instanceof DOMException ? 'failing' : undefined;
}

const PROBE_CHARACTERS = 32 * 1024;
