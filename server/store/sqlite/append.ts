/** The one place that writes entries: a batch is one transaction over all its rooms. */
import type { DatabaseSync } from 'node:sqlite';
import type { AppendResult, NewEntry, Original } from '../port.ts';
import { faultKind } from './faults.ts';
import { query, transactionOn } from './query.ts';
import { COLUMNS, type Numbered, type NumberedRow, numberedOf } from './rows.ts';

export interface Appended {
  /** One per item, in order. */
  results: AppendResult[];
  /** What is new, as it stands after the whole batch, in the order of commits. */
  committed: Numbered[];
}

/** Returns once the batch is durable (L2, L4); throws when nothing of it is. */
export function appendOn(db: DatabaseSync) {
  const transaction = transactionOn(db);
  const statements = prepare(db);

  return (items: readonly NewEntry[], at: number): Appended =>
    transaction(() => {
      const before = statements.lastSeq.get()!.seq;
      const rooms = new Map<string, RoomState | undefined>();
      const results = items.map((item) => alone(item, at, rooms));
      for (const [id, room] of rooms) if (room) statements.setRoom.run(room.head, room.members, id);
      return { results, committed: statements.since.all(before).map(numberedOf) };
    });

  /** An item that the database refuses must not take the others with it. */
  function alone(item: NewEntry, at: number, rooms: Map<string, RoomState | undefined>): AppendResult {
    statements.begin.run();
    try {
      const result = one(item, at, rooms);
      statements.release.run();
      return result;
    } catch (error) {
      if (faultKind(error) !== 'refused' || !db.isTransaction) throw error;
      statements.undo.run();
      statements.release.run();
      return { tag: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  }

  function one(item: NewEntry, at: number, rooms: Map<string, RoomState | undefined>): AppendResult {
    if (!rooms.has(item.room)) rooms.set(item.room, statements.room.get(item.room));
    const room = rooms.get(item.room);
    const decision = decide(item, {
      original: statements.original.get(item.room, item.author, item.clientOffset),
      room,
      target:
        item.target === undefined ? undefined : statements.text.get(item.room, item.author, item.target),
    });
    if (decision.tag !== 'write') return decision;
    const { after, target, deleted, blanks } = decision;
    const body = deleted ? null : (item.body ?? null);
    const { room: id, author, clientOffset, kind, digest } = item;
    statements.insert.run(
      id,
      after.head,
      author,
      clientOffset,
      at,
      kind,
      body,
      target ?? null,
      Number(deleted),
      digest,
    );
    if (blanks && target !== undefined) {
      statements.blankText.run(id, target);
      statements.blankEdits.run(id, target);
    }
    if (kind === 'join' || kind === 'leave')
      after.members += memberFollows(item, kind === 'join', after.head);
    rooms.set(id, after); // last: whatever throws above leaves the room as it was
    return { tag: 'appended', serverOffset: after.head, at };
  }

  /** By how much the room's count of members changes. */
  function memberFollows({ room, author }: NewEntry, present: boolean, serverOffset: number): number {
    const was = statements.member.get(room, author)?.present === 1;
    statements.setMember.run(room, author, Number(present), serverOffset);
    return Number(present) - Number(was);
  }
}

interface RoomState {
  head: number;
  members: number;
}

interface Known {
  original: Original | undefined;
  room: RoomState | undefined;
  /** The text that the item amends. */
  target: { serverOffset: number; deleted: 0 | 1 } | undefined;
}

type Decision =
  | Extract<AppendResult, { tag: 'repeat' | 'conflict' | 'no-room' | 'no-target' }>
  | { tag: 'write'; after: RoomState; target: number | undefined; deleted: boolean; blanks: boolean };

/** The key comes first (L3): a repeat is one whatever has become of its room, its target or its content. Pure. */
function decide(item: NewEntry, { original, room, target }: Known): Decision {
  if (original) {
    const { serverOffset, at } = original;
    return original.digest === item.digest ? { tag: 'repeat', serverOffset, at } : { tag: 'conflict' };
  }
  if (!room) return { tag: 'no-room' };
  const amends = item.kind === 'edit' || item.kind === 'delete';
  if (amends && !target) return { tag: 'no-target' };
  return {
    tag: 'write',
    after: { ...room, head: room.head + 1 },
    target: amends ? target?.serverOffset : undefined,
    deleted: item.kind === 'edit' && target?.deleted === 1,
    blanks: item.kind === 'delete' && target?.deleted === 0,
  };
}

function prepare(db: DatabaseSync) {
  return {
    begin: query(db, 'SAVEPOINT item'),
    undo: query(db, 'ROLLBACK TO item'),
    release: query(db, 'RELEASE item'),
    original: query<Original>(
      db,
      'SELECT serverOffset, at, digest FROM entries WHERE room = ? AND author = ? AND clientOffset = ?',
    ),
    text: query<{ serverOffset: number; deleted: 0 | 1 }>(
      db,
      `SELECT serverOffset, deleted FROM entries WHERE room = ? AND author = ? AND clientOffset = ? AND kind = 'text'`,
    ),
    room: query<RoomState>(db, 'SELECT head, members FROM rooms WHERE id = ?'),
    setRoom: query(db, 'UPDATE rooms SET head = ?, members = ? WHERE id = ?'),
    insert: query(
      db,
      `INSERT INTO entries (room, serverOffset, author, clientOffset, at, kind, body, target, deleted, digest)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    blankText: query(db, 'UPDATE entries SET body = NULL, deleted = 1 WHERE room = ? AND serverOffset = ?'),
    blankEdits: query(
      db,
      `UPDATE entries SET body = NULL, deleted = 1 WHERE room = ? AND target = ? AND kind = 'edit'`,
    ),
    member: query<{ present: 0 | 1 }>(db, 'SELECT present FROM members WHERE room = ? AND user = ?'),
    setMember: query(
      db,
      `INSERT INTO members (room, user, present, serverOffset) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET present = excluded.present, serverOffset = excluded.serverOffset`,
    ),
    lastSeq: query<{ seq: number }>(db, 'SELECT coalesce(max(seq), 0) AS seq FROM entries'),
    since: query<NumberedRow>(db, `SELECT seq, room, ${COLUMNS} FROM entries WHERE seq > ? ORDER BY seq`),
  };
}
