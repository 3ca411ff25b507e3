/**
 * The file as `npm run migrate` reads it, also while a server uses it.
 *
 * Changes. Entries are numbered in the order of their commits, so new ones are found by their number. Every other change is
 * recorded by triggers, in the transaction that makes it: `changedRows` has the key of each row that was written or deleted since
 * the move began, at most once, under a number that grows. Whoever applies them in order, reading each row as it is now, ends with
 * the same state.
 *
 * The handover. `BEGIN IMMEDIATE` takes the lock of the writer: a server answers `unavailable` to whatever writes, and goes on
 * reading. The transaction ends by adding triggers that refuse every write to this file. So no write comes between the last read and
 * the mark, a server of whichever version cannot write after it, and where this process dies before, the kernel releases the lock
 * and SQLite forgets the transaction.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import {
  MOVED_KEYS,
  MOVED_PARTS,
  type MovedChanges,
  type MovedEntry,
  type MovedKey,
  type MovedPart,
  type MovedRows,
  type MoveSource,
} from '../move.ts';
import { Unusable } from '../port.ts';
import { checkAccess, epochOf, realFile, unusable, versionOfOurs } from './connections.ts';
import { MOVED_AWAY } from './faults.ts';
import { forgetMove, movedFrom, moveStateOf, RECORDS, REFUSES } from './movedFile.ts';
import { takeLock } from './processLock.ts';
import { COLUMNS, entryOf, query, transactionOn } from './rows.ts';
import { SCHEMA_VERSION } from './tables.ts';

/** Throws `Unusable` where there is no such file, it cannot be moved as it is, or another process is moving it. */
export async function openMoveSource(path: string): Promise<MoveSource> {
  const file = realFile(path);
  if (!existsSync(file))
    throw new Unusable(`There is no database ${file}: set DATA to the folder of the server.`);
  checkAccess(file);
  const lock = await takeLock(`${file}.moving`);
  if (!lock) throw new Unusable(`Another process is moving ${file}: wait for it, or stop it.`);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
    if (versionOfOurs(db, file) < SCHEMA_VERSION)
      throw new Unusable(
        `The database ${file} is of an older version: start the server of this version once, which upgrades it.`,
      );
    db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA cache_size = -65536');
    const source = sourceOn(db, file);
    const opened = db;
    const close = () => {
      opened.close();
      lock.release();
    };
    return { ...source, close };
  } catch (error) {
    db?.close();
    lock.release();
    throw unusable(file, error);
  }
}

/** The server's commits take some milliseconds each. */
const LOCK_WAIT_MS = 10_000;
const CHANGES_PER_PAGE = 1_000;

