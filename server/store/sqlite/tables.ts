/** The tables, and the migrations of older files. `user_version` is the number of migration steps done. */
import type { DatabaseSync } from 'node:sqlite';
import { LOBBY } from '../../../shared/mint.ts';

/** "Hold" in ASCII: marks a file as ours (the command `file` shows it, too). */
export const APPLICATION_ID = 0x486f6c64;

/** Runs the remaining steps, within the caller's transaction. `created`: epoch and time of a new database. */
export function migrate(db: DatabaseSync, from: number, created: { epoch: string; at: number }): void {
  for (const step of STEPS.slice(from)) step(db, created);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${STEPS.length}`);
}

const STEPS = [
  first,
  second,
  third,
  fourth,
  fifth,
  sixth,
  seventh,
  eighth,
  ninth,
  tenth,
  eleventh,
  twelfth,
  thirteenth,
  fourteenth,
  fifteenth,
  sixteenth,
  seventeenth,
  eighteenth,
  nineteenth,
  twentieth,
  twentyFirst,
];
export const SCHEMA_VERSION = STEPS.length;
/** From this version on, the file says whether it was moved. */
export const VERSION_OF_MOVES = 21;

function first(db: DatabaseSync, created: { epoch: string; at: number }): void {
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
  db.prepare('INSERT INTO meta (epoch) VALUES (?)').run(created.epoch);
  db.prepare(
    `INSERT INTO rooms (id, kind, name, createdBy, createdAt) VALUES (?, 'public', 'Lobby', '', ?)`,
  ).run(LOBBY, created.at);
}

/**
 * Entries of any kind (shared/kinds.ts): removes the constraint on kinds, adds columns for the fields of new kinds, and an
 * index of messages. Users that can be renamed. Rows are not rewritten, so a large file takes only as long as the index.
 *
 * A CHECK can only be removed by rewriting the table's definition, which SQLite allows for changes that do not affect the
 * rows: https://sqlite.org/lang_altertable.html, section 7.
 */
function second(db: DatabaseSync): void {
  const version = Object.values(db.prepare('PRAGMA schema_version').get()!)[0] as number;
  db.enableDefensive(false); // defensive mode forbids to change definitions
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

/** An index by creator, for the limit of rooms per user and day. */
function third(db: DatabaseSync): void {
  db.exec('CREATE INDEX roomsByCreator ON rooms (createdBy, createdAt)');
}

/**
 * When a device was last seen, and sign-outs. Devices count as seen at the upgrade, since nobody knows when they were used.
 * `signedOut` has the hash of the token of each device that was signed out, so that an app can be told so.
 */
function fourth(db: DatabaseSync, { at }: { at: number }): void {
  db.exec(`
    ALTER TABLE devices ADD COLUMN seenAt INTEGER NOT NULL DEFAULT ${at};
    CREATE INDEX devicesBySeen ON devices (seenAt);
    CREATE TABLE signedOut (tokenHash TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX signedOutByTime ON signedOut (at);
  `);
}

/** Public rooms are listed by their activity. An index by id is not needed any more. */
function fifth(db: DatabaseSync): void {
  db.exec(`
    ALTER TABLE rooms ADD COLUMN activeAt INTEGER NOT NULL DEFAULT 0;
    UPDATE rooms SET activeAt =
      coalesce((SELECT at FROM entries WHERE room = rooms.id AND serverOffset = rooms.head), createdAt);
    DROP INDEX roomsPublic;
    CREATE INDEX roomsByActivity ON rooms (activeAt, id) WHERE kind = 'public';
  `);
}

/** One-time passes. `claimHash`: of whoever has taken it. */
function sixth(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE passes (
      hash TEXT PRIMARY KEY, kind TEXT NOT NULL, user TEXT NOT NULL, device TEXT NOT NULL, createdAt INTEGER NOT NULL,
      expiresAt INTEGER NOT NULL, claimHash TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX passesOfUser ON passes (user, kind, createdAt);
    CREATE INDEX passesByExpiry ON passes (expiresAt);
  `);
}

/** Recovery codes: the hash of each user's. */
function seventh(db: DatabaseSync): void {
  db.exec('ALTER TABLE users ADD COLUMN recoveryHash TEXT');
}

