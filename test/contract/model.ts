/** The log as a few arrays: what every store must be indistinguishable from. */
import type { AppendResult, NewEntry } from '../../server/store/port.ts';
import type { Entry } from '../../shared/entry.ts';

interface Record {
  serverOffset: number;
  at: number;
  item: NewEntry;
  target: number | undefined;
  deleted: boolean;
}

export class ModelLog {
  readonly rooms: Map<string, Record[]>;

  constructor(rooms: readonly string[]) {
    this.rooms = new Map(rooms.map((room) => [room, []]));
  }

  append(item: NewEntry, at: number, isPoisoned: boolean): AppendResult {
    const log = this.rooms.get(item.room);
    if (!log) return { tag: 'no-room' };
    const same = log.find(
      ({ item: one }) => one.author === item.author && one.clientOffset === item.clientOffset,
    );
    if (same && same.item.digest !== item.digest) return { tag: 'conflict' };
    if (same) return { tag: 'repeat', serverOffset: same.serverOffset, at: same.at };
    const target = log.find(
      ({ item: one }) =>
        one.kind === 'text' && one.author === item.author && one.clientOffset === item.target,
    );
    const amends = item.kind === 'edit' || item.kind === 'delete';
    if (amends && !target) return { tag: 'no-target' };
    if (isPoisoned) return { tag: 'failed', message: '' };
    const serverOffset = log.length + 1;
    const deleted = item.kind === 'edit' && target!.deleted;
    log.push({ serverOffset, at, item, target: target?.serverOffset, deleted });
    if (item.kind === 'delete') {
      for (const one of log) {
        const isEdit = one.item.kind === 'edit' && one.target === target!.serverOffset;
        if (one === target || isEdit) one.deleted = true;
      }
    }
    return { tag: 'appended', serverOffset, at };
  }

  entries(room: string): Entry[] {
    return (this.rooms.get(room) ?? []).map(({ serverOffset, at, item, target, deleted }) => {
      const { author, clientOffset, kind, body } = item;
      const hasBody = kind === 'text' || kind === 'edit';
      return {
        serverOffset,
        author,
        clientOffset,
        at,
        kind,
        ...(target !== undefined && { target }),
        ...(hasBody && (deleted ? { deleted: true } : { body })),
      } as Entry;
    });
  }

  /** Of the texts from `from` to `last`: what after `last` still matters. */
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

  members(room: string): Set<string> {
    const members = new Set<string>();
    for (const { item } of this.rooms.get(room) ?? []) {
      if (item.kind === 'join') members.add(item.author);
      if (item.kind === 'leave') members.delete(item.author);
    }
    return members;
  }
}