function sourceOn(db: DatabaseSync, file: string): Omit<MoveSource, 'close'> {
  const statements = prepare(db);
  const transaction = transactionOn(db);
  const state = () => moveStateOf(db);

  return {
    file,
    epoch: epochOf(db),
    state,
    begin: (place) =>
      transaction(() => {
        const before = state();
        if (before?.place === place) return before.run;
        forgetMove(db);
        for (const [i, trigger] of recordingTriggers().entries())
          db.exec(`CREATE TRIGGER "${RECORDS}${i}" ${trigger}`);
        const run = randomBytes(16).toString('base64url');
        statements.begin.run(place, run);
        return run;
      }),
    resume: (place) => void statements.setPlace.run(place),
    async inSnapshot(work) {
      db.exec('BEGIN');
      statements.lastSeq.get(); // a transaction sees the state at its first read
      try {
        return await work();
      } finally {
        if (db.isTransaction) db.exec('ROLLBACK');
      }
    },
    async handOver(work) {
      db.exec('BEGIN IMMEDIATE');
      try {
        await work();
        for (const sql of refusingTriggers(db)) db.exec(sql);
        statements.setState.run('moved');
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },
    finish: () => void statements.setState.run('finished'),
    cancel: () =>
      transaction(() => {
        const moved = movedFrom(db, file);
        if (moved) throw moved;
        forgetMove(db);
      }),

    lastSeq: () => statements.lastSeq.get()!.n,
    lastChange: () => statements.lastChange.get()!.n,
    usersRev: () => statements.usersRev.get()!.n,
    count: (part) => query<{ n: number }>(db, `SELECT count(*) AS n FROM ${part}`).get()!.n,
    entries: (after, upTo, limit) => statements.entries.all(after, upTo, limit),
    entriesBySeq: (seqs) => statements.entriesBySeq.all(JSON.stringify(seqs)),
    rooms: () => statements.rooms.all().map(({ id }) => id),
    entriesOf: (room) => statements.entriesOf.iterate(room),
    *changes(after, upTo) {
      for (let from = after; ; ) {
        const found = statements.changes.all(from, upTo, CHANGES_PER_PAGE);
        const last = found.at(-1);
        if (!last) return;
        yield changesOf(found);
        from = last.id;
      }
    },
    rows: (part) => query<MovedRows[typeof part]>(db, selectOf(part)).iterate(),
    rowsAt: (part, keys) =>
      query<MovedRows[typeof part]>(db, `${selectOf(part)} JOIN json_each(?) AS key ON ${isKey(part)}`).all(
        JSON.stringify(keys),
      ),
    seen: entryOf,
  };
}

const ENTRIES = `SELECT seq, room, ${COLUMNS}, digest,
  CASE serverOffset WHEN 1 THEN (SELECT nullif(roleSeq, 0) FROM rooms WHERE id = entries.room) END AS roleSeq
  FROM entries`;

function prepare(db: DatabaseSync) {
  const number = (sql: string) => query<{ n: number }>(db, sql);
  return {
    lastSeq: number('SELECT coalesce(max(seq), 0) AS n FROM entries'),
    lastChange: number('SELECT coalesce(max(id), 0) AS n FROM changedRows'),
    usersRev: number('SELECT usersRev AS n FROM meta'),
    begin: query(db, "INSERT INTO move (place, run, state) VALUES (?, ?, 'copying')"),
    setPlace: query(db, 'UPDATE move SET place = ?'),
    setState: query(db, 'UPDATE move SET state = ?'),
    entries: query<MovedEntry>(db, `${ENTRIES} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`),
    entriesBySeq: query<MovedEntry>(db, `${ENTRIES} WHERE seq IN (SELECT value FROM json_each(?))`),
    entriesOf: query<MovedEntry>(db, `${ENTRIES} WHERE room = ? ORDER BY serverOffset`),
    rooms: query<{ id: string }>(db, 'SELECT id FROM rooms'),
    changes: query<ChangedRow>(
      db,
      'SELECT id, part, key FROM changedRows WHERE id > ? AND id <= ? ORDER BY id LIMIT ?',
    ),
  };
}

/** `key`: a JSON array. */
interface ChangedRow {
  id: number;
  part: MovedPart | 'entries';
  key: string;
}

function changesOf(found: readonly ChangedRow[]): MovedChanges {
  const changes: MovedChanges = { rows: new Map(), entries: [] };
  for (const { part, key } of found) {
    const values = JSON.parse(key);
    if (part === 'entries') changes.entries.push(values[0]);
    else {
      const keys: MovedKey[] = changes.rows.get(part) ?? [];
      keys.push(values);
      changes.rows.set(part, keys);
    }
  }
  return changes;
}

/** The columns of each part that are moved as they are. */
export const MOVED_COLUMNS: { [Part in MovedPart]: readonly (keyof MovedRows[Part])[] } = {
  users: ['id', 'name', 'nameKey', 'passwordHash', 'createdAt', 'rev', 'recoveryHash', 'renames'],
  devices: ['id', 'user', 'tokenHash', 'createdAt', 'seenAt'],
  signedOut: ['tokenHash', 'at'],
  rooms: ['id', 'kind', 'name', 'createdBy', 'createdAt', 'activeAt', 'about'],
  members: ['room', 'user', 'present', 'serverOffset', 'role', 'banned'],
  marks: ['room', 'user', 'upTo'],
  reached: ['room', 'user', 'first', 'last'],
  settings: ['room', 'user', 'chosen'],
  passes: ['hash', 'kind', 'user', 'device', 'createdAt', 'expiresAt', 'claimHash'],
  keepers: ['user', 'since'],
  suspensions: ['user', 'since'],
  requests: ['hash', 'user', 'number', 'state', 'createdAt', 'expiresAt'],
  invitations: [
    'hash',
    'codeHash',
    'room',
    'createdBy',
    'createdAt',
    'expiresAt',
    'maxUses',
    'makesAccounts',
    'uses',
    'revokedAt',
  ],
  presence: ['user', 'seenAt', 'hides', 'hidesReads'],
  reports: [
    'id',
    'createdBy',
    'createdAt',
    'about',
    'room',
    'serverOffset',
    'head',
    'shown',
    'recipients',
    'reason',
    'expiresAt',
    'closed',
  ],
};

/** Columns that are computed. */
const COMPUTED: { [Part in MovedPart]?: string } = {
  // the file may have several devices with one claim, of which the newest counts; the index of MongoDB takes one
  devices: `CASE WHEN NOT EXISTS (
      SELECT 1 FROM devices AS newer WHERE newer.claimHash = devices.claimHash
        AND (newer.createdAt, newer.id) > (devices.createdAt, devices.id)
    ) THEN claimHash END AS claimHash`,
  invitations: `(SELECT json_group_array(user) FROM (
      SELECT user FROM invitationUses WHERE invitation = invitations.hash ORDER BY user)) AS users`,
};

function selectOf(part: MovedPart): string {
  const plain = MOVED_COLUMNS[part].map((column) => `${part}."${String(column)}"`);
  return `SELECT ${[...plain, ...(COMPUTED[part] ? [COMPUTED[part]] : [])].join(', ')} FROM ${part}`;
}

function isKey(part: MovedPart): string {
  return MOVED_KEYS[part].map((column, i) => `${part}."${column}" = key.value ->> ${i}`).join(' AND ');
}

/** SQL of the triggers that record changes, without their names. */
function recordingTriggers(): string[] {
  const ofParts = MOVED_PARTS.flatMap((part) => [
    recording(part, 'INSERT', changed(part, keyOf(part, 'NEW'))),
    recording(part, UPDATES[part] ?? 'UPDATE', changed(part, keyOf(part, 'NEW'))),
    recording(part, 'DELETE', changed(part, keyOf(part, 'OLD'))),
  ]);
  const uses = (row: 'NEW' | 'OLD') => changed('invitations', `json_array(${row}.invitation)`);
  return [
    ...ofParts,
    recording('invitationUses', 'INSERT', uses('NEW')),
    recording('invitationUses', 'DELETE', uses('OLD')),
    recording('entries', 'UPDATE', changed('entries', 'json_array(NEW.seq)')),
    // what is moved with the first entry of the room
    recording(
      'rooms',
      'UPDATE OF roleSeq',
      changed('entries', 'json_array(seq)', 'FROM entries WHERE room = NEW.id AND serverOffset = 1'),
      'NEW.roleSeq <> OLD.roleSeq',
    ),
    // whether another device has the newest claim now
    recording('devices', 'INSERT', sameClaim('NEW')),
    recording('devices', 'DELETE', sameClaim('OLD')),
  ];
}

/** A room's row is written with each entry, mostly in columns that are not moved. */
const UPDATES: { [Part in MovedPart]?: string } = { rooms: 'UPDATE OF name, activeAt, about' };

function keyOf(part: MovedPart, row: 'NEW' | 'OLD'): string {
  return `json_array(${MOVED_KEYS[part].map((column) => `${row}."${column}"`).join(', ')})`;
}

/** Not by OR REPLACE: within a trigger, the conflict clause of the statement that fires it counts. */
function changed(part: MovedPart | 'entries', key: string, from = ''): string {
  return `
    DELETE FROM changedRows WHERE part = '${part}' AND key IN (SELECT ${key} ${from});
    INSERT INTO changedRows (part, key) SELECT '${part}', ${key} ${from};`;
}

function sameClaim(row: 'NEW' | 'OLD'): string {
  return changed(
    'devices',
    'json_array(id)',
    `FROM devices WHERE claimHash = ${row}.claimHash AND id <> ${row}.id`,
  );
}

function recording(table: string, event: string, work: string, when?: string): string {
  return `AFTER ${event} ON ${table} ${when ? `WHEN ${when} ` : ''}BEGIN ${work} END`;
}

/** SQL of the triggers that refuse every write. */
function refusingTriggers(db: DatabaseSync): string[] {
  const tables = query<{ name: string }>(
    db,
    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'move'`,
  ).all();
  return tables.flatMap(({ name }) =>
    ['INSERT', 'UPDATE', 'DELETE'].map(
      (event) =>
        `CREATE TRIGGER "${REFUSES}${name}_${event}" BEFORE ${event} ON "${name}" BEGIN SELECT RAISE(ABORT, '${MOVED_AWAY}'); END`,
    ),
  );
}
