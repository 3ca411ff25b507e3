/** Questions to the log in the form that the indexes answer in a few steps. */
import type { ClientSession, Collection, Filter } from 'mongodb';
import { Unavailable } from '../port.ts';
import type { AuthorKey, EntryDocument, Head } from './append/commands.ts';
import { keyOf } from './append/plan.ts';
import { timeOf } from './entry.ts';
import type { Heads } from './heads.ts';
import { type Collections, HAS_TARGET } from './schema.ts';

/**
 * The newest committed entry of a room, read from the head that is known. Rejects where the answer is from before that
 * one was committed.
 */
export async function headFrom(
  { entriesOf }: Collections,
  heads: Heads,
  room: string,
  session?: ClientSession,
): Promise<Head> {
  const from = heads.known(room);
  const [newest] = await entriesOf(room)
    .find({ room, serverOffset: { $gte: from } }, session && { session })
    .project<Head>({ _id: 0, serverOffset: 1, at: 1 })
    .sort({ serverOffset: -1 })
    .limit(1)
    .toArray();
  const head = newest ? { serverOffset: newest.serverOffset, at: timeOf(newest) } : EMPTY;
  if (!Number.isSafeInteger(head.serverOffset)) throw new Unavailable('The log of this room is damaged.');
  if (head.serverOffset < from) {
    heads.doubt(room);
    throw fromThePast();
  }
  heads.heard(room, head.serverOffset, head.at);
  return head;
}

const EMPTY: Head = { serverOffset: 0, at: 0 };

/** A primary that was just elected, or deposed and does not know of it; or a backup was put back under this process. */
export function fromThePast(): Unavailable {
  return new Unavailable('The database answers from before what is known to be written; try again.');
}

/**
 * What stands under these keys of one room. By two lists and not by an `$or` of pairs, through which not every planner
 * finds the index; a few authors at a time, since a planner that does tries each author with each clientOffset.
 */
export async function underKeys<Fields extends AuthorKey>(
  { entriesOf }: Collections,
  room: string,
  keys: readonly AuthorKey[],
  fields: Record<Exclude<keyof Fields, keyof AuthorKey>, 1>,
  session?: ClientSession,
): Promise<(Fields | undefined)[]> {
  const byAuthor = [...Map.groupBy(keys, ({ author }) => author)];
  const found = new Map<string, Fields>();
  for (const some of chunks(byAuthor, LIST_MAX)) {
    const author = { $in: some.map(([one]) => one) };
    const clientOffset = { $in: some.flatMap(([, theirs]) => theirs.map((key) => key.clientOffset)) };
    const projection = { _id: 0, author: 1, clientOffset: 1, ...fields };
    const documents = entriesOf(room).find(
      { room, author, clientOffset },
      { projection, ...(session && { session }) },
    );
    for await (const document of documents.map((one) => one as unknown as Fields))
      found.set(keyOf(document), document);
  }
  return keys.map((key) => found.get(keyOf(key)));
}

/** How many of one list are tried with each of another. */
export const LIST_MAX = 16;

export function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** What entries of these kinds there are about these messages. */
export function whereAmends(
  room: string,
  messages: readonly number[],
  kinds: readonly string[],
): Filter<EntryDocument> {
  return { room, target: { ...HAS_TARGET.target, $in: messages }, kind: { $in: kinds } };
}

/** One question to each of the collections that these rooms stand in. */
export async function inEach<Of extends { room: string }, T>(
  { entriesOf }: Collections,
  these: readonly Of[],
  ask: (entries: Collection<EntryDocument>, its: Of[]) => Promise<T[]>,
): Promise<T[]> {
  const asked = Map.groupBy(these, ({ room }) => entriesOf(room));
  return (await Promise.all([...asked].map(([entries, its]) => ask(entries, its)))).flat();
}
