/**
 * The optional features of the server, from its last welcome. Stored in the database for the service worker. Outbox rows
 * that need a feature outside this list wait for a server that has it.
 */
import type { UserRead, UserWrite } from './userDatabase.ts';

export async function readFeatures(tx: UserRead | UserWrite): Promise<ReadonlySet<string>> {
  const stored = await tx.objectStore('meta').get('features');
  return new Set(stored === undefined ? [] : (JSON.parse(stored) as string[]));
}

export async function putFeatures(tx: UserWrite, features: readonly string[]): Promise<void> {
  await tx.objectStore('meta').put(JSON.stringify(features), 'features');
}
