/** The model: logs as plain arrays. Every store must behave like it. */
import type { AppendResult, EntryKey, NewEntry } from '../../server/store/port.ts';
import type { Entry } from '../../shared/entry.ts';

export interface Recorded {
  serverOffset: number;
  at: number;
  item: NewEntry;
  target: number | undefined;
  deleted: boolean;
  /** An edit of a message that was deleted before: nobody may ever see its text. */
  isBornBlank: boolean;
}

export class ModelLog {
  readonly rooms: Map<string, Recorded[]>;

  constructor(rooms: readonly string[]) {
    this.rooms = new Map(rooms.map((room) => [room, []]));
  }

  append(item: NewEntry, at: number, isPoisoned: boolean): AppendResult {
    const log = this.rooms.get(item.room);
    if (!log) return { tag: 'no-room' };
    const same = this.find(item);
    if (same && same.item.digest !== item.digest) return { tag: 'conflict' };
    if (same) return { tag: 'repeat', serverOffset: same.serverOffset, at: same.at };
    const target = this.targetOf(item);
    const amends = item.kind === 'edit' || item.kind === 'delete';
    if (amends && !target) return { tag: 'no-target' };
    if (isPoisoned) return { tag: 'failed', message: '' };
    const serverOffset = log.length + 1;
    const stamp = Math.max(at, log.at(-1)?.at ?? 0);
    const isBornBlank = item.kind === 'edit' && target!.deleted;
    log.push({
      serverOffset,
      at: stamp,
      item,
      target: target?.serverOffset,
      deleted: isBornBlank,
      isBornBlank,
    });
    if (item.kind === 'delete') {
      for (const one of log) {
        const isEdit = one.item.kind === 'edit' && one.target === target!.serverOffset;
        if (one === target || isEdit) one.deleted = true;
      }
    }
    return { tag: 'appended', serverOffset, at: stamp };
  }

  find({ room, author, clientOffset }: EntryKey): Recorded | undefined {
    return this.rooms
      .get(room)
      ?.find(({ item }) => item.author === author && item.clientOffset === clientOffset);
  }

  /** The text that an item amends, of the same author, or replies to. */
  targetOf({ room, author, target, targetAuthor = author }: NewEntry): Recorded | undefined {
    const found =
      target === undefined ? undefined : this.find({ room, author: targetAuthor, clientOffset: target });
    return found?.item.kind === 'text' ? found : undefined;
  }

  head(room: string): number {
    return this.rooms.get(room)?.length ?? 0;
  }

  entries(room: string): Entry[] {
    return (this.rooms.get(room) ?? []).map(entryOf);
  }

  /** The amendments after `last` that count, of the texts from `from` to `last`. */
  amendments(room: string, from: number, last: number): Entry[] {
    const log = this.rooms.get(room) ?? [];
    const offsets = log.slice(from - 1, last).map((text) => {
      const ofIt = log.filter((one) => one.target === text.serverOffset);
      const strongest = text.deleted
        ? ofIt.find((one) => one.item.kind === 'delete')
        : ofIt.findLast((one) => one.item.kind === 'edit');
      return text.item.kind === 'text' ? (strongest?.serverOffset ?? 0) : 0;
    });
    return this.entries(room).filter(
      ({ serverOffset }) => serverOffset > last && offsets.includes(serverOffset),
    );
  }

  /** The serverOffset of the newest join of the person, who may have left since; 0 if there is none. */
  lastJoin(room: string, person: string): number {
    const log = this.rooms.get(room) ?? [];
    return log.findLast(({ item }) => item.kind === 'join' && item.author === person)?.serverOffset ?? 0;
  }

  /** The members, each with the serverOffset of the newest join. */
  members(room: string): Map<string, number> {
    const members = new Map<string, number>();
    for (const { item, serverOffset } of this.rooms.get(room) ?? []) {
      if (item.kind === 'join') members.set(item.author, serverOffset);
      if (item.kind === 'leave') members.delete(item.author);
    }
    return members;
  }
}

/** The entry as it is read: redacted where it was deleted. */
export function entryOf({ serverOffset, at, item, target, deleted }: Recorded): Entry {
  const { author, clientOffset, kind, body, content } = item;
  const hasBody = kind === 'text' || kind === 'edit';
  return {
    serverOffset,
    author,
    clientOffset,
    at,
    kind,
    ...(target !== undefined && { target }),
    ...(hasBody && (deleted ? { deleted: true } : { ...content, body })),
  } as Entry;
}
