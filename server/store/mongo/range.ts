/**
 * A part of a room's log, and what amends it later. There is no transaction; a few reads that each see at least what the
 * one before saw (one causally consistent session) give an answer that holds at its head:
 *
 * 1. the head h. Nothing behind it is shown: no answer names a head that lies before what it shows.
 * 2. the entries up to h. All of them are committed by then, so there is no hole (L1): what is missing was taken out by
 *    somebody's hand, and an unreadable entry stands in its place.
 * 3. where the last replacement and the first removal of each message stand, up to h. It comes after 1, so that nothing
 *    up to h is missing: a client takes the amendments as known up to the head of the answer (S3).
 * 4. those amendments themselves.
 *
 * Meanwhile a removal may be committed, or its redaction be done. The entry is the truth: what any step has seen to be
 * removed is shown redacted, whether or not the redaction is done. What is removed behind h was alive at h.
 */
import type { ClientSession, MongoClient } from 'mongodb';
import type { Entry } from '../../../shared/entry.ts';
import { isAmendment, isMessage, isReplacement, kindsThat, redacted } from '../../../shared/kinds.ts';
import type { LogStore } from '../port.ts';
import { asEntry } from '../stored.ts';
import { upToBytes } from '../upToBytes.ts';
import { ENTRY_FIELDS, type EntryFields, entryOf } from './entry.ts';
import type { Heads } from './heads.ts';
import { headFrom, whereAmends } from './queries.ts';
import type { Collections } from './schema.ts';

interface Deps {
  client: Pick<MongoClient, 'withSession'>;
  collections: Collections;
  heads: Heads;
}

/** Whoever wants more asks again; this many of the longest are 16 MB. */
const READ_MAX_ENTRIES = 1_000;

export function createRange({ client, collections, heads }: Deps): LogStore['range'] {
  return (room, from, to, maxBytes) =>
    client.withSession({ causalConsistency: true }, async (session) => {
      const { serverOffset: head } = await headFrom(collections, heads, room, session);
      const all = await readRun(room, from, Math.min(to, head, from + READ_MAX_ENTRIES - 1), session);
      const entries = upToBytes(all, maxBytes);
      const last = entries.at(-1)?.serverOffset;
      if (last === undefined) return { entries, amendments: [], head };

      const places = await placesOf(room, entries, head, session);
      const removed = new Set(entries.filter(isRedacted).flatMap(ownerOf));
      for (const { target, removes } of places) if (removes) removed.add(target);
      const wanted = places
        .filter(({ target, removes }) => target >= from && target <= last && removes === removed.has(target))
        .map(({ removes, first, last }) => (removes ? first : last))
        .filter((offset) => offset > last);
      const amendments = wanted.length > 0 ? await read(room, { $in: wanted }, session) : [];
      for (const one of amendments.filter(isRedacted))
        for (const message of ownerOf(one)) removed.add(message);

      return {
        entries: entries.map((entry) =>
          ownerOf(entry).some((one) => removed.has(one)) ? redacted(entry) : entry,
        ),
        amendments: amendments.filter((entry) => !isRedacted(entry)),
        head,
      };
    });

  /** From `from` to `to`, without a gap. */
  async function readRun(room: string, from: number, to: number, session: ClientSession): Promise<Entry[]> {
    if (from > to) return [];
    const found = await read(room, { $gte: from, $lte: to }, session);
    if (found.length === to - from + 1) return found;
    const places = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    const there = new Map(found.map((entry) => [entry.serverOffset, entry]));
    const missing = places.filter((place) => !there.has(place));
    for (const entry of await read(room, { $in: missing }, session)) there.set(entry.serverOffset, entry);
    return places.map((serverOffset) => there.get(serverOffset) ?? asEntry({ serverOffset }));
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
    return found.filter(hasNumber).map(entryOf);
  }

  /** Only numbers go over the wire, and mongod takes them from the index alone. */
  function placesOf(
    room: string,
    entries: readonly Entry[],
    head: number,
    session: ClientSession,
  ): Promise<Places[]> {
    const messages = [...new Set(entries.flatMap(concernedBy))];
    const removals = kindsThat('remove');
    const kinds = [...kindsThat('replace'), ...removals];
    return collections
      .entriesOf(room)
      .aggregate<Places>(
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

/** Of all that replaces a message, or of all that removes it. */
interface Places {
  target: number;
  removes: boolean;
  first: number;
  last: number;
}

/** The serverOffset of the message that it is, or that it amends. */
function concernedBy(entry: Entry): number[] {
  if (isAmendment(entry)) return [entry.target];
  return isMessage(entry) ? [entry.serverOffset] : [];
}

/** The serverOffset of the message with which its content goes. */
function ownerOf(entry: Entry): number[] {
  return isAmendment(entry) && !isReplacement(entry) ? [] : concernedBy(entry);
}

/** Not 7.5, which somebody put there by hand. */
function hasNumber({ serverOffset }: EntryFields): boolean {
  return Number.isSafeInteger(serverOffset);
}

function isRedacted(entry: Entry): boolean {
  return entry.deleted === true;
}
