import type { Reason } from '../state/model.ts';

/** What to tell a person when the database did not take something. */
export function storageReason(error: unknown): Reason {
  console.warn('the database failed', error);
  if (isFull(error)) return { code: 'storage-full' };
  // Another tab runs a newer version of the app, which has changed the database already: this one has to be taken too.
  if (error instanceof DOMException && error.name === 'VersionError') return { code: 'upgrade-required' };
  return { code: 'storage-failed' };
}

/** The device has no room. */
export function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}
