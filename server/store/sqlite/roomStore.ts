/** Rooms, their members, and read markers. Only append.ts writes the rows of members. */
import type { DatabaseSync } from 'node:sqlite';
import { membersOfPair, pairOf } from '../../../shared/directPair.ts';
import { expellingKinds, leavingKinds } from '../../../shared/kinds.ts';
import { foundAmong } from '../foundRooms.ts';
import type { Leave, ListedRoom, ListPosition, Reader, RolesOfRoom, RoomRecord, RoomStore } from '../port.ts';
import { blockedSinceOf, type StoredSettings, settingsOf, withChoice } from '../storedSettings.ts';
import { asAbout } from './append.ts';
import type { Synchronous } from './calls.ts';
import { listOf, query, transactionOn } from './rows.ts';

export function roomsOn(db: DatabaseSync): Synchronous<RoomStore> {
  const statements = prepare(db);
  const transaction = transactionOn(db);

  return {
    create: ({ id, kind, name, createdBy, createdAt }) => {
      statements.create.run(id, kind, name, createdBy, createdAt, createdAt);
      return recordOf(statements.byId.get(id)!);
    },
    begin: ({ id, createdBy, createdAt }) =>
      transaction(() => {
        const pair = pairOf(id)!;
        if (statements.begin.run(id, createdBy, createdAt, createdAt, membersOfPair(pair)) === 0) return;
        for (const user of new Set(pair)) statements.addMember.run(id, user);
      }),
    byId(id) {
      const stored = statements.byId.get(id);
      return stored && recordOf(stored);
    },
    about: (id) => asAbout(statements.about.get(id)?.about ?? null),
    listPublic: ({ activeAt, id } = FIRST, limit) =>
      statements.listPublic.all(activeAt, id, limit).map(recordOf),
    searchPublic: (key, { activeAt, id } = FIRST, limit, look) =>
      foundAmong(statements.listPublic.all(activeAt, id, look).map(recordOf), key, limit, look),
    ofUser: (user) =>
      statements.ofUser.all(user).map(({ readUpTo, chosen, ...room }) => ({
        room: recordOf(room),
        readUpTo,
        settings: chosen === null ? undefined : settingsOf(JSON.parse(chosen)),
      })),
    ofUsers(users) {
      const rooms = new Map<string, string[]>();
      for (const { user, room } of statements.ofUsers.iterate(JSON.stringify(users))) {
        const theirs = rooms.get(user);
        if (theirs) theirs.push(room);
        else rooms.set(user, [room]);
      }
      return rooms;
    },
    isMember: (room, user) => statements.isMember.get(room, user) !== undefined,
    countOf: (user) => statements.countOf.get(user)!.count,
    countCreated: (user, since) => statements.countCreated.get(user, since)!.count,
    countBegun: (user, since) => statements.countBegun.get(user, since)!.count,
    leaves: (room, after) => statements.leaves.all(room, after),
    mark(marks) {
      transaction(() => {
        for (const { room, user, upTo } of marks) statements.mark.run(room, user, upTo);
      });
    },
    reach: (user, ranges) =>
      transaction(() => {
        for (const { room, from, to } of ranges) statements.reach.run(room, user, from, to);
      }),
    reached: (room, users) =>
      new Map(
        statements.reached
          .all(room, JSON.stringify(users))
          .map(({ user, first, last }) => [user, { from: first, to: last }]),
      ),
    choose: (room, user, choice, at) =>
      transaction(() => {
        const stored = statements.chosen.get(room, user);
        const before = stored && (JSON.parse(stored.chosen) as StoredSettings);
        const next = withChoice(before, choice, at);
        if (next !== before) statements.choose.run(room, user, JSON.stringify(next));
        return settingsOf(next);
      }),
    chosen(room, user) {
      const stored = statements.chosen.get(room, user);
      return stored && settingsOf(JSON.parse(stored.chosen));
    },
    blockedSince(room, user) {
      const stored = statements.chosen.get(room, user);
      return stored && blockedSinceOf(JSON.parse(stored.chosen));
    },
    readUpTo: (user, rooms) => rooms.map((room) => statements.readUpTo.get(room, user)!.upTo),
    readers: (room, limit) => statements.readers.all(room, limit),
    members: (room, after, limit) => statements.members.all(room, after, limit).map(({ user }) => user),
    roles(room, users) {
      const rows = users.map((user) => ({ user, ...statements.standing.get(room, user) }));
      return {
        roleSeq: statements.roleSeq.get(room)?.roleSeq ?? 0,
        holders: statements.holders.all(room).map(({ user, role }) => ({ user, role })),
        eldest: statements.eldest.all(room).map(({ user }) => user),
        members: rows.flatMap(({ user, present }) => (present ? user : [])),
        banned: rows.flatMap(({ user, banned }) => (banned ? user : [])),
      };
    },
    exits: (user, rooms) =>
      new Map(
        statements.exits
          .all(user, JSON.stringify(rooms))
          .map(({ room, banned }) => [room, banned ? 'banned' : 'removed']),
      ),
    banned: (room, limit) => statements.banned.all(room, limit).map(({ user }) => user),
  };
}

