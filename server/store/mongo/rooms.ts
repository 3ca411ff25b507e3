/** Rooms, who is in them, and how far they have read. Rows of members are written by follow.ts alone. */
import { type LogStore, type RoomStore, type StoredRoom, Unavailable } from '../port.ts';
import type { Counts } from './counts.ts';
import { isDuplicate } from './faults.ts';
import type { Collections, RoomDocument } from './schema.ts';

interface Deps {
  collections: Pick<Collections, 'rooms' | 'members' | 'marks'>;
  heads: LogStore['heads'];
  counts: Counts;
}

export interface Rooms extends RoomStore {
  /** Whether there is such a room. A yes is remembered: rooms are never removed. */
  exists(room: string): Promise<boolean>;
}

export function roomsOn({ collections: { rooms, members, marks }, heads, counts }: Deps): Rooms {
  const seen = new Set<string>();

  async function whole(documents: readonly RoomDocument[]): Promise<StoredRoom[]> {
    const ids = documents.map(({ _id }) => _id);
    if (ids.length === 0) return [];
    const [head, count] = await Promise.all([heads(ids), counts.of(ids)]);
    return documents.map(({ _id, kind, name, createdBy, createdAt }) => {
      seen.add(_id);
      return { id: _id, kind, name, createdBy, createdAt, head: head.get(_id), members: count.get(_id)! };
    });
  }

  async function byId(id: string): Promise<StoredRoom | undefined> {
    const document = await rooms.findOne({ _id: id });
    return document ? (await whole([document]))[0] : undefined;
  }

  return {
    async create(room) {
      const { id, ...rest } = room;
      try {
        await rooms.insertOne({ _id: id, ...rest });
        seen.add(id);
        return { ...room, head: 0, members: 0 };
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
      const there = await byId(id);
      if (!there) throw new Unavailable('That room is just being made; try again.'); // not yet by the majority
      return there;
    },
    byId,
    async listPublic(after, limit) {
      const where = after === undefined ? {} : { _id: { $gt: after } };
      return whole(
        await rooms
          .find({ kind: 'public', ...where })
          .sort({ _id: 1 })
          .limit(limit)
          .toArray(),
      );
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
          .then(whole),
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
    async mark(room, user, upTo) {
      const grow = () => marks.updateOne({ room, user }, { $max: { upTo } }, { upsert: true });
      try {
        await grow();
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        await grow(); // the mark was just made by another process
      }
      return (await marks.findOne({ room, user }))!.upTo;
    },
    async exists(room) {
      if (!seen.has(room) && (await rooms.findOne({ _id: room }, { projection: { _id: 1 } }))) seen.add(room);
      return seen.has(room);
    },
  };
}
