/** Everything that is read of the log. */
import type { DatabaseSync } from 'node:sqlite';
import type { Entry } from '../../../shared/entry.ts';
import type { EntryKey, Original, RangeOutcome } from '../port.ts';
import { upToBytes } from '../upToBytes.ts';
import { query } from './query.ts';
import { COLUMNS, type EntryRow, entryOf, type Numbered, type NumberedRow, numberedOf } from './rows.ts';

export function readsOn(db: DatabaseSync) {
  const statements = prepare(db);

  return {
    find: (keys: readonly EntryKey[]): (Original | undefined)[] =>
      keys.map(({ room, author, clientOffset }) => statements.original.get(room, author, clientOffset)),

    /** One connection, one call at a time: entries, amendments and head are of one moment. */
    range(room: string, from: number, to: number, maxBytes: number): RangeOutcome {
      const head = statements.head.get(room)?.head ?? 0;
      const entries = upToBytes(
        entriesOf(statements.range.iterate(room, from, Math.min(to, head))),
        maxBytes,
      );
      const last = entries.at(-1);
      if (!last) return { entries, amendments: [], head };
      const amendments = statements.amendments.all(room, from, last.serverOffset).map(entryOf);
      return { entries, amendments, head };
    },

    heads(rooms: readonly string[]): Map<string, number> {
      const found = statements.heads.all(JSON.stringify(rooms));
      return new Map([
        ...rooms.map((room) => [room, 0] as const),
        ...found.map(({ id, head }) => [id, head] as const),
      ]);
    },

    timesAt: (points: readonly { room: string; serverOffset: number }[]): (number | undefined)[] =>
      points.map(({ room, serverOffset }) => statements.at.get(room, serverOffset)?.at),

    lastSeq: (): number => statements.lastSeq.get()!.seq,

    /** In the order of commits. */
    since: (seq: number, limit: number): Numbered[] => statements.since.all(seq, limit).map(numberedOf),
  };
}

/** One by one: what does not fit is not read. */
function* entriesOf(rows: Iterable<EntryRow>): Generator<Entry> {
  for (const row of rows) yield entryOf(row);
}

function prepare(db: DatabaseSync) {
  return {
    original: query<Original>(
      db,
      'SELECT serverOffset, at, digest FROM entries WHERE room = ? AND author = ? AND clientOffset = ?',
    ),
    head: query<{ head: number }>(db, 'SELECT head FROM rooms WHERE id = ?'),
    heads: query<{ id: string; head: number }>(
      db,
      'SELECT id, head FROM rooms WHERE id IN (SELECT value FROM json_each(?))',
    ),
    at: query<{ at: number }>(db, 'SELECT at FROM entries WHERE room = ? AND serverOffset = ?'),
    range: query<EntryRow>(
      db,
      `SELECT ${COLUMNS} FROM entries WHERE room = ? AND serverOffset BETWEEN ? AND ? ORDER BY serverOffset`,
    ),
    // Per text one step in entriesByTarget, however often it was edited. A text that lives has no deletion, and the
    // edits of one that was deleted are blank: so it is the last edit of the one, the first deletion of the other.
    amendments: query<EntryRow>(
      db,
      `SELECT ${COLUMNS} FROM entries WHERE room = ?1 AND serverOffset IN (
         SELECT CASE text.deleted
           WHEN 0 THEN (SELECT max(serverOffset) FROM entries
             WHERE room = ?1 AND target = text.serverOffset AND kind = 'edit')
           ELSE (SELECT min(serverOffset) FROM entries
             WHERE room = ?1 AND target = text.serverOffset AND kind = 'delete')
         END
         FROM entries AS text
         WHERE text.room = ?1 AND text.serverOffset BETWEEN ?2 AND ?3 AND text.kind = 'text'
       ) AND serverOffset > ?3 ORDER BY serverOffset`,
    ),
    lastSeq: query<{ seq: number }>(db, 'SELECT coalesce(max(seq), 0) AS seq FROM entries'),
    since: query<NumberedRow>(
      db,
      `SELECT seq, room, ${COLUMNS} FROM entries WHERE seq > ? ORDER BY seq LIMIT ?`,
    ),
  };
}