/** `about` is JSON. */
type Stored<Room extends RoomRecord> = Omit<Room, 'about'> & { about: string | null };

function recordOf<Room extends RoomRecord>({ about: stored, ...room }: Stored<Room>) {
  const about = asAbout(stored);
  return { ...room, ...(about && { about }) };
}

/** Before every room. */
const FIRST: ListPosition = { activeAt: Number.MAX_SAFE_INTEGER, id: '' };

function prepare(db: DatabaseSync) {
  const room = 'SELECT rooms.id, kind, name, createdBy, createdAt, head, members, about';
  return {
    create: query(
      db,
      `INSERT INTO rooms (id, kind, name, createdBy, createdAt, activeAt) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
    ),
    begin: query(
      db,
      `INSERT INTO rooms (id, kind, name, createdBy, createdAt, activeAt, members) VALUES (?, 'direct', '', ?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
    ),
    addMember: query(db, 'INSERT INTO members (room, user, present, serverOffset) VALUES (?, ?, 1, 0)'),
    byId: query<Stored<RoomRecord>>(db, `${room} FROM rooms WHERE id = ?`),
    about: query<{ about: string | null }>(db, 'SELECT about FROM rooms WHERE id = ?'),
    listPublic: query<Stored<ListedRoom>>(
      db,
      `${room}, activeAt FROM rooms WHERE kind = 'public' AND (activeAt, id) < (?, ?)
       ORDER BY activeAt DESC, id DESC LIMIT ?`,
    ),
    ofUser: query<Stored<RoomRecord> & { readUpTo: number; chosen: string | null }>(
      db,
      `${room}, max(members.serverOffset, coalesce(marks.upTo, 0)) AS readUpTo, chosen FROM members JOIN rooms ON rooms.id = members.room
       LEFT JOIN marks ON marks.room = members.room AND marks.user = members.user
       LEFT JOIN settings ON settings.room = members.room AND settings.user = members.user
       WHERE members.user = ? AND members.present = 1 ORDER BY rooms.id`,
    ),
    ofUsers: query<{ user: string; room: string }>(
      db,
      `SELECT user, room FROM members WHERE present = 1 AND user IN (SELECT value FROM json_each(?)) ORDER BY room`,
    ),
    isMember: query<{ present: 1 }>(
      db,
      'SELECT present FROM members WHERE room = ? AND user = ? AND present = 1',
    ),
    countOf: query<{ count: number }>(
      db,
      `SELECT count(*) AS count FROM members WHERE user = ? AND present = 1 AND room NOT GLOB '*~*'`,
    ),
    countCreated: query<{ count: number }>(
      db,
      `SELECT count(*) AS count FROM rooms WHERE createdBy = ? AND createdAt >= ? AND kind <> 'direct'`,
    ),
    countBegun: query<{ count: number }>(
      db,
      `SELECT count(*) AS count FROM rooms WHERE createdBy = ? AND createdAt >= ? AND kind = 'direct'`,
    ),
    leaves: query<Leave>(
      db,
      `SELECT coalesce(subject, author) AS user, at FROM entries
       WHERE room = ? AND serverOffset > ? AND kind IN (${listOf(leavingKinds())}) ORDER BY serverOffset`,
    ),
    // the end is the later one in any case: of ranges that touch, and of those that do not
    reach: query(
      db,
      `INSERT INTO reached (room, user, first, last) VALUES (?, ?, ?, ?)
       ON CONFLICT (room, user) DO UPDATE SET last = max(last, excluded.last), first = CASE
         WHEN excluded.first <= last + 1 AND first <= excluded.last + 1 THEN min(first, excluded.first)
         WHEN excluded.last > last THEN excluded.first
         ELSE first END
       WHERE excluded.last > last OR (excluded.first < first AND first <= excluded.last + 1)`,
    ),
    reached: query<{ user: string; first: number; last: number }>(
      db,
      'SELECT user, first, last FROM reached WHERE room = ? AND user IN (SELECT value FROM json_each(?))',
    ),
    mark: query(
      db,
      `INSERT INTO marks (room, user, upTo) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET upTo = excluded.upTo WHERE excluded.upTo > upTo`,
    ),
    choose: query(
      db,
      `INSERT INTO settings (room, user, chosen) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET chosen = excluded.chosen`,
    ),
    chosen: query<{ chosen: string }>(db, 'SELECT chosen FROM settings WHERE room = ? AND user = ?'),
    readUpTo: query<{ upTo: number }>(
      db,
      `SELECT max(
         coalesce((SELECT upTo FROM marks WHERE room = ?1 AND user = ?2), 0),
         coalesce((SELECT serverOffset FROM members WHERE room = ?1 AND user = ?2 AND present = 1), 0)
       ) AS upTo`,
    ),
    readers: query<Reader>(
      db,
      `SELECT members.user, max(members.serverOffset, coalesce(marks.upTo, 0)) AS upTo FROM members
       LEFT JOIN marks ON marks.room = members.room AND marks.user = members.user
       WHERE members.room = ? AND members.present = 1 LIMIT ?`,
    ),
    roleSeq: query<{ roleSeq: number }>(db, 'SELECT roleSeq FROM rooms WHERE id = ?'),
    holders: query<RolesOfRoom['holders'][number]>(
      db,
      'SELECT user, role FROM members WHERE room = ? AND role IS NOT NULL ORDER BY serverOffset',
    ),
    eldest: query<{ user: string }>(
      db,
      'SELECT user FROM members WHERE room = ? AND present = 1 ORDER BY serverOffset LIMIT 2',
    ),
    standing: query<{ present: 0 | 1; banned: 0 | 1 }>(
      db,
      'SELECT present, banned FROM members WHERE room = ? AND user = ?',
    ),
    exits: query<{ room: string; banned: 0 | 1 }>(
      db,
      `SELECT members.room, banned FROM members
       LEFT JOIN entries ON entries.room = members.room AND entries.serverOffset = members.serverOffset
       WHERE members.user = ? AND present = 0 AND members.room IN (SELECT value FROM json_each(?))
         AND (banned = 1 OR entries.kind IN (${listOf(expellingKinds())}))`,
    ),
    banned: query<{ user: string }>(db, 'SELECT user FROM members WHERE room = ? AND banned = 1 LIMIT ?'),
    members: query<{ user: string }>(
      db,
      'SELECT user FROM members WHERE room = ? AND present = 1 AND user > ? ORDER BY user LIMIT ?',
    ),
  };
}