/** Keepers, and the requests to come back. */
function eighth(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE keepers (user TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE requests (
      hash TEXT PRIMARY KEY, user TEXT NOT NULL, number TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting',
      createdAt INTEGER NOT NULL, expiresAt INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX requestsByExpiry ON requests (expiresAt);
  `);
}

/** The times of each user's last renames that count, as JSON, ascending. */
function ninth(db: DatabaseSync): void {
  db.exec("ALTER TABLE users ADD COLUMN renames TEXT NOT NULL DEFAULT '[]'");
}

/** Invitations, and who has used each. */
function tenth(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE invitations (
      hash TEXT PRIMARY KEY, codeHash TEXT NOT NULL UNIQUE, room TEXT NOT NULL, createdBy TEXT NOT NULL,
      createdAt INTEGER NOT NULL, expiresAt INTEGER NOT NULL, maxUses INTEGER NOT NULL, makesAccounts INTEGER NOT NULL,
      uses INTEGER NOT NULL, revokedAt INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX invitationsOfRoom ON invitations (room, expiresAt);
    CREATE INDEX invitationsOfUser ON invitations (createdBy, room);
    CREATE INDEX invitationsByExpiry ON invitations (expiresAt);
    CREATE TABLE invitationUses (
      invitation TEXT NOT NULL, user TEXT NOT NULL, PRIMARY KEY (invitation, user)
    ) STRICT, WITHOUT ROWID;
  `);
}

/** When each user was here last, and whether they hide it. `seenAt` is 0 for never. */
function eleventh(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE presence (
      user TEXT PRIMARY KEY, seenAt INTEGER NOT NULL DEFAULT 0, hides INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
  `);
}

/** What each user wants of each room (storedSettings.ts), as JSON. */
function twelfth(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE settings (
      room TEXT NOT NULL, user TEXT NOT NULL, chosen TEXT NOT NULL, PRIMARY KEY (user, room)
    ) STRICT, WITHOUT ROWID;
  `);
}

/**
 * Roles of members (NULL: none), bans, and the number of each room's changes of roles. Rooms that exist need no roles: without an
 * owner, a room's creator is one, else its eldest member (server/rooms/roles.ts).
 */
function thirteenth(db: DatabaseSync): void {
  db.exec(`
    ALTER TABLE members ADD COLUMN role TEXT;
    ALTER TABLE members ADD COLUMN banned INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE rooms ADD COLUMN roleSeq INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX membersWithRole ON members (room) WHERE role IS NOT NULL;
    CREATE INDEX membersBanned ON members (room) WHERE banned = 1;
  `);
}

/** Who is mentioned where, without deleted messages. Entries that were written before this mention nobody. */
function fourteenth(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE mentions (
      room TEXT NOT NULL, user TEXT NOT NULL, serverOffset INTEGER NOT NULL, PRIMARY KEY (room, user, serverOffset)
    ) STRICT, WITHOUT ROWID;
  `);
}

/**
 * Reports of messages and people. `room`, `serverOffset` and `head` are '' and 0 where a person is reported, so that the index finds
 * a repeat.
 */
function fifteenth(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE reports (
      id TEXT PRIMARY KEY, createdBy TEXT NOT NULL, createdAt INTEGER NOT NULL, about TEXT NOT NULL,
      room TEXT NOT NULL, serverOffset INTEGER NOT NULL, head INTEGER NOT NULL, recipients TEXT NOT NULL, reason TEXT,
      expiresAt INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX reportsOpen ON reports (createdBy, about, room, serverOffset) WHERE closed = 0;
    CREATE INDEX reportsOfRoom ON reports (recipients, room, createdAt) WHERE closed = 0;
    CREATE INDEX reportsOfUser ON reports (createdBy, createdAt);
    CREATE INDEX reportsByExpiry ON reports (expiresAt);
  `);
}

/** What entries have changed of each room (shared/aboutRoom.ts), as JSON. NULL: nothing. */
function sixteenth(db: DatabaseSync): void {
  db.exec('ALTER TABLE rooms ADD COLUMN about TEXT');
}

/** Whom keepers have suspended. */
function seventeenth(db: DatabaseSync): void {
  db.exec('CREATE TABLE suspensions (user TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID');
}

/** Who hides what they have read. */
function eighteenth(db: DatabaseSync): void {
  db.exec('ALTER TABLE presence ADD COLUMN hidesReads INTEGER NOT NULL DEFAULT 0');
}

/** Which entries of each room a device of each user has stored. */
function nineteenth(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE reached (
      room TEXT NOT NULL, user TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (room, user)
    ) STRICT, WITHOUT ROWID;
  `);
}

/** What a report shows, as a JSON array of serverOffsets. NULL: made before this step, or of a person. */
function twentieth(db: DatabaseSync): void {
  db.exec('ALTER TABLE reports ADD COLUMN shown TEXT');
}

/**
 * The move to MongoDB: where to, and which rows have changed since it began (moveSource.ts). Only tables; the triggers that fill
 * `changedRows` exist during a move alone.
 */
function twentyFirst(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE move (place TEXT NOT NULL, run TEXT NOT NULL, state TEXT NOT NULL) STRICT;
    CREATE TABLE changedRows (id INTEGER PRIMARY KEY AUTOINCREMENT, part TEXT NOT NULL, key TEXT NOT NULL) STRICT;
    CREATE UNIQUE INDEX changedRowsByKey ON changedRows (part, key);
  `);
}

/** The condition of the partial index of messages: SQLite uses the index only for queries that repeat it. */
export const IS_MESSAGE = `(kind = 'text' OR message = 1) AND deleted = 0`;
