import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Unusable } from '../port.ts';
import { checkAccess, realFile, unusable, versionOf } from './connections.ts';
import { keepersOn } from './keeperStore.ts';
import { SCHEMA_VERSION } from './tables.ts';
import { usersOn } from './userStore.ts';

/**
 * Makes the user with this name a keeper, who is not suspended any more, also while a server has the file open: it is one commit by a connection of its own,
 * which SQLite puts between the server's. Returns the name as it is stored; undefined where nobody has it. Throws `Unusable`.
 */
export function addKeeper(path: string, nameKey: string, at: number): string | undefined {
  const file = realFile(path);
  if (!existsSync(file))
    throw new Unusable(`There is no database ${file}: set DATA to the folder of the server.`);
  checkAccess(file);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
    if (versionOf(db, file) < SCHEMA_VERSION)
      throw new Unusable(
        `The database ${file} is of an older version: start the server once, which upgrades it.`,
      );
    db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;');
    const user = usersOn(db).byNameKey(nameKey);
    if (user) {
      keepersOn(db).lift(user.id);
      keepersOn(db).add(user.id, at);
    }
    return user?.name;
  } catch (error) {
    throw unusable(file, error);
  } finally {
    db?.close();
  }
}

/** The server's commits take some milliseconds each. */
const LOCK_WAIT_MS = 5_000;
