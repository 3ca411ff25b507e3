/**
 * Reads a range of a room's log and the later amendments of its messages, without a transaction. The reads share one
 * causally consistent session, so each sees at least the state of the one before. The result is consistent at its head:
 *
 * 1. Read the head h. The result contains nothing after it.
 * 2. Read the entries up to h. All of them are committed, so there is no gap (L1): where an entry is missing, somebody
 *    deleted it by hand, and an unreadable entry takes its place.
 * 3. Read the serverOffset of the last replacement and of the first removal of each message, up to h. This follows step 1,
 *    so none is missing: clients treat amendments as known up to the head of the answer (S3).
 * 4. Read those amendments.
 *
 * A removal may be committed meanwhile, or applied to its target. The removal's entry is the source of truth: a message
 * whose removal any step has seen is returned redacted, whether or not the removal was applied to it yet. A message that is
 * removed after h was not removed at h.
 */
import type { ClientSession, MongoClient } from 'mongodb';
import type { Entry } from '../../../shared/entry.ts';
import { isAmendment, isMessage, isReplacement, kindsThat, redacted } from '../../../shared/kinds.ts';
import { countReactions, type LastReaction, reactorsIn } from '../countReactions.ts';
import type { LogStore, RangeOutcome } from '../port.ts';
import { asEntry, upToBytes } from '../storedEntries.ts';
import type { Collections } from './base/collections.ts';
import { ENTRY_FIELDS, type EntryFields, entryOf, whereAmends } from './base/entryDocuments.ts';
import { type KnownHeads, readHead } from './knownHeads.ts';

interface Deps {
  client: Pick<MongoClient, 'withSession'>;
  collections: Collections;
  heads: KnownHeads;
}

/** Entries per call; this many of the longest take 16 MB. Callers read on from where the result ends. */
const MAX_ENTRIES = 1_000;

