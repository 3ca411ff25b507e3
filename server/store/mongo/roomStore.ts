/** Rooms, their members, and read markers. Only applySideEffects.ts writes the rows of members. */

import type { Filter } from 'mongodb';
import { leavingKinds, subjectOf } from '../../../shared/kinds.ts';
import { createRecentMap } from '../../base/recentMap.ts';
import {
  type ListPosition,
  type LogStore,
  type RaisedMark,
  type RoomRecord,
  type RoomStore,
  Unavailable,
} from '../port.ts';
import type { EntryDocument } from './append/commands.ts';
import { bulkUpsert } from './base/bulkUpsert.ts';
import type { Collections, RoomDocument } from './base/collections.ts';
import { timeOf } from './base/entryDocuments.ts';
import { isDuplicate } from './base/faults.ts';
import type { RoomActivity } from './roomActivity.ts';

interface Deps {
  collections: Pick<Collections, 'rooms' | 'members' | 'marks' | 'entriesOf'>;
  heads: LogStore['heads'];
  counts: MemberCounts;
  activity: Pick<RoomActivity, 'isStored'>;
}

export interface MongoRoomStore extends RoomStore {
  /** Whether the room exists. A positive answer is cached: rooms are never deleted. */
  exists(room: string): Promise<boolean>;
}

type LeaveFields = Pick<EntryDocument, 'author' | 'subject' | 'at' | 'serverOffset'>;

