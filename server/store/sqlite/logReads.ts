/** Reads of the log. */
import type { DatabaseSync } from 'node:sqlite';
import type { Entry } from '../../../shared/entry.ts';
import { kindsThat } from '../../../shared/kinds.ts';
import type { Reactions } from '../../../shared/protocol/index.ts';
import { countReactions, type LastReaction, reactorsIn } from '../countReactions.ts';
import type { EntryKey, Original, RangeOutcome, Reactor } from '../port.ts';
import { upToBytes } from '../storedEntries.ts';
import {
  COLUMNS,
  type EntryRow,
  entryOf,
  listOf,
  type Numbered,
  type NumberedRow,
  numberedOf,
  query,
} from './rows.ts';
import { IS_MESSAGE } from './tables.ts';

export function readsOn(db: DatabaseSync) {
  const statements = prepare(db);

  function lastReactions(room: string, targets: readonly number[]): LastReaction[] {
    return statements.reactions
      .all(room, JSON.stringify(targets))
      .map(({ isOff, ...reaction }) => ({ ...reaction, isOn: isOff !== 1 }));
  }

  return {
    find: (keys: readonly EntryKey[]): (Original | undefined)[] =>
      keys.map(({ room, author, clientOffset }) => statements.original.get(room, author, clientOffset)),

    /** Each call runs in one read transaction: entries, amendments and head are one snapshot. */
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

    entriesAt(room: string, offsets: readonly number[]): RangeOutcome {
      const head = statements.head.get(room)?.head ?? 0;
      const list = JSON.stringify(offsets);
      return {
        entries: statements.entriesAt.all(room, list).map(entryOf),
        amendments: statements.amendmentsAt.all(room, list).map(entryOf),
        head,
      };
    },

    reactionsTo: (room: string, targets: readonly number[], by: string | undefined): Reactions[] =>
      countReactions(lastReactions(room, targets), by),

    reactors: (room: string, target: number, most: number): Reactor[] =>
      reactorsIn(lastReactions(room, [target]), most),

    heads(rooms: readonly string[]): Map<string, number> {
      const found = statements.heads.all(JSON.stringify(rooms));
      return new Map([
        ...rooms.map((room) => [room, 0] as const),
        ...found.map(({ id, head }) => [id, head] as const),
      ]);
    },

    timesAt: (points: readonly { room: string; serverOffset: number }[]): (number | undefined)[] =>
      points.map(({ room, serverOffset }) => statements.at.get(room, serverOffset)?.at),

    messageAt: (room: string, upTo: number, count: number): number | undefined =>
      statements.messageAt.get(room, upTo, count)?.serverOffset ?? undefined,

    messageFrom: (room: string, from: number, to: number): number | undefined =>
      statements.messageFrom.get(room, from, to)?.serverOffset,

    unread: (room: string, user: string, after: number, most: number): number =>
      statements.unread.get(room, after, user, most)!.count,

    mentions: (room: string, user: string, after: number, most: number): number[] =>
      statements.mentions.all(room, user, after, most).map(({ serverOffset }) => serverOffset),

    lastSeq: (): number => statements.lastSeq.get()!.seq,

    /** In the order of commits. */
    since: (seq: number, limit: number): Numbered[] => statements.since.all(seq, limit).map(numberedOf),
  };
}

/** Lazily: rows that do not fit are not read. */
function* entriesOf(rows: Iterable<EntryRow>): Generator<Entry> {
  for (const row of rows) yield entryOf(row);
}

/** SQL: the first or last entry of these kinds that targets `message`. */
function furthest(which: 'min' | 'max', kinds: readonly string[]): string {
  const its = kinds.map(
    (kind) =>
      `SELECT ${which}(serverOffset) AS offset FROM entries
       WHERE room = ?1 AND target = message.serverOffset AND kind IN (${listOf([kind])})`,
  );
  return its.length === 1 ? `(${its[0]})` : `(SELECT ${which}(offset) FROM (${its.join(' UNION ALL ')}))`;
}

/**
 * SQL: the amendments of these messages of the room ?1. One step in entriesByTarget per message and kind, however often a
 * message was edited. A message that is not removed has only replacements, of which the last counts; replacements of a removed
 * one are redacted, so its first removal counts.
 */
function amendmentsOf(messages: string, wanted: string): string {
  return `SELECT ${COLUMNS} FROM entries WHERE room = ?1 AND serverOffset IN (
     SELECT CASE message.deleted
       WHEN 0 THEN ${furthest('max', kindsThat('replace'))}
       ELSE ${furthest('min', kindsThat('remove'))}
     END
     FROM entries AS message
     WHERE message.room = ?1 AND ${messages}
       AND (message.kind = 'text' OR message.message = 1)
   ) AND ${wanted} ORDER BY serverOffset`;
}

const AMONG_THESE = 'serverOffset IN (SELECT value FROM json_each(?2))';

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
    amendments: query<EntryRow>(
      db,
      amendmentsOf('message.serverOffset BETWEEN ?2 AND ?3', 'serverOffset > ?3'),
    ),
    entriesAt: query<EntryRow>(
      db,
      `SELECT ${COLUMNS} FROM entries WHERE room = ?1 AND ${AMONG_THESE} ORDER BY serverOffset`,
    ),
    // SQLite takes the columns that are not grouped from the row with the greatest serverOffset
    reactions: query<Omit<LastReaction, 'isOn'> & { isOff: 0 | 1 | null }>(
      db,
      `SELECT target, author, content ->> 'emoji' AS emoji, content -> 'on' = 'false' AS isOff,
         max(serverOffset) AS serverOffset
       FROM entries
       WHERE room = ? AND target IN (SELECT value FROM json_each(?)) AND kind IN (${listOf(kindsThat('aggregate'))})
         AND json_valid(content)
       GROUP BY target, author, emoji`,
    ),
    amendmentsAt: query<EntryRow>(db, amendmentsOf(`message.${AMONG_THESE}`, `NOT ${AMONG_THESE}`)),
    messageAt: query<{ serverOffset: number | null }>(
      db,
      `SELECT min(serverOffset) AS serverOffset FROM (
         SELECT serverOffset FROM entries WHERE room = ? AND serverOffset <= ? AND ${IS_MESSAGE}
         ORDER BY serverOffset DESC LIMIT ?)`,
    ),
    messageFrom: query<{ serverOffset: number }>(
      db,
      `SELECT serverOffset FROM entries WHERE room = ? AND serverOffset >= ? AND serverOffset <= ? AND ${IS_MESSAGE}
       ORDER BY serverOffset LIMIT 1`,
    ),
    unread: query<{ count: number }>(
      db,
      `SELECT count(*) AS count FROM (
         SELECT 1 FROM entries WHERE room = ? AND serverOffset > ? AND author <> ? AND ${IS_MESSAGE} LIMIT ?)`,
    ),
    mentions: query<{ serverOffset: number }>(
      db,
      'SELECT serverOffset FROM mentions WHERE room = ? AND user = ? AND serverOffset > ? ORDER BY serverOffset LIMIT ?',
    ),
    lastSeq: query<{ seq: number }>(db, 'SELECT coalesce(max(seq), 0) AS seq FROM entries'),
    since: query<NumberedRow>(
      db,
      `SELECT seq, room, ${COLUMNS} FROM entries WHERE seq > ? ORDER BY seq LIMIT ?`,
    ),
  };
}
