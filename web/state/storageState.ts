/** Whether the device takes what is written, as the last attempts showed. */
import { DatabaseHangs } from '../db/database.ts';
import type { StorageState } from './model.ts';

/** Who writes tells how it went. */
export interface StorageHealth {
  failed(error: unknown): void;
  worked(): void;
}

export function createStorageState(changed: () => void): StorageHealth & { get(): StorageState } {
  let state: StorageState = 'ok';

  function become(next: StorageState): void {
    if (next === state) return;
    state = next;
    changed();
  }

  return {
    get: () => state,
    failed(error) {
      const next = stateOf(error);
      if (next) become(next);
    },
    worked: () => become('ok'),
  };
}

/** Undefined for what says nothing of the storage: a mistake of ours, or nobody is interested any more. */
function stateOf(error: unknown): StorageState | undefined {
  if (error instanceof DatabaseHangs) return 'failing';
  if (!(error instanceof DOMException)) return undefined;
  return error.name === 'QuotaExceededError' ? 'full' : 'failing';
}
