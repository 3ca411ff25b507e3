/**
 * A part of a room's log, and what amends it later. There is no transaction; a few reads that each see at least what the
 * one before saw (one causally consistent session) give an answer that holds at its head:
 *
 * 1. the head h. Nothing behind it is shown: no answer names a head that lies before what it shows.
 * 2. the entries up to h. All of them are committed by then, so there is no hole (L1).
 * 3. where the last edit and the first delete of each text stand, up to h. It comes after 1, so that nothing up to h is
 *    missing: a client takes the amendments as known up to the head of the answer (S3).
 * 4. those edits and deletes themselves.
 *
 * Meanwhile a delete may be committed, or its blanking be done. The entry is the truth: what any step has seen to be
 * deleted is shown blank, whether or not the blanking is done. What is deleted behind h was alive at h.
 */
import type { ClientSession, MongoClient } from 'mongodb';
import type { KnownEntry } from '../../../shared/entry.ts';
import { isAmendment } from '../../../shared/kinds.ts';
import type { LogStore } from '../port.ts';
import { upToBytes } from '../upToBytes.ts';
import type { EntryDocument } from './append/commands.ts';
import { ENTRY_FIELDS, entryOf } from './entry.ts';
import type { Heads } from './heads.ts';
import { newestFrom, whereAmends } from './queries.ts';
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
      const head = await newestFrom(collections, heads, room, session);
      const offsets = { $gte: from, $lte: Math.min(to, head) };
      const all = from > head ? [] : await read(room, offsets, session);
      const entries = upToBytes(all, maxBytes) as KnownEntry[];
      const last = entries.at(-1)?.serverOffset;
      if (last === undefined) return { entries, amendments: [], head };

      const places = await placesOf(room, entries, head, session);
      const deleted = new Set(entries.filter(isBlank).flatMap(textOf));
      for (const { target, kind } of places) if (kind === 'delete') deleted.add(target);
      const wanted = places
        .filter(
          ({ target, kind }) =>
            target >= from && target <= last && (kind === 'delete') === deleted.has(target),
        )
        .map(({ kind, first, last }) => (kind === 'delete' ? first : last))
        .filter((offset) => offset > last);
      const amendments = wanted.length > 0 ? await read(room, { $in: wanted }, session) : [];
      for (const blank of amendments.filter(isBlank)) for (const text of textOf(blank)) deleted.add(text);

      return {
        entries: entries.map((entry) => asDeleted(entry, deleted)),
        amendments: amendments.filter((entry) => !isBlank(entry)),
        head,
      };
    });

  async function read(
    room: string,
    serverOffset: { $gte: number; $lte: number } | { $in: number[] },
    session: ClientSession,
  ): Promise<KnownEntry[]> {
    const found = await collections
      .entriesOf(room)
      .find({ room, serverOffset }, { session })
      .project<EntryDocument>(ENTRY_FIELDS)
      .sort({ serverOffset: 1 })
      .limit(READ_MAX_ENTRIES)
      .toArray();
    return found.map(entryOf);
  }

  /** Only numbers go over the wire, and mongod takes them from the index alone. */
  function placesOf(
    room: string,
    entries: readonly KnownEntry[],
    head: number,
    session: ClientSession,
  ): Promise<Places[]> {
    const texts = [...new Set(entries.flatMap(textOf))];
    return collections
      .entriesOf(room)
      .aggregate<Places>(
        [
          { $match: { ...whereAmends(room, texts), serverOffset: { $lte: head } } },
          {
            $group: {
              _id: { target: '$target', kind: '$kind' },
              first: { $min: '$serverOffset' },
              last: { $max: '$serverOffset' },
            },
          },
          { $project: { _id: 0, target: '$_id.target', kind: '$_id.kind', first: 1, last: 1 } },
        ],
        { session },
      )
      .toArray();
  }
}

/** Of the edits of a text, or of its deletes. */
interface Places {
  target: number;
  kind: 'edit' | 'delete';
  first: number;
  last: number;
}

/** The serverOffset of the text that it is, or that it amends. */
function textOf(entry: KnownEntry): number[] {
  if (isAmendment(entry)) return [entry.target];
  return entry.kind === 'text' ? [entry.serverOffset] : [];
}

function isBlank(entry: KnownEntry): boolean {
  return 'deleted' in entry && entry.deleted === true;
}

function asDeleted(entry: KnownEntry, deleted: ReadonlySet<number>): KnownEntry {
  if (!('body' in entry) || !textOf(entry).some((text) => deleted.has(text))) return entry;
  const { body: _, ...kept } = entry;
  return { ...kept, deleted: true };
}
