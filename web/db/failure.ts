import type { Reason } from '../state/model.ts';

/** What to tell a person when the database did not take something. */
export function storageReason(error: unknown): Reason {
  console.warn('the database failed', error);
  const full = error instanceof DOMException && error.name === 'QuotaExceededError';
  return { code: full ? 'storage-full' : 'storage-failed' };
}
