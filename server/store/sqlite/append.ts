/** Writes entries, the only code that does: a batch is one transaction over all its rooms. */
import type { DatabaseSync } from 'node:sqlite';
import { changedBy, type RoomAbout } from '../../../shared/aboutRoom.ts';
import type { Entry } from '../../../shared/entry.ts';
import { isFirstKind, isMessage, kindsThat, makesRoom, ruleOf, subjectOf } from '../../../shared/kinds.ts';
import { ROOM_ACTIVITY_EVERY_MS } from '../../../shared/limits.ts';
import { banSetBy, rolesSetBy } from '../memberRoles.ts';
import type { AppendResult, NewEntry, Original } from '../port.ts';
import { mentionedBy, roomMadeBy } from '../storedEntries.ts';
import { faultKind } from './faults.ts';
import {
  COLUMNS,
  listOf,
  type Numbered,
  type NumberedRow,
  numberedOf,
  query,
  transactionOn,
} from './rows.ts';

export interface AppendedBatch {
  /** One per item, in order. */
  results: AppendResult[];
  /** The new entries in their state after the whole batch, in the order of commits. */
  committed: Numbered[];
}

/** Returns `append`, which returns once the batch is durable (L2, L4), and throws when nothing of it was written. */
export function appendOn(db: DatabaseSync) {
  const transaction = transactionOn(db);
  const statements = prepare(db);

  return (items: readonly NewEntry[], at: number): AppendedBatch =>
    transaction(() => {
      const before = statements.lastSeq.get()!.seq;
      const rooms = new Map<string, RoomState | undefined>();
      const results = items.map((item) => appendIsolated(item, at, rooms));
      for (const [id, room] of rooms) if (room) setRoom(id, room);
      return { results, committed: statements.since.all(before).map(numberedOf) };
    });

  function setRoom(id: string, { head, members, at, activeAt, roleSeq }: RoomState): void {
    statements.setRoom.run(head, members, roleSeq, id);
    // Apart from the rest, and seldom: it moves the room in an index.
    if (at - activeAt >= ROOM_ACTIVITY_EVERY_MS) statements.setActive.run(at, id);
  }

  /** A savepoint per item: an item that the database refuses does not roll back the others. */
  function appendIsolated(
    item: NewEntry,
    at: number,
    rooms: Map<string, RoomState | undefined>,
  ): AppendResult {
    statements.begin.run();
    try {
      const result = appendItem(item, at, rooms);
      statements.release.run();
      return result;
    } catch (error) {
      if (faultKind(error) !== 'refused' || !db.isTransaction) throw error;
      statements.undo.run();
      statements.release.run();
      return { tag: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  }

  function appendItem(item: NewEntry, at: number, rooms: Map<string, RoomState | undefined>): AppendResult {
    if (!rooms.has(item.room)) rooms.set(item.room, statements.room.get(item.room));
    const room = rooms.get(item.room);
    const decision = decide(item, at, {
      original: statements.original.get(item.room, item.author, item.clientOffset),
      room,
      target: item.target === undefined ? undefined : targetOf(item, item.target),
    });
    if (decision.tag !== 'write') return decision;
    const { after, target, deleted, redacts } = decision;
    const made = roomMadeBy(item, after.at);
    if (made) statements.create.run(made.id, made.kind, made.name, made.createdBy, after.at, after.at);
    insert(item, after.head, after.at, target, deleted);
    if (redacts && target !== undefined) {
      statements.forgetMentions.run(item.room, target);
      statements.redact.run(item.room, target);
      statements.redactReplacements.run(item.room, target);
    }
    const membership = ruleOf(item.kind)?.membership;
    if (membership) after.members += setMember(item, membership === 'joined', after.head);
    for (const { user, role } of rolesSetBy(item)) statements.setRole.run(role, item.room, user);
    const ban = banSetBy(item);
    if (ban) statements.setBan.run(Number(ban.banned), item.room, ban.user);
    const { sets, effect } = ruleOf(item.kind) ?? {};
    if (sets === 'about' || effect === 'remove') setAbout(item, after.head, target);
    rooms.set(item.room, after); // last, so that an exception above leaves the room unchanged
    return { tag: 'appended', serverOffset: after.head, at: after.at };
  }

  function insert(
    item: NewEntry,
    serverOffset: number,
    at: number,
    target: number | undefined,
    deleted: boolean,
  ) {
    const { room, author, clientOffset, kind, body, subject, content, digest } = item;
    const first = [room, serverOffset, author, clientOffset, at, kind] as const;
    const kept = [deleted ? null : (body ?? null), target ?? null, Number(deleted), digest] as const;
    if (isFirstKind(kind) && subject === undefined && content === undefined) {
      statements.insert.run(...first, ...kept);
      return;
    }
    const json = deleted || content === undefined ? null : JSON.stringify(content);
    const message = kind !== 'text' && ruleOf(kind)?.message ? 1 : null;
    statements.insertWithNewColumns.run(...first, ...kept, subject ?? null, json, message);
    for (const user of mentionedBy(item)) statements.mention.run(room, user, serverOffset);
  }

  /** The message that the item names as its target. */
  function targetOf({ room, author, targetAuthor }: NewEntry, target: string): Target | undefined {
    const found = statements.target.get(room, targetAuthor ?? author, target);
    return found && isMessage({ kind: found.kind }) ? found : undefined;
  }

  function setAbout({ room, kind, content }: NewEntry, serverOffset: number, target?: number): void {
    const stored = statements.about.get(room)!;
    const before = { name: stored.name, about: asAbout(stored.about) };
    const after = changedBy(before, [{ ...content, kind, serverOffset, target } as unknown as Entry]);
    if (after !== before) statements.setAbout.run(after.name, JSON.stringify(after.about), room);
  }

  /** Sets the member's row; returns the change of the room's number of members. Who is banned does not become one. */
  function setMember(item: NewEntry, joins: boolean, serverOffset: number): number {
    const user = subjectOf(item);
    const { present: was = 0, banned = 0 } = statements.member.get(item.room, user) ?? {};
    const present = Number(joins && !banned);
    statements.setMember.run(item.room, user, present, serverOffset);
    return present - was;
  }
}

/** From the column of the room's row. */
export function asAbout(stored: string | null): RoomAbout | undefined {
  return stored === null ? undefined : (JSON.parse(stored) as RoomAbout);
}

interface RoomState {
  head: number;
  members: number;
  /** Time of its newest entry in milliseconds; 0 for an empty room. */
  at: number;
  activeAt: number;
  /** Number of its last change of roles. */
  roleSeq: number;
}

interface ItemContext {
  original: Original | undefined;
  room: RoomState | undefined;
  target: Target | undefined;
}

/** The message that an item names as its target. */
interface Target {
  serverOffset: number;
  deleted: 0 | 1;
  kind: string;
}

type Decision =
  | Extract<
      AppendResult,
      { tag: 'repeat' | 'conflict' | 'no-room' | 'room-exists' | 'no-target' | 'outdated' }
    >
  | { tag: 'write'; after: RoomState; target: number | undefined; deleted: boolean; redacts: boolean };

/** Pure. The key decides first (L3): a repeat stays one, whatever has happened to its room, its target or its content. */
function decide(item: NewEntry, now: number, { original, room: there, target }: ItemContext): Decision {
  if (original) {
    const { serverOffset, at } = original;
    return original.digest === item.digest ? { tag: 'repeat', serverOffset, at } : { tag: 'conflict' };
  }
  const creates = makesRoom(item.kind);
  if (there && creates) return { tag: 'room-exists' };
  const room = creates ? { head: 0, members: 0, at: 0, activeAt: now, roleSeq: 0 } : there;
  if (!room) return { tag: 'no-room' };
  const { roleSeq = room.roleSeq } = item;
  if (item.roleSeq !== undefined && roleSeq !== room.roleSeq + 1) return { tag: 'outdated' };
  const { target: names = 'none', effect = 'none', sets } = ruleOf(item.kind) ?? {};
  const isTarget = target && !(sets === 'about' && target.deleted === 1);
  if (names !== 'none' && names !== 'reply' && !isTarget) return { tag: 'no-target' };
  return {
    tag: 'write',
    after: { ...room, roleSeq, head: room.head + 1, at: Math.max(now, room.at) }, // a clock may go back, or start in 1970
    target: names === 'none' ? undefined : target?.serverOffset,
    deleted: effect === 'replace' && target?.deleted === 1,
    redacts: effect === 'remove' && target?.deleted === 0,
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
    target: query<Target>(
      db,
      'SELECT serverOffset, deleted, kind FROM entries WHERE room = ? AND author = ? AND clientOffset = ?',
    ),
    room: query<RoomState>(
      db,
      `SELECT head, members, activeAt, roleSeq,
         coalesce((SELECT at FROM entries WHERE room = rooms.id AND serverOffset = rooms.head), 0) AS at
       FROM rooms WHERE id = ?`,
    ),
    create: query(
      db,
      'INSERT INTO rooms (id, kind, name, createdBy, createdAt, activeAt) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    setRoom: query(db, 'UPDATE rooms SET head = ?, members = ?, roleSeq = ? WHERE id = ?'),
    setActive: query(db, 'UPDATE rooms SET activeAt = ? WHERE id = ?'),
    insert: query(
      db,
      `INSERT INTO entries (room, serverOffset, author, clientOffset, at, kind, body, target, deleted, digest)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    insertWithNewColumns: query(
      db,
      `INSERT INTO entries
         (room, serverOffset, author, clientOffset, at, kind, body, target, deleted, digest, subject, content, message)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    mention: query(db, 'INSERT INTO mentions (room, user, serverOffset) VALUES (?, ?, ?)'),
    // before the message is redacted, which says whom it mentions
    forgetMentions: query(
      db,
      `DELETE FROM mentions WHERE room = ?1 AND serverOffset = ?2 AND user IN (
         SELECT each.value ->> 'user' FROM entries, json_each(entries.content, '$.mentions') AS each
         WHERE room = ?1 AND serverOffset = ?2 AND json_valid(entries.content))`,
    ),
    redact: query(
      db,
      'UPDATE entries SET body = NULL, content = NULL, deleted = 1 WHERE room = ? AND serverOffset = ?',
    ),
    redactReplacements: query(
      db,
      `UPDATE entries SET body = NULL, content = NULL, deleted = 1
       WHERE room = ? AND target = ? AND kind IN (${listOf(kindsThat('replace'))})`,
    ),
    member: query<{ present: 0 | 1; banned: 0 | 1 }>(
      db,
      'SELECT present, banned FROM members WHERE room = ? AND user = ?',
    ),
    setMember: query(
      db,
      `INSERT INTO members (room, user, present, serverOffset) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET present = excluded.present, serverOffset = excluded.serverOffset, role = NULL`,
    ),
    setRole: query(
      db,
      "UPDATE members SET role = nullif(?, 'member') WHERE room = ? AND user = ? AND present = 1",
    ),
    about: query<{ name: string; about: string | null }>(db, 'SELECT name, about FROM rooms WHERE id = ?'),
    setAbout: query(db, 'UPDATE rooms SET name = ?, about = ? WHERE id = ?'),
    setBan: query(db, 'UPDATE members SET banned = ? WHERE room = ? AND user = ?'),
    lastSeq: query<{ seq: number }>(db, 'SELECT coalesce(max(seq), 0) AS seq FROM entries'),
    since: query<NumberedRow>(db, `SELECT seq, room, ${COLUMNS} FROM entries WHERE seq > ? ORDER BY seq`),
  };
}
