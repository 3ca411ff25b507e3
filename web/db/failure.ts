import type { Reason } from '../records/errorReason.ts';

/** The reason to show for a failed transaction. */
export function storageReason(error: unknown): Reason {
  console.warn('the database failed', error);
  if (isFull(error)) return { code: 'storage-full' };
  // Another tab runs a newer version of the app, which has upgraded the database: this tab has to update, too.
  if (error instanceof DOMException && error.name === 'VersionError') return { code: 'upgrade-required' };
  return { code: 'storage-failed' };
}

/** The record was invalid; the storage works. Other records can be stored. */
export function isOfContent(error: unknown): boolean {
  if (error instanceof DOMException)
    return ['DataError', 'DataCloneError', 'ConstraintError'].includes(error.name);
  return error instanceof TypeError || error instanceof RangeError;
}

/** The device has no space left. */
export function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}

/** Told of each write's outcome. */
export interface StorageHealth {
  failed(error: unknown): void;
  worked(): void;
}
