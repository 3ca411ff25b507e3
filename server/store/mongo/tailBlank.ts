/**
 * A change stream shows each entry as it was inserted. Live, that is as it is. Read from further back, some of it was
 * deleted since, and what is deleted is shown to nobody any more.
 */
import type { Collection } from 'mongodb';
import type { EntryDocument } from './append/commands.ts';
import { whereAmends } from './queries.ts';

/** Blanks what a delete among these same documents concerns. */
export function blankByEachOther(documents: readonly EntryDocument[]): EntryDocument[] {
  return blankIn(documents, documents.filter(isDelete));
}

/** Blanks what any delete concerns that is committed by now, whether or not its own blanking is done. */
export async function blankByLog(
  documents: readonly EntryDocument[],
  entries: Collection<EntryDocument>,
): Promise<EntryDocument[]> {
  const texts = documents.filter(({ body }) => body !== undefined);
  const deletes = [...Map.groupBy(texts, ({ room }) => room)].map(([room, its]) =>
    entries
      .find({ ...whereAmends(room, its.map(textOf)), kind: 'delete' })
      .project<Delete>({ _id: 0, room: 1, target: 1 })
      .toArray(),
  );
  return blankIn(documents, (await Promise.all(deletes)).flat());
}

type Delete = Pick<EntryDocument, 'room' | 'target'>;

function blankIn(documents: readonly EntryDocument[], deletes: readonly Delete[]): EntryDocument[] {
  if (deletes.length === 0) return [...documents];
  const deleted = new Set(deletes.map(({ room, target }) => `${room} ${target}`));
  return documents.map((document) => {
    if (document.body === undefined || !deleted.has(`${document.room} ${textOf(document)}`)) return document;
    const { body: _, ...kept } = document;
    return { ...kept, deleted: true };
  });
}

function isDelete({ kind }: EntryDocument): boolean {
  return kind === 'delete';
}

/** The serverOffset of the text that it is, or that it amends. */
function textOf({ serverOffset, target }: EntryDocument): number {
  return target ?? serverOffset;
}
