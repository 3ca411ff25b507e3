/** The data of the model server: rooms and their logs, which can be put back to an older copy. Pure. */
import type { Entry } from '../../../shared/entry.ts';
import { fold, type Line } from '../../../shared/fold.ts';
import { isAmendment } from '../../../shared/kinds.ts';
import type { Item, WireError } from '../../../shared/protocol/index.ts';

/** `body` is what it said when it was appended; it stays here when the entry is blanked. */
export interface Logged {
  entry: Entry;
  body: string | undefined;
  blank: boolean;
  /** By which a repeat is known to be one. */
  content: string;
}

export interface LogRoom {
  id: string;
  name: string;
  log: Logged[];
  members: Set<string>;
  readUpTo: Map<string, number>;
}

/** A log goes on in one lineage until it is put back; what is held of an old one is not of the new one. */
export interface Lineage {
  epoch: string;
  rooms: Map<string, LogRoom>;
}

export interface Logs {
  now(): Lineage;
  /** The oldest first, the present one last. */
  lineages(): readonly Lineage[];
  room(id: string): LogRoom | undefined;
  append(room: LogRoom, author: string, item: Item): Appended;
  /** Without asking who may. */
  add(room: LogRoom, entry: Unplaced, content: string, body?: string): Logged;
  copy(): Lineage;
  putBack(copy: Lineage, epoch: string): void;
}

export type Appended = { entry: Entry; isNew: boolean } | { error: WireError };
export type Unplaced = { author: string; clientOffset: string; kind: string; target?: number };

export function createLogs(epoch: string, time: () => number): Logs {
  let now: Lineage = { epoch, rooms: new Map() };
  const before: Lineage[] = [];

  function add(room: LogRoom, unplaced: Unplaced, content: string, body?: string): Logged {
    const entry = { ...unplaced, serverOffset: room.log.length + 1, at: time() } as Entry;
    const logged: Logged = { entry, body, blank: false, content };
    const target = unplaced.target;
    const isDead = unplaced.kind === 'edit' && room.log[target! - 1]?.blank === true;
    room.log.push(logged);
    if (isDead) logged.blank = true;
    if (unplaced.kind === 'delete')
      for (const each of room.log)
        if (each.entry.serverOffset === target || (each.entry.kind === 'edit' && targetOf(each) === target))
          each.blank = true;
    return logged;
  }

  return {
    now: () => now,
    lineages: () => [...before, now],
    room: (id) => now.rooms.get(id),
    add,
    append(room, author, item) {
      const content = contentOf(item);
      const there = room.log.find((each) => isBy(each, author, item.clientOffset));
      if (there && there.content !== content) return { error: { code: 'conflict', message: 'another text' } };
      if (there) return { entry: there.entry, isNew: false };
      if (!room.members.has(author)) return { error: { code: 'forbidden', message: 'not a member' } };
      const unplaced = { author, clientOffset: item.clientOffset, kind: item.kind };
      if (item.kind === 'text') return { entry: add(room, unplaced, content, item.body).entry, isNew: true };
      const text = room.log.find((each) => isBy(each, author, item.target) && each.entry.kind === 'text');
      if (!text) return { error: { code: 'not-found', message: 'no such text' } };
      const body = item.kind === 'edit' ? item.body : undefined;
      const target = text.entry.serverOffset;
      return { entry: add(room, { ...unplaced, target }, content, body).entry, isNew: true };
    },
    copy: () => copyOf(now),
    putBack(copy, epoch) {
      before.push(now);
      now = { ...copyOf(copy), epoch };
    },
  };
}

/** As everybody reads it. */
export function shown({ entry, body, blank }: Logged): Entry {
  if (body === undefined && !(entry.kind === 'text' || entry.kind === 'edit')) return entry;
  return (blank ? { ...entry, deleted: true } : { ...entry, body }) as Entry;
}

/** The room's lines, as who holds all of the log reads them. */
export function linesOf(room: LogRoom): Line[] {
  return fold(room.log.map(shown));
}

export function contentOf(item: Item): string {
  return JSON.stringify([item.kind, 'target' in item ? item.target : '', 'body' in item ? item.body : '']);
}

export function targetOf({ entry }: Logged): number | undefined {
  return isAmendment(entry) ? entry.target : undefined;
}

export function isBy({ entry }: Logged, author: string, clientOffset: string): boolean {
  return entry.author === author && entry.clientOffset === clientOffset;
}

function copyOf({ epoch, rooms }: Lineage): Lineage {
  const copied = [...rooms.values()].map((room) => ({
    ...room,
    log: room.log.map((each) => ({ ...each })),
    members: new Set(room.members),
    readUpTo: new Map(room.readUpTo),
  }));
  return { epoch, rooms: new Map(copied.map((room) => [room.id, room])) };
}
