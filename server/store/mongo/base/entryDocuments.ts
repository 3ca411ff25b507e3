/** Entry documents: the entry that clients see of one, and the queries that several parts of the adapter share. */
import type { ClientSession, Collection, Filter } from 'mongodb';
import type { Entry } from '../../../../shared/entry.ts';
import { asEntry } from '../../storedEntries.ts';
import type { AuthorKey, EntryDocument } from '../append/commands.ts';
import { keyInRoom } from '../append/planInsert.ts';
import { type Collections, HAS_TARGET } from './collections.ts';

/** Never throws: a document that is no valid entry becomes an `unreadable` one in its place. */
export function entryOf(document: EntryFields): Entry {
  const { serverOffset, author, clientOffset, at, kind, body, target, subject, content, deleted } = document;
  return asEntry({
    ...(deleted === undefined ? contentOf(content) : { deleted }),
    serverOffset,
    author,
    clientOffset,
    at,
    kind,
    ...(target === undefined ? {} : { target }),
    ...(subject === undefined ? {} : { subject }),
    ...(body === undefined || deleted === true ? {} : { body }),
  });
}

/** The stored value may be anything: an ObjectId, a list, a number. */
function contentOf(content: unknown): object {
  if (content === undefined) return {};
  const isPlain =
    typeof content === 'object' && content !== null && Object.getPrototypeOf(content) === Object.prototype;
  return isPlain ? content : { unreadable: true };
}

export type EntryFields = Omit<EntryDocument, 'room' | 'digest' | 'pending' | 'by' | 'roleSeq'>;

/** `at` of a stored entry in milliseconds; 0 where it is not valid. */
export function timeOf({ at }: { at: unknown }): number {
  return Number.isSafeInteger(at) && (at as number) >= 0 ? (at as number) : 0;
}

/** The projection that `entryOf` needs. */
export const ENTRY_FIELDS = {
  _id: 0,
  serverOffset: 1,
  author: 1,
  clientOffset: 1,
  at: 1,
  kind: 1,
  body: 1,
  target: 1,
  subject: 1,
  content: 1,
  deleted: 1,
} as const;

/**
 * The entries of one room with these keys, in the order of the keys; undefined where there is none. The filter has two
 * `$in` lists and no `$or` of pairs, because not every planner uses the index for that. Only a few authors per query,
 * because a planner may try each author with each clientOffset.
 */
export async function findByKeys<Fields extends AuthorKey>(
  { entriesOf }: Collections,
  room: string,
  keys: readonly AuthorKey[],
  fields: Record<Exclude<keyof Fields, keyof AuthorKey>, 1>,
  session?: ClientSession,
): Promise<(Fields | undefined)[]> {
  const byAuthor = [...Map.groupBy(keys, ({ author }) => author)];
  const found = new Map<string, Fields>();
  for (const some of chunks(byAuthor, MAX_LIST)) {
    const author = { $in: some.map(([one]) => one) };
    const clientOffset = { $in: some.flatMap(([, theirs]) => theirs.map((key) => key.clientOffset)) };
    const projection = { _id: 0, author: 1, clientOffset: 1, ...fields };
    const documents = entriesOf(room).find(
      { room, author, clientOffset },
      { projection, ...(session && { session }) },
    );
    for await (const document of documents.map((one) => one as unknown as Fields))
      found.set(keyInRoom(document), document);
  }
  return keys.map((key) => found.get(keyInRoom(key)));
}

/** Length of one `$in` list where another list multiplies it. */
export const MAX_LIST = 16;

/** `batchSize` of a query for many: the database's first answer has 101 documents otherwise, and the others need a second request. */
export const ONE_ANSWER = 5_000;

export function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** The filter for entries of these kinds that target one of these messages, by the index `entriesByTarget`. */
export function whereAmends(
  room: string,
  messages: readonly number[],
  kinds: readonly string[],
): Filter<EntryDocument> {
  return { room, target: { ...HAS_TARGET.target, $in: messages }, kind: { $in: kinds } };
}

/** Calls `ask` once per collection that holds any of these rooms, in parallel, and joins the results. */
export async function askEachCollection<Of extends { room: string }, T>(
  { entriesOf }: Collections,
  these: readonly Of[],
  ask: (entries: Collection<EntryDocument>, its: Of[]) => Promise<T[]>,
): Promise<T[]> {
  const asked = Map.groupBy(these, ({ room }) => entriesOf(room));
  return (await Promise.all([...asked].map(([entries, its]) => ask(entries, its)))).flat();
}
