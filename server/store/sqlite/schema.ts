/** The tables, and the steps by which an older file becomes a current one. `user_version` counts the steps taken. */
import type { DatabaseSync } from 'node:sqlite';
import { LOBBY } from '../../../shared/mint.ts';

/** "Hold" in ASCII: how a file is known as ours (`file`, too, shows it). */
export const APPLICATION_ID = 0x486f6c64;

/** What a file does not have yet. The caller brings the transaction, and what a new database is made of. */
export function migrate(db: DatabaseSync, from: number, made: { epoch: string; at: number }): void {
  for (const step of STEPS.slice(from)) step(db, made);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${STEPS.length}`);
}

const STEPS = [first, second];
export const SCHEMA_VERSION = STEPS.length;

function first(db: DatabaseSync, made: { epoch: string; at: number }): void {
  db.exec(`
    CREATE TABLE meta (epoch TEXT NOT NULL) STRICT;

    CREATE TABLE users (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, nameKey TEXT NOT NULL UNIQUE, passwordHash TEXT, createdAt INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE devices (
      id TEXT PRIMARY KEY, user TEXT NOT NULL, tokenHash TEXT NOT NULL UNIQUE, claimHash TEXT NOT NULL,
      createdAt INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX devicesByUser ON devices (user);
    CREATE INDEX devicesByClaim ON devices (claimHash, createdAt);

    -- head and members follow the log, in the transaction that appends
    CREATE TABLE rooms (
      id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, createdBy TEXT NOT NULL, createdAt INTEGER NOT NULL,
      head INTEGER NOT NULL DEFAULT 0, members INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX roomsPublic ON rooms (id) WHERE kind = 'public';

    -- serverOffset: of the join or leave that decided
    CREATE TABLE members (
      room TEXT NOT NULL, user TEXT NOT NULL, present INTEGER NOT NULL, serverOffset INTEGER NOT NULL,
      PRIMARY KEY (room, user)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX membersByUser ON members (user) WHERE present = 1;

    -- seq: the order of commits, 1, 2, 3 … over all rooms; rows are never deleted, so it has no gap
    CREATE TABLE entries (
      seq INTEGER PRIMARY KEY, room TEXT NOT NULL, serverOffset INTEGER NOT NULL, author TEXT NOT NULL,
      clientOffset TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT, target INTEGER,
      deleted INTEGER NOT NULL DEFAULT 0, digest TEXT NOT NULL,
      CHECK ((body IS NOT NULL) = (kind IN ('text', 'edit') AND NOT deleted)),
      CHECK ((target IS NOT NULL) = (kind IN ('edit', 'delete')))
    ) STRICT;
    CREATE UNIQUE INDEX entriesByOffset ON entries (room, serverOffset);
    CREATE UNIQUE INDEX entriesByKey ON entries (room, author, clientOffset);
    CREATE INDEX entriesByTarget ON entries (room, target, kind, serverOffset) WHERE target IS NOT NULL;

    CREATE TABLE marks (
      room TEXT NOT NULL, user TEXT NOT NULL, upTo INTEGER NOT NULL, PRIMARY KEY (room, user)
    ) STRICT, WITHOUT ROWID;
  `);
  db.prepare('INSERT INTO meta (epoch) VALUES (?)').run(made.epoch);
  db.prepare(
    `INSERT INTO rooms (id, kind, name, createdBy, createdAt) VALUES (?, 'public', 'Lobby', '', ?)`,
  ).run(LOBBY, made.at);
}

/**
 * Entries of any kind (shared/kinds.ts): no constraint on kinds, columns for what the new ones have, an index of messages.
 * Names that change. Rows stay as they are, so that this takes no longer for a large file than the making of the index.
 *
 * A CHECK can only be taken away by writing the table's definition anew, which SQLite allows for changes that do not touch
 * the rows: https://sqlite.org/lang_altertable.html, section 7.
 */
function second(db: DatabaseSync): void {
  const version = Object.values(db.prepare('PRAGMA schema_version').get()!)[0] as number;
  db.enableDefensive(false); // it forbids to write definitions
  db.exec(`
    PRAGMA writable_schema = ON;
    UPDATE sqlite_schema SET sql =
      'CREATE TABLE entries (
        seq INTEGER PRIMARY KEY, room TEXT NOT NULL, serverOffset INTEGER NOT NULL, author TEXT NOT NULL,
        clientOffset TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT, target INTEGER,
        deleted INTEGER NOT NULL DEFAULT 0, digest TEXT NOT NULL
      ) STRICT'
      WHERE type = 'table' AND name = 'entries';
    PRAGMA schema_version = ${version + 1};
    PRAGMA writable_schema = RESET;
  `);
  db.enableDefensive(true);
  db.exec(`
    -- subject: the user it is about, where that is not its author; content: fields without a column, as JSON;
    -- message: 1 for a message of its own that is no text
    ALTER TABLE entries ADD COLUMN subject TEXT;
    ALTER TABLE entries ADD COLUMN content TEXT;
    ALTER TABLE entries ADD COLUMN message INTEGER;
    CREATE INDEX entriesMessages ON entries (room, serverOffset, author)
      WHERE (kind = 'text' OR message = 1) AND deleted = 0;

    -- rev: 0 until the user changed, then the next of all users'; usersRev: the last that was given
    ALTER TABLE users ADD COLUMN rev INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX usersByRev ON users (rev) WHERE rev > 0;
    ALTER TABLE meta ADD COLUMN usersRev INTEGER NOT NULL DEFAULT 0;
  `);
}

/** The condition of the index of messages, as a query must repeat it for SQLite to use the index. */
export const IS_MESSAGE = `(kind = 'text' OR message = 1) AND deleted = 0`;
