/**
 * A change stream shows each entry as it was inserted. Live, that is as it is. Read from further back, some of it was
 * removed since, and what is removed is shown to nobody any more.
 */
import type { Collection } from 'mongodb';
import { kindsThat, ruleOf } from '../../../shared/kinds.ts';
import type { EntryDocument } from './append/commands.ts';
import { whereAmends } from './queries.ts';

/** Redacts what a removal among these same documents concerns. */
export function redactByEachOther(documents: readonly EntryDocument[]): EntryDocument[] {
  return redactIn(
    documents,
    documents.filter(({ kind }) => ruleOf(kind)?.effect === 'remove'),
  );
}

/** Redacts what any removal concerns that is committed by now, whether or not its own redaction is done. */
export async function redactByLog(
  documents: readonly EntryDocument[],
  entries: Collection<EntryDocument>,
): Promise<EntryDocument[]> {
  const removals = [...Map.groupBy(documents.filter(hasContent), ({ room }) => room)].map(([room, its]) =>
    entries
      .find(whereAmends(room, its.map(ownerOf), kindsThat('remove')))
      .project<Removal>({ _id: 0, room: 1, target: 1 })
      .toArray(),
  );
  return redactIn(documents, (await Promise.all(removals)).flat());
}

type Removal = Pick<EntryDocument, 'room' | 'target'>;

function redactIn(documents: readonly EntryDocument[], removals: readonly Removal[]): EntryDocument[] {
  if (removals.length === 0) return [...documents];
  const removed = new Set(removals.map(({ room, target }) => `${room} ${target}`));
  return documents.map((document) => {
    if (!hasContent(document) || !removed.has(`${document.room} ${ownerOf(document)}`)) return document;
    const { body: _, content: __, ...kept } = document;
    return { ...kept, deleted: true };
  });
}

function hasContent({ body, content }: EntryDocument): boolean {
  return body !== undefined || content !== undefined;
}

/** The serverOffset of the message with which its content goes: the one that it replaces, or itself. */
function ownerOf({ serverOffset, kind, target }: EntryDocument): number {
  return ruleOf(kind)?.effect === 'replace' && target !== undefined ? target : serverOffset;
}
