/**
 * Applies the side effects of committed entries: a removal redacts its target and all replacements of it; the first entry of a
 * room makes its document; a change of membership, a role and a ban set rows of members, a change of a room its document. The entry is the source of truth and has `pending: true` until its side effects are
 * durable, so that another process can apply them where this one died (repairSideEffects.ts). Applying them twice, or at
 * the same time, gives the same result.
 */
import type { AnyBulkWriteOperation } from 'mongodb';
import { fieldsSetBy } from '../../../shared/aboutRoom.ts';
import { hasSideEffects, kinds, kindsThat, membershipOf, ruleOf, subjectOf } from '../../../shared/kinds.ts';
import { banSetBy, rolesSetBy } from '../memberRoles.ts';
import { roomMadeBy } from '../storedEntries.ts';
import type { EntryDocument } from './append/commands.ts';
import { bulkUpsert } from './base/bulkUpsert.ts';
import type { Collections, MemberDocument } from './base/collections.ts';
import { whereAmends } from './base/entryDocuments.ts';

export type PendingEntry = Pick<
  EntryDocument,
  'room' | 'serverOffset' | 'author' | 'subject' | 'at' | 'kind' | 'target' | 'content'
>;

interface Deps {
  collections: Collections;
  /** Called when the members of a room have changed. */
  onMembers: (room: string) => void;
}

/** Resolves once the side effects of these entries, all of one room, are durable. Kinds that are not known here are skipped. */
export type ApplySideEffects = (room: string, pending: readonly PendingEntry[]) => Promise<void>;

