/** Rooms, their members, and read markers. The rows of members are written by applySideEffects.ts, and by `begin`. */

import type { Filter } from 'mongodb';
import type { RoomAbout } from '../../../shared/aboutRoom.ts';
import { pairOf } from '../../../shared/directPair.ts';
import { expellingKinds, leavingKinds, makesRoom, membershipOf, subjectOf } from '../../../shared/kinds.ts';
import { createRecentMap } from '../../base/recentMap.ts';
import { foundAmong } from '../foundRooms.ts';
import {
  type ListPosition,
  type LogStore,
  type Membership,
  type RaisedMark,
  type Reader,
  type RolesOfRoom,
  type RoomRecord,
  type RoomStore,
  type StoredRange,
  Unavailable,
} from '../port.ts';
import { blockedSinceOf, settingsOf, withChoice } from '../storedSettings.ts';
import type { EntryDocument } from './append/commands.ts';
import type { ApplySideEffects, PendingEntry } from './applySideEffects.ts';
import { bulkUpsert } from './base/bulkUpsert.ts';
import {
  type Collections,
  HAS_ROLE_SEQ,
  type MemberDocument,
  type RoomDocument,
  settingsId,
} from './base/collections.ts';
import { ONE_ANSWER, timeOf } from './base/entryDocuments.ts';
import { isDuplicate } from './base/faults.ts';
import type { RoomActivity } from './roomActivity.ts';

interface Deps {
  collections: Pick<Collections, 'rooms' | 'members' | 'marks' | 'reached' | 'settings' | 'entriesOf'>;
  heads: LogStore['heads'];
  counts: MemberCounts;
  applySideEffects: ApplySideEffects;
  activity: Pick<RoomActivity, 'isStored'>;
}

export interface MongoRoomStore extends Omit<RoomStore, 'ofUser'> {
  /** `ofUser` of each of these users, in their order. */
  ofEachUser(users: readonly string[]): Promise<Membership[][]>;
  /** Whether the room exists. A positive answer is cached: rooms are never deleted. */
  exists(room: string): Promise<boolean>;
}

type LeaveFields = Pick<EntryDocument, 'author' | 'subject' | 'at' | 'serverOffset'>;

