/**
 * What the server takes beyond what every server does, as it said last: in the database, so that the service worker knows
 * it too. A row of a feature that is not among them waits for a server that has it.
 */
import type { UserRead, UserWrite } from '../db/schema.ts';

export async function featuresIn(tx: UserRead | UserWrite): Promise<ReadonlySet<string>> {
  const stored = await tx.objectStore('meta').get('features');
  return new Set(stored === undefined ? [] : (JSON.parse(stored) as string[]));
}

export async function putFeatures(tx: UserWrite, features: readonly string[]): Promise<void> {
  await tx.objectStore('meta').put(JSON.stringify(features), 'features');
}
