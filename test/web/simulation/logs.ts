/** The data of the model server: rooms and their logs, which can be restored to an older copy. Pure. */
import { countReactions, type LastReaction } from '../../../server/store/countReactions.ts';
import type { Entry } from '../../../shared/entry.ts';
import { fold, type Line } from '../../../shared/fold.ts';
import {
  isAmendment,
  isMentioned,
  isMessage,
  isRemoval,
  isReplacement,
  redacted,
} from '../../../shared/kinds.ts';
import type { Item, Reactions, WireError } from '../../../shared/protocol/index.ts';

/** `entry` stays as it was appended, also after its redaction. */
export interface Logged {
  entry: Entry;
  isRedacted: boolean;
  /** The content, to tell repeats from conflicts. */
  content: string;
}

export interface LogRoom {
  id: string;
  name: string;
  log: Logged[];
  members: Set<string>;
  readUpTo: Map<string, number>;
  /** Who was removed or banned by somebody else, with the reason. */
  out: Map<string, Out>;
}

export type Out = 'out-removed' | 'out-banned';

/** A lineage lasts until a restore. Entries of an old lineage may not appear in the new one. */
export interface Lineage {
  epoch: string;
  rooms: Map<string, LogRoom>;
}

export interface Logs {
  now(): Lineage;
  /** All lineages, the present one last. */
  lineages(): readonly Lineage[];
  room(id: string): LogRoom | undefined;
  append(room: LogRoom, author: string, item: Item): Appended;
  /** Appends without checking permissions. */
  add(room: LogRoom, entry: Unplaced, content: string): Logged;
  copy(): Lineage;
  putBack(copy: Lineage, epoch: string): void;
}

export type Appended = { entry: Entry; isNew: boolean } | { error: WireError };
export type Unplaced = {
  author: string;
  clientOffset: string;
  kind: string;
  target?: number;
  subject?: string;
  body?: string;
  [field: string]: unknown;
};

export function createLogs(epoch: string, time: () => number): Logs {
  let now: Lineage = { epoch, rooms: new Map() };
  const before: Lineage[] = [];

  function add(room: LogRoom, unplaced: Unplaced, content: string): Logged {
    const entry = { ...unplaced, serverOffset: room.log.length + 1, at: time() } as Entry;
    const isDead = isReplacement(entry) && room.log[entry.target! - 1]?.isRedacted === true;
    const logged: Logged = { entry, isRedacted: isDead, content };
    room.log.push(logged);
    if (isRemoval(entry))
      for (const each of room.log)
        if (
          each.entry.serverOffset === entry.target ||
          (isReplacement(each.entry) && each.entry.target === entry.target)
        )
          each.isRedacted = true;
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
      if (!room.members.has(author)) return { error: notMember(room, author) };
      const { room: _, target: key, ...rest } = item;
      const unplaced = { ...rest, author };
      if (key === undefined) {
        const { replyTo } = item;
        const answered =
          replyTo &&
          room.log.find((each) => isBy(each, replyTo.author, replyTo.clientOffset) && isMessage(each.entry));
        const placed = answered ? { ...unplaced, target: answered.entry.serverOffset } : unplaced;
        return { entry: add(room, placed, content).entry, isNew: true };
      }
      const its = typeof key === 'string' ? { author, clientOffset: key } : key;
      const target = room.log.find(
        (each) => isBy(each, its.author, its.clientOffset) && isMessage(each.entry),
      );
      if (!target) return { error: { code: 'not-found', message: 'no such message' } };
      const { serverOffset } = target.entry;
      return { entry: add(room, { ...unplaced, target: serverOffset }, content).entry, isNew: true };
    },
    copy: () => copyOf(now),
    putBack(copy, epoch) {
      before.push(now);
      now = { ...copyOf(copy), epoch };
    },
  };
}

export function notMember({ out }: LogRoom, user: string): WireError {
  const reason = out.get(user);
  return { code: 'forbidden', message: 'not a member', ...(reason && { reason }) };
}

/** The entry as clients read it: redacted if it was deleted. */
export function shown({ entry, isRedacted }: Logged): Entry {
  return isRedacted ? redacted(entry) : entry;
}

/** What the server counts of the reactions to these messages, in the whole log. `user`: to whom it says which are theirs. */
export function reactionsTo(
  room: LogRoom,
  targets: ReadonlySet<number>,
  user: string | undefined,
): Reactions[] {
  const lasts = new Map<string, LastReaction>();
  for (const { entry } of room.log) {
    const {
      kind,
      target = 0,
      author,
      serverOffset,
      emoji,
      on,
    } = entry as Entry & Partial<LastReaction> & { on?: boolean };
    if (kind === 'reaction' && targets.has(target))
      lasts.set(`${target} ${author} ${emoji}`, { target, author, emoji, isOn: on !== false, serverOffset });
  }
  return countReactions([...lasts.values()], user);
}

/** The serverOffsets of messages after `after` that mention this user, and are not deleted. */
export function mentionsIn(room: LogRoom, user: string, after: number): number[] {
  const later = room.log.slice(after).map(shown);
  return later.flatMap((entry) => (isMentioned(entry, user) ? entry.serverOffset : []));
}

/** The lines of the whole log. */
export function linesOf(room: LogRoom): Line[] {
  return fold(room.log.map(shown));
}

/** The content of an item, without key and room, independent of the order of its fields. */
export function contentOf({ room: _, clientOffset: __, ...content }: Item): string {
  return JSON.stringify(Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function targetOf({ entry }: Logged): number | undefined {
  return isAmendment(entry) ? entry.target : undefined;
}

export function isBy({ entry }: Logged, author: string, clientOffset: string): boolean {
  return entry.author === author && entry.clientOffset === clientOffset;
}

/** The body of a text or an edit; undefined for other kinds. */
export function bodyOf(entry: Entry): string | undefined {
  return 'body' in entry ? entry.body : undefined;
}

function copyOf({ epoch, rooms }: Lineage): Lineage {
  const copied = [...rooms.values()].map((room) => ({
    ...room,
    log: room.log.map((each) => ({ ...each })),
    members: new Set(room.members),
    readUpTo: new Map(room.readUpTo),
    out: new Map(room.out),
  }));
  return { epoch, rooms: new Map(copied.map((room) => [room.id, room])) };
}