export function roomsOn({
  collections: { rooms, members, marks, reached, settings, entriesOf },
  heads,
  counts,
  applySideEffects,
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
    const head = await heads(ids);
    const count = await counts.of(new Map(ids.map((id) => [id, head.get(id)])));
    return documents.map((document) => {
      const { _id, kind, name, createdBy, createdAt } = document;
      seen.set(_id, true);
      const about = aboutIn(document);
      const counted = { head: head.get(_id), members: count.get(_id)! };
      return { id: _id, kind, name, createdBy, createdAt, ...counted, ...(about && { about }) };
    });
  }

  /** The next documents of the list of public rooms. */
  async function nextListed(after: ListPosition | undefined, limit: number): Promise<RoomDocument[]> {
    const listed: RoomDocument[] = [];
    for (const where of after ? rangesBeyond(after) : WHOLE_LIST) {
      if (listed.length === limit) break;
      const more = rooms
        .find({ kind: 'public', ...where })
        .sort({ activeAt: -1, _id: -1 })
        .limit(limit - listed.length);
      listed.push(...(await more.toArray()));
    }
    return listed;
  }

  async function byId(id: string): Promise<RoomRecord | undefined> {
    const document = (await rooms.findOne({ _id: id })) ?? (await finishMaking(id));
    return document ? (await withHeadAndMembers([document]))[0] : undefined;
  }

  /** The document of a room whose first entry is committed, and the process that wrote it has not made the document yet. */
  async function finishMaking(id: string): Promise<RoomDocument | null> {
    const first = await entriesOf(id).findOne({ room: id, serverOffset: 1, pending: true });
    if (!first || !makesRoom(first.kind)) return null;
    await applySideEffects(id, [first satisfies PendingEntry]);
    return rooms.findOne({ _id: id });
  }

  /** Those of these ranges that may change what is stored, one read for all. */
  async function newsAmong(user: string, ranges: readonly StoredRange[]): Promise<StoredRange[]> {
    const found = await reached.find({ user, room: { $in: ranges.map(({ room }) => room) } }).toArray();
    const stored = new Map(found.map((row) => [row.room, row]));
    return ranges.filter(({ room, from, to }) => {
      const row = stored.get(room);
      return !row || to > row.to || (from < row.from && to >= row.from - 1);
    });
  }

  /**
   * Joins the range that it touches; else takes the place of one that ends before it. False where another process or device was
   * first, so that it may have to be done again.
   */
  async function reach(user: string, { room, from, to }: StoredRange): Promise<boolean> {
    const touching = { room, user, from: { $lte: to + 1 }, to: { $gte: from - 1 } };
    const joined = await reached.updateOne(touching, { $max: { to }, $min: { from } });
    if (joined.matchedCount > 0) return true;
    try {
      const older = { room, user, to: { $lt: from - 1 } };
      await reached.updateOne(older, { $set: { from, to } }, { upsert: true });
      return true;
    } catch (error) {
      if (!isDuplicate(error)) throw error; // there is one that ends later; or it was inserted meanwhile: then it may touch
      return false;
    }
  }

  /**
   * The number of the last change of roles, whose side effects are durable then. Those of the changes before are: each was written
   * after this was called.
   */
  async function lastRoleSeq(room: string): Promise<number> {
    const [last] = await entriesOf(room)
      .find({ room, ...HAS_ROLE_SEQ })
      .sort({ roleSeq: -1 })
      .limit(1)
      .toArray();
    if (last?.pending) await applySideEffects(room, [last satisfies PendingEntry]);
    return last?.roleSeq ?? 0;
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
    async begin({ id, createdBy, createdAt }) {
      // The members first: a room that is there has them, also where this process dies in between.
      const member = (user: string) => ({
        updateOne: {
          filter: { room: id, user },
          update: { $setOnInsert: { present: true, serverOffset: 0 } },
          upsert: true,
        },
      });
      await bulkUpsert(members, [...new Set(pairOf(id))].map(member)); // duplicates: another process inserts the same
      try {
        await rooms.insertOne({
          _id: id,
          kind: 'direct',
          name: '',
          createdBy,
          createdAt,
          activeAt: createdAt,
        });
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
      counts.invalidate(id);
    },
    byId,
    async about(id) {
      const found = await rooms.findOne({ _id: id }, { projection: { about: 1, aboutOffsets: 1 } });
      return found ? aboutIn(found) : undefined;
    },
    async listPublic(after, limit) {
      const listed = await nextListed(after, limit);
      const records = await withHeadAndMembers(listed);
      return records.map((room, i) => ({ ...room, activeAt: listed[i]!.activeAt ?? NEVER }));
    },
    async searchPublic(key, after, limit, look) {
      const listed = await nextListed(after, look);
      const searched = listed.map((document) => ({
        id: document._id,
        name: document.name,
        activeAt: document.activeAt ?? NEVER,
        about: aboutIn(document),
        document,
      }));
      const { rooms: found, next } = foundAmong(searched, key, limit, look);
      const records = await withHeadAndMembers(found.map(({ document }) => document));
      return { rooms: records.map((room, i) => ({ ...room, activeAt: found[i]!.activeAt })), next };
    },
    async ofEachUser(users) {
      const joined = await members
        .find({ user: { $in: [...users] }, present: true }, { batchSize: ONE_ANSWER })
        .project<Joined & { user: string }>({ _id: 0, user: 1, room: 1, serverOffset: 1 })
        .toArray();
      if (joined.length === 0) return users.map(() => []);
      const ids = [...new Set(joined.map(({ room }) => room))];
      const [found, read, chosen] = await Promise.all([
        rooms
          .find({ _id: { $in: ids } }, { batchSize: ONE_ANSWER })
          .toArray()
          .then(withHeadAndMembers),
        // of many users all their marks: not every planner uses an index well for two lists
        marks
          .find(
            { user: { $in: [...users] }, ...(users.length === 1 && { room: { $in: ids } }) },
            { batchSize: ONE_ANSWER },
          )
          .toArray(),
        settings
          .find(
            { _id: { $in: joined.map(({ room, user }) => settingsId(room, user)) } },
            { batchSize: ONE_ANSWER },
          )
          .toArray(),
      ]);
      const roomById = new Map(found.map((room) => [room.id, room]));
      const settingsById = new Map(chosen.map((one) => [one._id, settingsOf(one)]));
      const joinedBy = Map.groupBy(joined, ({ user }) => user);
      const readBy = Map.groupBy(read, ({ user }) => user);
      return users.map((user) => {
        const theirs = joinedBy.get(user) ?? [];
        const upTo = markers(theirs, readBy.get(user) ?? []);
        return theirs
          .map(({ room }) => room)
          .toSorted()
          .flatMap((id) => {
            const room = roomById.get(id);
            const settings = settingsById.get(settingsId(id, user));
            return room ? [{ room, readUpTo: upTo.get(id) ?? 0, settings }] : [];
          });
      });
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
    countOf: (user) => members.countDocuments({ user, present: true, room: { $not: /~/ } }),
    countCreated: (user, since) =>
      rooms.countDocuments({ createdBy: user, createdAt: { $gte: since }, kind: { $ne: 'direct' } }),
    countBegun: (user, since) =>
      rooms.countDocuments({ createdBy: user, createdAt: { $gte: since }, kind: 'direct' }),
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
    async reach(user, ranges) {
      let left = ranges;
      for (let tries = 0; tries < REACH_TRIES && left.length > 0; tries++) {
        const news = await newsAmong(user, left);
        const isDone = await Promise.all(news.map((range) => reach(user, range)));
        left = news.filter((_, index) => !isDone[index]);
      }
    },
    async reached(room, users) {
      const found = await reached.find({ room, user: { $in: [...users] } }).toArray();
      return new Map(found.map(({ user, from, to }) => [user, { from, to }]));
    },
    async choose(room, user, choice, at) {
      const _id = settingsId(room, user);
      for (;;) {
        const before = await settings.findOne({ _id });
        const next = withChoice(before ?? undefined, choice, at);
        if (next === before) return settingsOf(next);
        const { rev, chosen } = next;
        if (before) {
          const { matchedCount } = await settings.updateOne(
            { _id, rev: before.rev },
            { $set: { rev, chosen } },
          );
          if (matchedCount === 1) return settingsOf(next);
        } else {
          try {
            await settings.insertOne({ _id, rev, chosen });
            return settingsOf(next);
          } catch (error) {
            if (!isDuplicate(error)) throw error;
          }
        }
        // another process was first
      }
    },
    async chosen(room, user) {
      const stored = await settings.findOne({ _id: settingsId(room, user) });
      return stored ? settingsOf(stored) : undefined;
    },
    async blockedSince(room, user) {
      const stored = await settings.findOne({ _id: settingsId(room, user) });
      return stored ? blockedSinceOf(stored) : undefined;
    },
    async readUpTo(user, rooms) {
      const ofThese = { user, room: { $in: [...rooms] } };
      const [joined, read] = await Promise.all([
        members
          .find({ ...ofThese, present: true })
          .project<Joined>({ _id: 0, room: 1, serverOffset: 1 })
          .toArray(),
        marks.find(ofThese).toArray(),
      ]);
      const upTo = markers(joined, read);
      return rooms.map((room) => upTo.get(room) ?? 0);
    },
    async readers(room, limit) {
      const joined = await members
        .find({ room, present: true })
        .project<Reader & { serverOffset: number }>({ _id: 0, user: 1, serverOffset: 1 })
        .limit(limit)
        .toArray();
      const read = await marks.find({ room, user: { $in: joined.map(({ user }) => user) } }).toArray();
      const upTo = new Map(read.map((mark) => [mark.user, mark.upTo]));
      return joined.map(({ user, serverOffset }) => ({
        user,
        upTo: Math.max(serverOffset, upTo.get(user) ?? 0),
      }));
    },
    async members(room, after, limit) {
      const found = await members
        .find({ room, present: true, user: { $gt: after } })
        .sort({ user: 1 })
        .project<{ user: string }>({ _id: 0, user: 1 })
        .limit(limit)
        .toArray();
      return found.map(({ user }) => user);
    },
    async roles(room, users) {
      const roleSeq = await lastRoleSeq(room);
      const [withRole, eldest, asked] = await Promise.all([
        members
          .find({ room, roleOffset: { $gt: 0 }, present: true })
          .sort({ serverOffset: 1 })
          .toArray(),
        members.find({ room, present: true }).sort({ serverOffset: 1 }).limit(2).toArray(),
        members.find({ room, user: { $in: [...users] } }).toArray(),
      ]);
      return {
        roleSeq,
        holders: withRole.flatMap(({ user, role, roleOffset = 0, serverOffset }) =>
          role !== undefined && role !== 'member' && roleOffset > serverOffset ? { user, role } : [],
        ) satisfies RolesOfRoom['holders'],
        eldest: eldest.map(({ user }) => user),
        members: asked.flatMap(({ user, present }) => (present ? user : [])),
        banned: asked.flatMap(({ user, banned }) => (banned ? user : [])),
      };
    },
    async exits(user, rooms) {
      const out = await members.find({ user, room: { $in: [...rooms] }, present: false }).toArray();
      const reasons = out.map(async ({ room, serverOffset, banned }) => {
        if (banned) return [[room, 'banned'] as const];
        const kind = { $in: expellingKinds() };
        const entry = await entriesOf(room).findOne({ room, serverOffset, kind }, { projection: { _id: 1 } });
        return entry ? [[room, 'removed'] as const] : [];
      });
      return new Map((await Promise.all(reasons)).flat());
    },
    async banned(room, limit) {
      const found = await members
        .find({ room, banOffset: { $gt: 0 }, banned: true })
        .limit(limit)
        .toArray();
      return found.map(({ user }) => user);
    },
    async exists(room) {
      if (seen.get(room)) return true;
      const document =
        (await rooms.findOne({ _id: room }, { projection: { _id: 1 } })) ?? (await finishMaking(room));
      const exists = document !== null;
      if (exists) seen.set(room, true);
      return exists;
    },
  };
}

function aboutIn({
  about,
  aboutOffsets = {},
}: Pick<RoomDocument, 'about' | 'aboutOffsets'>): RoomAbout | undefined {
  const upTo = Math.max(0, ...Object.values(aboutOffsets));
  return upTo === 0 ? undefined : { ...about, upTo };
}

type Joined = Pick<MemberDocument, 'room' | 'serverOffset'>;

/** One user's markers by room: at least the entry by which they joined it. */
function markers(
  joined: readonly Joined[],
  read: readonly { room: string; upTo: number }[],
): Map<string, number> {
  const upTo = new Map(read.map((mark) => [mark.room, mark.upTo]));
  for (const { room, serverOffset } of joined) upTo.set(room, Math.max(serverOffset, upTo.get(room) ?? 0));
  return upTo;
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
 * The number of members per room, counted in an index. There is no stored counter that could differ from the members. A count
 * is cached with the head of its room: only an entry changes the members, and the tail tells which entries do not.
 */
export interface MemberCounts {
  /** By room. `heads`: the rooms with their heads, as they were just read. */
  of(heads: ReadonlyMap<string, number | undefined>): Promise<Map<string, number>>;
  /** This process has changed the members of the room. */
  invalidate(room: string): void;
  /** The tail has delivered this entry. */
  delivered(entry: Pick<EntryDocument, 'room' | 'serverOffset' | 'kind'>): void;
}

interface CachedCount {
  count: number;
  countedAt: number;
  /** The members have not changed up to this entry; -1 where that is not certain. */
  upTo: number;
  /** Since when the same was counted. */
  since: number;
}

/** A change that the tail has not delivered, or whose row was repaired late, is seen after this. */
const COUNTS_KEPT_MS = 60_000;
/**
 * The row of a member follows its entry. So a count is only cached when the tail has delivered no change for 10 s, and only
 * used when it was the same for a second: then the tail would have delivered a change that was just being written.
 */
const CHANGING_MS = 10_000;
const TRUSTED_AFTER_MS = 1_000;
/** Large counts are cached for a second in any case: thousands may join a room at the same time, or come back. */
const LARGE_FROM_MEMBERS = 200;
const LARGE_KEPT_MS = 1_000;
const COUNTS_MAX = 50_000;

/** `now`: a monotonic clock in milliseconds. */
export function createMemberCounts(
  { members }: Pick<Collections, 'members'>,
  now: () => number,
): MemberCounts {
  const cached = createRecentMap<string, CachedCount>({
    maxEntries: COUNTS_MAX,
    keepMs: COUNTS_KEPT_MS,
    now,
  });
  const changes = createRecentMap<string, { at: number }>({
    maxEntries: COUNTS_MAX,
    keepMs: CHANGING_MS,
    now,
  });

  function isUsable(known: CachedCount, head: number | undefined): boolean {
    const age = now() - known.countedAt;
    if (known.count >= LARGE_FROM_MEMBERS && age < LARGE_KEPT_MS) return true;
    const isUnchanged = head !== undefined && known.upTo >= head;
    return isUnchanged && age < COUNTS_KEPT_MS && now() - known.since >= TRUSTED_AFTER_MS;
  }

  function keep(room: string, count: number, head: number | undefined): void {
    const countedAt = now();
    const isChanging = countedAt - (changes.get(room)?.at ?? Number.NEGATIVE_INFINITY) < CHANGING_MS;
    if (isChanging || head === undefined) {
      cached.set(room, { count, countedAt, upTo: -1, since: countedAt });
      return;
    }
    const before = cached.get(room);
    const isSame = before?.count === count && before.upTo >= head;
    cached.set(room, { count, countedAt, upTo: head, since: isSame ? before.since : countedAt });
  }

  async function count(heads: ReadonlyMap<string, number | undefined>): Promise<Map<string, number>> {
    const rooms = [...heads.keys()];
    const before = new Map(rooms.map((room) => [room, changes.get(room)]));
    const counted = await members
      .aggregate<{ _id: string; count: number }>([
        { $match: { room: { $in: rooms }, present: true } },
        { $group: { _id: '$room', count: { $sum: 1 } } },
      ])
      .toArray();
    const counts = new Map(counted.map(({ _id, count }) => [_id, count]));
    for (const [room, head] of heads)
      if (changes.get(room) === before.get(room)) keep(room, counts.get(room) ?? 0, head);
    return counts;
  }

  function invalidate(room: string): void {
    changes.set(room, { at: now() });
    cached.delete(room);
  }

  return {
    async of(heads) {
      const counts = new Map<string, number>();
      const others = new Map<string, number | undefined>();
      for (const [room, head] of heads) {
        const known = cached.get(room);
        if (known && isUsable(known, head)) counts.set(room, known.count);
        else others.set(room, head);
      }
      const counted = others.size > 0 ? await count(others) : new Map<string, number>();
      return new Map([...heads.keys()].map((room) => [room, counts.get(room) ?? counted.get(room) ?? 0]));
    },
    invalidate,
    delivered(entry) {
      if (membershipOf(entry)) return invalidate(entry.room);
      const known = cached.get(entry.room);
      if (known && entry.serverOffset === known.upTo + 1) known.upTo = entry.serverOffset;
    },
  };
}

/** A further try sees what another process has inserted meanwhile. */
const REACH_TRIES = 2;
