/**
 * What follows from an entry once it is committed: a removal redacts its target and all that replaces it, a change of
 * membership sets the member's row. The entry is the truth and says `pending` until it is done, so that whoever finds one later can do
 * what a process that died left undone. All of it may be done twice, and at the same time.
 */
import { type AnyBulkWriteOperation, MongoBulkWriteError } from 'mongodb';
import { kinds, kindsThat, membershipOf, ruleOf, subjectOf } from '../../../shared/kinds.ts';
import type { EntryDocument } from './append/commands.ts';
import { CODE } from './faults.ts';
import { whereAmends } from './queries.ts';
import type { Collections, MemberDocument } from './schema.ts';

export type Pending = Pick<EntryDocument, 'room' | 'serverOffset' | 'author' | 'subject' | 'kind' | 'target'>;

interface Deps {
  collections: Collections;
  /** Who is in a room has changed. */
  onMembers: (room: string) => void;
}

/** Resolves once what follows from these entries of one room is durable. Of kinds that are not known here nothing is done. */
export type Follow = (room: string, pending: readonly Pending[]) => Promise<void>;

/** The kinds from which something follows. */
export function kindsThatFollow(): string[] {
  return [...kinds().keys()].filter(hasConsequences);
}

function hasConsequences(kind: string): boolean {
  return isRemoval(kind) || membershipOf({ kind }) !== undefined;
}

function isRemoval(kind: string): boolean {
  return ruleOf(kind)?.effect === 'remove';
}

export function createFollow({ collections, onMembers }: Deps): Follow {
  return async (room, pending) => {
    const known = pending.filter(({ kind }) => hasConsequences(kind));
    if (known.length === 0) return;
    const removals = known.filter(({ kind }) => isRemoval(kind));
    const moves = known.filter((entry) => membershipOf(entry) !== undefined);
    await Promise.all([
      redact(
        room,
        removals.flatMap(({ target }) => target ?? []),
      ),
      setMembers(room, moves),
    ]);
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

  async function setMembers(room: string, moves: readonly Pending[]): Promise<void> {
    if (moves.length === 0) return;
    const last = new Map<string, Pending>(); // of a user, the greatest serverOffset holds
    for (const move of moves)
      if (move.serverOffset > (last.get(subjectOf(move))?.serverOffset ?? 0)) last.set(subjectOf(move), move);
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

function memberSet(move: Pending): AnyBulkWriteOperation<MemberDocument> {
  const { room, serverOffset } = move;
  return {
    updateOne: {
      filter: { room, user: subjectOf(move), serverOffset: { $lt: serverOffset } },
      update: { $set: { present: membershipOf(move) === 'joined', serverOffset } },
      upsert: true,
    },
  };
}
