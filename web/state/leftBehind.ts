/**
 * What a sign-out deletes on this device. The log and the names can be fetched again; unsent rows and drafts exist only
 * here and stay (O4), unless the person asks for more.
 */
import type { Clock } from '../db/clock.ts';
import type { LocalDatabase } from '../db/local.ts';
import { openUserDatabase, type UserDatabase } from '../db/userDatabase.ts';
import { deleteStoredLogs } from '../log/store/deleteLogs.ts';

/**
 * Deletes the logs of users who signed out here. What was interrupted goes on with the next call: `local` lists a user
 * from the sign-out until all of it is deleted.
 */
export async function deleteLeftLogs(
  indexedDB: IDBFactory,
  clock: Clock,
  local: LocalDatabase,
): Promise<void> {
  for (const user of await local.leftLogs()) {
    await inDatabase(indexedDB, clock, user, deleteStoredLogs);
    await local.logDeleted(user);
  }
}

/** For a device that was signed out from another one. */
export function deleteLogOf(indexedDB: IDBFactory, clock: Clock, user: string): Promise<void> {
  return inDatabase(indexedDB, clock, user, deleteStoredLogs);
}

/** Deletes what the user has written and not sent, and how far they have read, in one transaction. */
export function deleteUnsent(indexedDB: IDBFactory, clock: Clock, user: string): Promise<void> {
  return inDatabase(indexedDB, clock, user, (db) =>
    db.write(['rows', 'drafts', 'marks'], async (tx) => {
      await Promise.all((['rows', 'drafts', 'marks'] as const).map((store) => tx.objectStore(store).clear()));
    }),
  );
}

async function inDatabase(
  indexedDB: IDBFactory,
  clock: Clock,
  user: string,
  work: (db: UserDatabase) => Promise<void>,
): Promise<void> {
  const db = openUserDatabase(indexedDB, clock, user);
  try {
    await work(db);
  } finally {
    db.close();
  }
}
