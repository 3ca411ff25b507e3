import type { Reason } from '../state/model.ts';

/** What to tell a person when the database did not take something. */
export function storageReason(error: unknown): Reason {
  console.warn('the database failed', error);
  if (isFull(error)) return { code: 'storage-full' };
  // Another tab runs a newer version of the app, which has changed the database already: this one has to be taken too.
  if (error instanceof DOMException && error.name === 'VersionError') return { code: 'upgrade-required' };
  return { code: 'storage-failed' };
}

/** It is about what was to be stored, and not about the storage: all else can be stored. */
export function isOfContent(error: unknown): boolean {
  if (error instanceof DOMException)
    return ['DataError', 'DataCloneError', 'ConstraintError'].includes(error.name);
  return error instanceof TypeError || error instanceof RangeError;
}

/** The device has no room. */
export function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}