export function createApplySideEffects({ collections, onMembers }: Deps): ApplySideEffects {
  return async (room, pending) => {
    const known = pending.filter(({ kind }) => hasSideEffects(kind));
    if (known.length === 0) return;
    await makeRoom(known); // before its first member
    const removals = known.filter(({ kind }) => isRemoval(kind));
    const moves = known.filter((entry) => membershipOf(entry) !== undefined);
    await Promise.all([
      redact(
        room,
        removals.flatMap(({ target }) => target ?? []),
      ),
      setMembers(room, moves),
      setRoles(room, known),
      setAbout(room, known),
    ]);
    await unpin(room, known);
    await setBans(room, known); // after the rows of joins: a ban ends also a membership that a join in between began
    const serverOffset = { $in: known.map((entry) => entry.serverOffset) };
    await collections.entriesOf(room).updateMany({ room, serverOffset }, { $unset: { pending: '' } });
  };

  async function redact(room: string, messages: readonly number[]): Promise<void> {
    if (messages.length === 0) return;
    const update = { $set: { deleted: true as const }, $unset: { body: '' as const, content: '' as const } };
    const entries = collections.entriesOf(room);
    await Promise.all([
      entries.updateMany({ room, serverOffset: { $in: [...messages] } }, update),
      entries.updateMany(whereAmends(room, messages, kindsThat('replace')), update),
    ]);
  }

  /**
   * The entry decides who has made the room, since only one entry has the serverOffset 1. Where the document is there already, the
   * write waits all the same until that is durable.
   */
  async function makeRoom(entries: readonly PendingEntry[]): Promise<void> {
    for (const entry of entries) {
      const made = roomMadeBy(entry, entry.at);
      if (!made) continue;
      const { id, ...room } = made;
      const upsert = {
        updateOne: {
          filter: { _id: id },
          update: { $setOnInsert: { ...room, activeAt: entry.at } },
          upsert: true,
        },
      };
      if ((await bulkUpsert(collections.rooms, [upsert])).length > 0)
        await bulkUpsert(collections.rooms, [upsert]); // another process made it at the same moment
    }
  }

  async function setMembers(room: string, moves: readonly PendingEntry[]): Promise<void> {
    if (moves.length === 0) return;
    const newest = new Map<string, PendingEntry>(); // by user: the greatest serverOffset decides
    for (const move of moves)
      if (move.serverOffset > (newest.get(subjectOf(move))?.serverOffset ?? 0))
        newest.set(subjectOf(move), move);
    const sets = [...newest.values()].map(memberSet);
    const duplicates = await bulkUpsert(collections.members, sets);
    // Another process inserted the row in between, perhaps with a smaller serverOffset. A second duplicate means a greater one.
    await bulkUpsert(
      collections.members,
      duplicates.map((index) => sets[index]!),
    );
    onMembers(room);
  }

  async function setRoles(room: string, entries: readonly PendingEntry[]): Promise<void> {
    const sets = entries.flatMap((entry) =>
      rolesSetBy(entry).map(({ user, role }) => latestSet(entry, user, 'roleOffset', { role })),
    );
    await setLatest(sets);
    if (sets.length > 0) onMembers(room);
  }

  async function setBans(room: string, entries: readonly PendingEntry[]): Promise<void> {
    const sets = entries.flatMap((entry) => {
      const ban = banSetBy(entry);
      if (!ban) return [];
      const { user, banned } = ban;
      return latestSet(entry, user, 'banOffset', banned ? { banned, present: false } : { banned });
    });
    await setLatest(sets);
    if (sets.length > 0) onMembers(room);
  }

  /** Of each field, the entry with the greatest serverOffset decides, in whichever order they are applied. */
  async function setAbout(room: string, entries: readonly PendingEntry[]): Promise<void> {
    const sets = entries.flatMap(({ kind, content, target, serverOffset }) =>
      Object.entries(fieldsSetBy({ ...content, kind, target })).map(([field, value]) => ({
        updateOne: {
          filter: { _id: room, [`aboutOffsets.${field}`]: { $not: { $gte: serverOffset } } },
          update: {
            $set: {
              [field === 'name' ? 'name' : `about.${field}`]: value,
              [`aboutOffsets.${field}`]: serverOffset,
            },
          },
        },
      })),
    );
    if (sets.length > 0) await collections.rooms.bulkWrite(sets, { ordered: false });
  }

  /**
   * A deleted message is not pinned. After a message was redacted, and after one was pinned: whichever comes last on any process, in
   * whichever order they are applied, finds both.
   */
  async function unpin(room: string, entries: readonly PendingEntry[]): Promise<void> {
    const pinned = entries.flatMap(
      ({ kind, content, target }) => fieldsSetBy({ ...content, kind, target }).pinned || [],
    );
    const deleted = entries.flatMap(({ kind, target }) => (isRemoval(kind) ? (target ?? []) : []));
    const gone = pinned.length > 0 ? await deletedAmong(room, pinned) : [];
    const set = (target: number, at?: number) =>
      collections.rooms.updateOne(
        { _id: room, 'about.pinned': target },
        { $set: { 'about.pinned': 0 }, ...(at !== undefined && { $max: { 'aboutOffsets.pinned': at } }) },
      );
    for (const target of gone) await set(target);
    for (const target of new Set(deleted))
      await set(
        target,
        entries.find((entry) => entry.target === target && isRemoval(entry.kind))?.serverOffset,
      );
  }

  async function deletedAmong(room: string, offsets: readonly number[]): Promise<number[]> {
    const found = await collections
      .entriesOf(room)
      .find({ room, serverOffset: { $in: [...offsets] }, deleted: true })
      .project<{ serverOffset: number }>({ _id: 0, serverOffset: 1 })
      .toArray();
    return found.map(({ serverOffset }) => serverOffset);
  }

  /** Twice where another process inserted the row in between. */
  async function setLatest(sets: AnyBulkWriteOperation<MemberDocument>[]): Promise<void> {
    if (sets.length === 0) return;
    const duplicates = await bulkUpsert(collections.members, sets);
    await bulkUpsert(
      collections.members,
      duplicates.map((index) => sets[index]!),
    );
  }
}

/** As `memberSet`, with an offset of its own. A role without a membership waits for none: it counts only beyond the newest join. */
function latestSet(
  { room, serverOffset }: PendingEntry,
  user: string,
  offset: 'roleOffset' | 'banOffset',
  set: Partial<MemberDocument>,
): AnyBulkWriteOperation<MemberDocument> {
  const absent = { present: false, serverOffset: 0 };
  return {
    updateOne: {
      filter: { room, user, [offset]: { $not: { $gte: serverOffset } } },
      update: {
        $set: { ...set, [offset]: serverOffset },
        $setOnInsert: 'present' in set ? { serverOffset: 0 } : absent,
      },
      upsert: true,
    },
  };
}

/** Sets the row unless it already stands at a greater serverOffset: then the upsert fails with a duplicate key. */
function memberSet(move: PendingEntry): AnyBulkWriteOperation<MemberDocument> {
  const { room, serverOffset } = move;
  const joins = membershipOf(move) === 'joined';
  return {
    updateOne: {
      filter: {
        room,
        user: subjectOf(move),
        serverOffset: { $lt: serverOffset },
        ...(joins && { banned: { $ne: true } }), // who is banned does not become a member: a duplicate, too
      },
      update: { $set: { present: joins, serverOffset } },
      upsert: true,
    },
  };
}

export function kindsWithSideEffects(): string[] {
  return [...kinds().keys()].filter(hasSideEffects);
}

function isRemoval(kind: string): boolean {
  return ruleOf(kind)?.effect === 'remove';
}
