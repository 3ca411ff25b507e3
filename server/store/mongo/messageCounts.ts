/**
 * Counts messages and finds their serverOffsets, by the index of kinds: the table of kinds says which kinds are messages.
 * Removed messages do not count, also where the removal was not applied to them yet.
 */
import { kinds, ruleOf } from '../../../shared/kinds.ts';
import type { LogStore } from '../port.ts';
import type { EntryDocument } from './append/commands.ts';
import { type Collections, HAS_MENTIONS } from './base/collections.ts';
import type { KnownHeads } from './knownHeads.ts';

type Message = Pick<EntryDocument, 'serverOffset' | 'author' | 'deleted'>;

/** serverOffsets, both inclusive. */
interface OffsetRange {
  from: number;
  to: number;
}

/** Searches a recent range first, of this length per message: not every planner stops reading at a limit. */
const OFFSETS_PER_MESSAGE = 4;
const MAX_OFFSET = Number.MAX_SAFE_INTEGER;
/** Messages per query: callers seldom need more, and it costs the database no more than a page of the log. */
const FIRST_PAGE = 100;
const LONGEST_PAGE = 1_000;

/** The arguments of `unread`, but the room. */
export interface UnreadAsked {
  user: string;
  after: number;
  most: number;
}

export interface MessageCounts extends Pick<LogStore, 'messageAt' | 'messageFrom' | 'mentions'> {
  /** `unread` of each of these in one room, in their order. */
  unreadOfEach(room: string, asked: readonly UnreadAsked[]): Promise<number[]>;
}

export function messagesOn(
  { entriesOf }: Pick<Collections, 'entriesOf'>,
  heads: Pick<KnownHeads, 'offsetOf'>,
): MessageCounts {
  return {
    async messageAt(room, upTo, count) {
      const removed = await removedMessages(room);
      let oldest: number | undefined;
      let left = count;
      for await (const { serverOffset } of newest(room, { from: 1, to: upTo }, upTo, count, removed)) {
        oldest = serverOffset;
        if (--left === 0) break;
      }
      return oldest;
    },

    async messageFrom(room, from, to) {
      const removed = await removedMessages(room);
      for await (const { serverOffset } of messages(room, { from, to }, 'ascending', removed))
        return serverOffset;
      return undefined;
    },

    async unreadOfEach(room, asked) {
      const removed = await removedMessages(room);
      const from = 1 + Math.min(...asked.map(({ after }) => after));
      const counts = asked.map((one) => ({ ...one, count: 0 }));
      // from the newest message on, until each has as many as are counted, or has read the others
      let open = counts;
      const range = { from, to: MAX_OFFSET };
      const most = Math.max(...asked.map((one) => one.most));
      for await (const { author, serverOffset } of newest(room, range, heads.offsetOf(room), most, removed)) {
        for (const one of open) if (one.after < serverOffset && one.user !== author) one.count++;
        open = open.filter(({ after, count, most }) => after < serverOffset - 1 && count < most);
        if (open.length === 0) break;
      }
      return counts.map(({ count }) => count);
    },

    async mentions(room, user, after, most) {
      const removed = await removedMessages(room);
      const found = await entriesOf(room)
        .find({
          ...HAS_MENTIONS,
          room,
          'content.mentions.user': user,
          serverOffset: { $gt: after },
          author: { $ne: user },
        })
        .project<Message>({ _id: 0, serverOffset: 1 })
        .sort({ serverOffset: 1 })
        .limit(most + removed.size)
        .toArray();
      return found
        .map(({ serverOffset }) => serverOffset)
        .filter((offset) => !removed.has(offset))
        .slice(0, most);
    },
  };

  /**
   * serverOffsets of messages whose removal is committed but perhaps not applied to them. Must be read before the messages:
   * one that is redacted in between is then found redacted.
   */
  async function removedMessages(room: string): Promise<Set<number>> {
    const pending = await entriesOf(room)
      .find({ pending: true, room })
      .project<Pick<EntryDocument, 'kind' | 'target'>>({ _id: 0, kind: 1, target: 1 })
      .toArray();
    const removals = pending.filter(({ kind }) => ruleOf(kind)?.effect === 'remove');
    return new Set(removals.flatMap(({ target }) => target ?? []));
  }

  /** The messages of a range from its newest on, of which some `count` are wanted. `head`: 0 where it is not known. */
  async function* newest(
    room: string,
    { from, to }: OffsetRange,
    head: number,
    count: number,
    removed: ReadonlySet<number>,
  ): AsyncGenerator<Message> {
    const near = Math.max(from, head - OFFSETS_PER_MESSAGE * count + 1);
    yield* messages(room, { from: near, to }, 'descending', removed);
    yield* messages(room, { from, to: near - 1 }, 'descending', removed);
  }

  /** All messages of the range that are not removed, in pages of growing size, since many may be removed. */
  async function* messages(
    room: string,
    { from, to }: OffsetRange,
    order: 'ascending' | 'descending',
    removed: ReadonlySet<number>,
  ): AsyncGenerator<Message> {
    let pageSize = FIRST_PAGE;
    for (let rest = { from, to }; rest.from <= rest.to; pageSize = Math.min(2 * pageSize, LONGEST_PAGE)) {
      const page = await read(room, rest, order, pageSize);
      for (const message of page)
        if (message.deleted === undefined && !removed.has(message.serverOffset)) yield message;
      if (page.length < pageSize) return;
      const { serverOffset } = page.at(-1)!;
      rest = order === 'ascending' ? { from: serverOffset + 1, to } : { from, to: serverOffset - 1 };
    }
  }

  async function read(
    room: string,
    { from, to }: OffsetRange,
    order: 'ascending' | 'descending',
    limit: number,
  ): Promise<Message[]> {
    const direction = order === 'ascending' ? 1 : -1;
    const messageKinds = [...kinds()].flatMap(([kind, { message }]) => (message ? kind : []));
    const found = await Promise.all(
      messageKinds.map((kind) =>
        entriesOf(room)
          .find({ room, kind, serverOffset: { $gte: from, $lte: to } })
          .project<Message>({ _id: 0, serverOffset: 1, author: 1, deleted: 1 })
          .sort({ serverOffset: direction })
          .limit(limit)
          .toArray(),
      ),
    );
    const inOrder = (one: Message, other: Message) => direction * (one.serverOffset - other.serverOffset);
    return found.flat().sort(inOrder).slice(0, limit);
  }
}
