/** Makes one file of a copied database and its log of changes, when it is ours, whole, and of a version that is known. */
import { DatabaseSync } from 'node:sqlite';
import { Unusable } from '../port.ts';
import { SQLITE, sqliteCode } from './faults.ts';
import { APPLICATION_ID, SCHEMA_VERSION } from './schema.ts';

/**
 * `copy` is nobody else's, and is one plain file afterwards; `name` is what people call it. `change` is made in it, if
 * any. Throws `Unusable`.
 */
export function makeWhole(copy: string, name: string, change: (db: DatabaseSync) => void = () => {}): void {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(copy);
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA fullfsync = ON; PRAGMA secure_delete = ON');
    check(db, name);
    change(db);
    db.exec('PRAGMA journal_mode = DELETE'); // its log goes into the file, and is gone
  } catch (error) {
    throw unusable(name, error);
  } finally {
    db?.close();
  }
}

function check(db: DatabaseSync, name: string): void {
  const value = (pragma: string) => Object.values(db.prepare(pragma).get()!)[0];
  if (value('PRAGMA application_id') !== APPLICATION_ID)
    throw new Unusable(`${name} is no database of Holdfast: name a file that \`npm run backup\` has made.`);
  if ((value('PRAGMA user_version') as number) > SCHEMA_VERSION)
    throw new Unusable(
      `${name} was written by a newer version of Holdfast: install that version or a later one.`,
    );
  if (value('PRAGMA integrity_check(1)') !== 'ok') throw damaged(name);
}

function unusable(name: string, error: unknown): unknown {
  switch (sqliteCode(error)) {
    case SQLITE.NOTADB:
      return new Unusable(`${name} is no database: name a file that \`npm run backup\` has made.`);
    case SQLITE.CORRUPT:
      return damaged(name);
    default:
      return error;
  }
}

function damaged(name: string): Unusable {
  return new Unusable(`${name} is damaged: take an older copy.`);
}