export function rangesOn({
  client,
  collections,
  heads,
}: Deps): Pick<LogStore, 'range' | 'entriesAt' | 'reactionsTo' | 'reactors'> {
  return {
    range: (room, from, to, maxBytes) =>
      client.withSession({ causalConsistency: true }, async (session) => {
        const { serverOffset: head } = await readHead(collections, heads, room, session);
        const all = await readWithoutGaps(room, from, Math.min(to, head, from + MAX_ENTRIES - 1), session);
        return withAmendments(room, upToBytes(all, maxBytes), head, session);
      }),
    reactionsTo: async (room, targets, by) => countReactions(await lastReactions(room, targets), by),
    reactors: async (room, target, most) => reactorsIn(await lastReactions(room, [target]), most),
    entriesAt: (room, offsets) =>
      client.withSession({ causalConsistency: true }, async (session) => {
        const { serverOffset: head } = await readHead(collections, heads, room, session);
        const known = offsets.filter((offset) => offset <= head);
        const entries = known.length > 0 ? await read(room, { $in: known }, session) : [];
        return withAmendments(room, entries, head, session);
      }),
  };

  /** Of each person, emoji and message the newest entry, up to the head. */
  function lastReactions(room: string, targets: readonly number[]): Promise<LastReaction[]> {
    return client.withSession({ causalConsistency: true }, async (session) => {
      const { serverOffset: head } = await readHead(collections, heads, room, session);
      const isOff = { $eq: ['$content.on', false] };
      const found = await collections
        .entriesOf(room)
        .aggregate<{ _id: Pick<LastReaction, 'target' | 'author' | 'emoji'>; on: number; off: number }>(
          [
            {
              $match: {
                ...whereAmends(room, targets, kindsThat('aggregate')),
                serverOffset: { $lte: head },
              },
            },
            {
              $group: {
                _id: { target: '$target', author: '$author', emoji: '$content.emoji' },
                on: { $max: { $cond: [isOff, 0, '$serverOffset'] } },
                off: { $max: { $cond: [isOff, '$serverOffset', 0] } },
              },
            },
          ],
          { session },
        )
        .toArray();
      return found.map(({ _id, on, off }) => ({
        ..._id,
        isOn: on > off,
        serverOffset: Math.max(on, off),
      }));
    });
  }

  /** Steps 3 and 4. */
  async function withAmendments(
    room: string,
    entries: readonly Entry[],
    head: number,
    session: ClientSession,
  ): Promise<RangeOutcome> {
    if (entries.length === 0) return { entries: [], amendments: [], head };
    const here = new Set(entries.map(({ serverOffset }) => serverOffset));
    const found = await findAmendments(room, entries, head, session);
    const removed = new Set(entries.filter(isRedacted).flatMap(ownerOf));
    for (const { target, removes } of found) if (removes) removed.add(target);
    const wanted = found
      .filter(({ target, removes }) => here.has(target) && removes === removed.has(target))
      .map(({ removes, first, last }) => (removes ? first : last))
      .filter((offset) => !here.has(offset));
    const amendments = wanted.length > 0 ? await read(room, { $in: wanted }, session) : [];
    for (const one of amendments.filter(isRedacted)) for (const message of ownerOf(one)) removed.add(message);

    return {
      entries: entries.map((entry) =>
        ownerOf(entry).some((one) => removed.has(one)) ? redacted(entry) : entry,
      ),
      amendments: amendments.filter((entry) => !isRedacted(entry)),
      head,
    };
  }

  /** The entries from `from` to `to`, with unreadable ones in place of missing ones. */
  async function readWithoutGaps(
    room: string,
    from: number,
    to: number,
    session: ClientSession,
  ): Promise<Entry[]> {
    if (from > to) return [];
    const found = await read(room, { $gte: from, $lte: to }, session);
    if (found.length === to - from + 1) return found;
    const offsets = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    const byOffset = new Map(found.map((entry) => [entry.serverOffset, entry]));
    const missing = offsets.filter((offset) => !byOffset.has(offset));
    for (const entry of await read(room, { $in: missing }, session)) byOffset.set(entry.serverOffset, entry);
    return offsets.map((serverOffset) => byOffset.get(serverOffset) ?? asEntry({ serverOffset }));
  }

  async function read(
    room: string,
    serverOffset: { $gte: number; $lte: number } | { $in: number[] },
    session: ClientSession,
  ): Promise<Entry[]> {
    const found = await collections
      .entriesOf(room)
      .find({ room, serverOffset }, { session })
      .project<EntryFields>(ENTRY_FIELDS)
      .sort({ serverOffset: 1 })
      .toArray();
    return found.filter(hasOffset).map(entryOf);
  }

  /** Covered by the index `entriesByTarget`: mongod reads no document, and returns only numbers. */
  function findAmendments(
    room: string,
    entries: readonly Entry[],
    head: number,
    session: ClientSession,
  ): Promise<AmendmentOffsets[]> {
    const messages = [...new Set(entries.flatMap(messageOf))];
    const removals = kindsThat('remove');
    const kinds = [...kindsThat('replace'), ...removals];
    return collections
      .entriesOf(room)
      .aggregate<AmendmentOffsets>(
        [
          { $match: { ...whereAmends(room, messages, kinds), serverOffset: { $lte: head } } },
          {
            $group: {
              _id: { target: '$target', removes: { $in: ['$kind', removals] } },
              first: { $min: '$serverOffset' },
              last: { $max: '$serverOffset' },
            },
          },
          { $project: { _id: 0, target: '$_id.target', removes: '$_id.removes', first: 1, last: 1 } },
        ],
        { session },
      )
      .toArray();
  }
}

/** First and last serverOffset of all removals of a message (`removes`), or of all its replacements. */
interface AmendmentOffsets {
  target: number;
  removes: boolean;
  first: number;
  last: number;
}

/** The serverOffset of the message that the entry is, or that it amends; empty for other entries. */
function messageOf(entry: Entry): number[] {
  if (isAmendment(entry)) return [entry.target];
  return isMessage(entry) ? [entry.serverOffset] : [];
}

/** The serverOffset of the message whose removal removes this entry's content; empty where there is none. */
function ownerOf(entry: Entry): number[] {
  return isAmendment(entry) && !isReplacement(entry) ? [] : messageOf(entry);
}

/** False for 7.5 or the like, inserted by hand. */
function hasOffset({ serverOffset }: EntryFields): boolean {
  return Number.isSafeInteger(serverOffset);
}

function isRedacted(entry: Entry): boolean {
  return entry.deleted === true;
}