export function roomsOn({
  collections: { rooms, members, marks, entriesOf },
  heads,
  counts,
  activity,
}: Deps): MongoRoomStore {
  const seen = createRecentMap<string, true>({
    maxEntries: SEEN_MAX,
    keepMs: SEEN_KEPT_MS,
    now: () => performance.now(),
  });

  async function withHeadAndMembers(documents: readonly RoomDocument[]): Promise<RoomRecord[]> {
    const ids = documents.map(({ _id }) => _id);
    if (ids.length === 0) return [];
    const [head, count] = await Promise.all([heads(ids), counts.of(ids)]);
    return documents.map(({ _id, kind, name, createdBy, createdAt }) => {
      seen.set(_id, true);
      return { id: _id, kind, name, createdBy, createdAt, head: head.get(_id), members: count.get(_id)! };
    });
  }

  async function byId(id: string): Promise<RoomRecord | undefined> {
    const document = await rooms.findOne({ _id: id });
    return document ? (await withHeadAndMembers([document]))[0] : undefined;
  }

  return {
    async create(room) {
      const { id, ...rest } = room;
      try {
        await rooms.insertOne({ _id: id, ...rest, activeAt: room.createdAt });
        seen.set(id, true);
        activity.isStored(id, room.createdAt);
        return { ...room, head: 0, members: 0 };
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
      const there = await byId(id);
      if (!there) throw new Unavailable('That room is just being made; try again.'); // the insert is not committed by the majority yet
      return there;
    },
    byId,
    async listPublic(after, limit) {
      const listed: RoomDocument[] = [];
      for (const where of after ? rangesBeyond(after) : WHOLE_LIST) {
        if (listed.length === limit) break;
        const more = rooms
          .find({ kind: 'public', ...where })
          .sort({ activeAt: -1, _id: -1 })
          .limit(limit - listed.length);
        listed.push(...(await more.toArray()));
      }
      const records = await withHeadAndMembers(listed);
      return records.map((room, i) => ({ ...room, activeAt: listed[i]!.activeAt ?? NEVER }));
    },
    async ofUser(user) {
      const memberships = await members
        .find({ user, present: true })
        .project<{ room: string }>({ _id: 0, room: 1 })
        .toArray();
      const ids = memberships.map(({ room }) => room);
      if (ids.length === 0) return [];
      const [theirs, read] = await Promise.all([
        rooms
          .find({ _id: { $in: ids } })
          .sort({ _id: 1 })
          .toArray()
          .then(withHeadAndMembers),
        marks.find({ user, room: { $in: ids } }).toArray(),
      ]);
      const upTo = new Map(read.map((mark) => [mark.room, mark.upTo]));
      return theirs.map((room) => ({ room, readUpTo: upTo.get(room.id) ?? 0 }));
    },
    async ofUsers(users) {
      const found = await members
        .find({ user: { $in: [...users] }, present: true })
        .project<{ user: string; room: string }>({ _id: 0, user: 1, room: 1 })
        .toArray();
      const byUser = Map.groupBy(found, ({ user }) => user);
      return new Map([...byUser].map(([user, its]) => [user, its.map(({ room }) => room).toSorted()]));
    },
    async isMember(room, user) {
      return (
        (await members.findOne({ room, user }, { projection: { _id: 0, present: 1 } }))?.present === true
      );
    },
    countOf: (user) => members.countDocuments({ user, present: true }),
    countCreated: (user, since) => rooms.countDocuments({ createdBy: user, createdAt: { $gte: since } }),
    async leaves(room, after) {
      const found = await entriesOf(room)
        .find({ room, kind: { $in: leavingKinds() }, serverOffset: { $gt: after } })
        .project<LeaveFields>({ _id: 0, author: 1, subject: 1, at: 1, serverOffset: 1 })
        .toArray();
      return found
        .toSorted((one, other) => one.serverOffset - other.serverOffset)
        .map((entry) => ({ user: subjectOf(entry), at: timeOf(entry) }));
    },
    async mark(raised) {
      const raise = (all: readonly RaisedMark[]) =>
        all.map(({ room, user, upTo }) => ({
          updateOne: { filter: { room, user }, update: { $max: { upTo } }, upsert: true },
        }));
      const duplicates = await bulkUpsert(marks, raise(raised));
      // another process inserted these in between
      await bulkUpsert(marks, raise(duplicates.map((index) => raised[index]!)));
    },
    async readUpTo(user, rooms) {
      const found = await marks.find({ user, room: { $in: [...rooms] } }).toArray();
      const upTo = new Map(found.map((mark) => [mark.room, mark.upTo]));
      return rooms.map((room) => upTo.get(room) ?? 0);
    },
    async exists(room) {
      if (seen.get(room)) return true;
      const exists = (await rooms.findOne({ _id: room }, { projection: { _id: 1 } })) !== null;
      if (exists) seen.set(room, true);
      return exists;
    },
  };
}

/** Where a room's document has no activity. */
const NEVER = 0;

/**
 * The rest of the list in its order, as ranges of the index that are read one after the other: not every planner merges the
 * alternatives of one query in the order of the index.
 */
function rangesBeyond({ activeAt, id }: ListPosition): Filter<RoomDocument>[] {
  const before = { _id: { $lt: id } };
  if (activeAt === NEVER) return [{ activeAt: WITHOUT_ACTIVITY, ...before }];
  return [{ activeAt, ...before }, { activeAt: { $lt: activeAt } }, { activeAt: WITHOUT_ACTIVITY }];
}

const WITHOUT_ACTIVITY = { $exists: false };
const WHOLE_LIST: Filter<RoomDocument>[] = [{ activeAt: { $gte: NEVER } }, { activeAt: WITHOUT_ACTIVITY }];

/** Rooms that are known to exist. */
const SEEN_MAX = 100_000;
const SEEN_KEPT_MS = 60 * 60 * 1000;

/**
 * The number of members per room, counted in an index. There is no stored counter that could differ from the members. Counts
 * are cached, so that a handshake does not count the members of all its rooms anew.
 */
export interface MemberCounts {
  of(rooms: readonly string[]): Promise<Map<string, number>>;
  /**
   * The members of the room have changed: in the database, by this process, or in the log, as the tail has delivered it; then
   * the row of the member may follow some seconds later. The cached count is dropped.
   */
  invalidate(room: string): void;
}

/** Of a room whose members do not change. A change that the tail has not delivered is seen after this. */
const COUNTS_KEPT_MS = 60_000;
/** For how long after a change the rows of members may still be behind the log. */
const CHANGING_MS = 10_000;
/** Meanwhile small rooms are counted each time, and large ones once a second, since thousands may join one at the same time. */
const LARGE_FROM_MEMBERS = 200;
const LARGE_KEPT_MS = 1_000;
const COUNTS_MAX = 50_000;

/** `now`: a monotonic clock in milliseconds. */
export function createMemberCounts(
  { members }: Pick<Collections, 'members'>,
  now: () => number,
): MemberCounts {
  const cached = createRecentMap<string, { count: number; until: number }>({
    maxEntries: COUNTS_MAX,
    keepMs: COUNTS_KEPT_MS,
    now,
  });
  const changes = createRecentMap<string, { at: number }>({
    maxEntries: COUNTS_MAX,
    keepMs: CHANGING_MS,
    now,
  });

  function keptMs(room: string, count: number): number {
    if (now() - (changes.get(room)?.at ?? Number.NEGATIVE_INFINITY) > CHANGING_MS) return COUNTS_KEPT_MS;
    return count >= LARGE_FROM_MEMBERS ? LARGE_KEPT_MS : 0;
  }

  async function count(rooms: readonly string[]): Promise<[string, number][]> {
    const before = new Map(rooms.map((room) => [room, changes.get(room)]));
    const counted = await members
      .aggregate<{ _id: string; count: number }>([
        { $match: { room: { $in: rooms }, present: true } },
        { $group: { _id: '$room', count: { $sum: 1 } } },
      ])
      .toArray();
    for (const { _id, count } of counted)
      if (changes.get(_id) === before.get(_id)) cached.set(_id, { count, until: now() + keptMs(_id, count) });
    return counted.map(({ _id, count }) => [_id, count]);
  }

  return {
    async of(rooms) {
      const at = now();
      const counts = new Map<string, number>();
      const others: string[] = [];
      for (const room of rooms) {
        const known = cached.get(room);
        counts.set(room, known?.count ?? 0);
        if (!known || known.until <= at) others.push(room);
      }
      if (others.length > 0) {
        for (const room of others) counts.set(room, 0);
        for (const [room, n] of await count(others)) counts.set(room, n);
      }
      return counts;
    },
    invalidate(room) {
      changes.set(room, { at: now() });
      cached.delete(room);
    },
  };
}
