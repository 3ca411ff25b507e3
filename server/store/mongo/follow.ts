/**
 * What follows from an entry once it is committed: a delete blanks its text and the text's edits, a join or leave sets
 * the member's row. The entry is the truth and says `pending` until it is done, so that whoever finds one later can do
 * what a process that died left undone. All of it may be done twice, and at the same time.
 */
import { type AnyBulkWriteOperation, MongoBulkWriteError } from 'mongodb';
import type { EntryDocument } from './append/commands.ts';
import { CODE } from './faults.ts';
import { whereAmends } from './queries.ts';
import type { Collections, MemberDocument } from './schema.ts';

export type Pending = Pick<EntryDocument, 'room' | 'serverOffset' | 'author' | 'kind' | 'target'>;

interface Deps {
  collections: Collections;
  /** Who is in a room has changed. */
  onMembers: (room: string) => void;
}

/** Resolves once what follows from these entries of one room is durable. */
export type Follow = (room: string, pending: readonly Pending[]) => Promise<void>;

export function createFollow({ collections, onMembers }: Deps): Follow {
  return async (room, pending) => {
    if (pending.length === 0) return;
    const deletes = pending.filter(({ kind }) => kind === 'delete');
    const moves = pending.filter(({ kind }) => kind === 'join' || kind === 'leave');
    await Promise.all([
      blank(
        room,
        deletes.map(({ target }) => target!),
      ),
      setMembers(room, moves),
    ]);
    const serverOffset = { $in: pending.map((entry) => entry.serverOffset) };
    await collections.entriesOf(room).updateMany({ room, serverOffset }, { $unset: { pending: '' } });
  };

  async function blank(room: string, texts: readonly number[]): Promise<void> {
    if (texts.length === 0) return;
    const update = { $set: { deleted: true as const }, $unset: { body: '' as const } };
    const entries = collections.entriesOf(room);
    await Promise.all([
      entries.updateMany({ room, serverOffset: { $in: [...texts] } }, update),
      entries.updateMany({ ...whereAmends(room, texts), kind: 'edit' }, update),
    ]);
  }

  async function setMembers(room: string, moves: readonly Pending[]): Promise<void> {
    if (moves.length === 0) return;
    const last = new Map<string, Pending>(); // of a user, the greatest serverOffset holds
    for (const move of moves)
      if (move.serverOffset > (last.get(move.author)?.serverOffset ?? 0)) last.set(move.author, move);
    const sets = [...last.values()].map(memberSet);
    const met = await upsert(sets);
    // Another has just made the row, with a smaller serverOffset perhaps; who meets it again has met a greater one.
    await upsert(met.map((index) => sets[index]!));
    onMembers(room);
  }

  /** The indexes of those that met a row that is there. */
  async function upsert(sets: AnyBulkWriteOperation<MemberDocument>[]): Promise<number[]> {
    if (sets.length === 0) return [];
    try {
      await collections.members.bulkWrite(sets, { ordered: false });
      return [];
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) throw error;
      const errors = [error.writeErrors].flat();
      if (errors.some(({ code }) => code !== CODE.DUPLICATE_KEY) || errors.length === 0) throw error;
      return errors.map(({ index }) => index);
    }
  }
}

function memberSet({ room, author, kind, serverOffset }: Pending): AnyBulkWriteOperation<MemberDocument> {
  return {
    updateOne: {
      filter: { room, user: author, serverOffset: { $lt: serverOffset } },
      update: { $set: { present: kind === 'join', serverOffset } },
      upsert: true,
    },
  };
}
