/**
 * Whether the device stores what is written, as the last attempts showed, and whether the browser has emptied the
 * storage.
 */

import type { Clock, Timer } from '../db/clock.ts';
import { isFull, type StorageHealth } from '../db/failure.ts';
import { DatabaseStalled } from '../db/resilientDatabase.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { RETRY_MAX_MS } from '../records/pageLimits.ts';
import type { StorageState } from './model.ts';

export interface StorageWatch extends StorageHealth {
  get(): StorageState;
  /** The browser has emptied the storage: shown until `seen`. */
  emptied(): void;
  /** The person has seen the state, and wants another attempt. */
  seen(): void;
  close(): void;
}

interface Deps {
  db: UserDatabase;
  clock: Clock;
  changed(): void;
  /**
   * Writes succeed again. After `failing`, a write that timed out may have been stored all the same; after `full`,
   * something of the server could not be stored.
   */
  takesAgain(after: 'full' | 'failing'): void;
}

export function createStorageState({ db, clock, changed, takesAgain }: Deps): StorageWatch {
  let state: 'ok' | 'full' | 'failing' = 'ok';
  let emptied = false;
  let probing = false;
  let retry: Timer | undefined;
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
    retry = clock.setTimeout(probe, RETRY_MAX_MS);
  }

  /** Small writes may succeed on a full device: it is full until a write of PROBE_CHARACTERS succeeds. */
  async function probe(): Promise<void> {
    if (probing || closed) return;
    probing = true;
    const succeeded = await writeProbe(db).then(
      () => true,
      () => false,
    );
    probing = false;
    if (closed || state === 'ok') return;
    if (succeeded) recover();
    else probeLater();
  }

  function cancel(): void {
    if (retry !== undefined) clock.clearTimeout(retry);
    retry = undefined;
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

/** The value is deleted in the transaction that writes it. */
function writeProbe(db: UserDatabase): Promise<void> {
  return db.write(['meta'], async (tx) => {
    await tx.objectStore('meta').put('-'.repeat(PROBE_CHARACTERS), 'probe');
    await tx.objectStore('meta').delete('probe');
  });
}

/** Undefined for an error that says nothing about the storage: a bug, or a database that we closed. */
function stateOf(error: unknown): 'full' | 'failing' | undefined {
  if (isFull(error)) return 'full';
  return error instanceof DatabaseStalled || error instanceof DOMException ? 'failing' : undefined;
}

const PROBE_CHARACTERS = 32 * 1024;
