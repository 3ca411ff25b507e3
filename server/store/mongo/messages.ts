/**
 * Where the messages of a room are, by the index of kinds: the table of kinds says which kinds are messages. One that was
 * removed does not count, also where its redaction is not done yet.
 */
import { kinds, ruleOf } from '../../../shared/kinds.ts';
import type { LogStore } from '../port.ts';
import type { EntryDocument } from './append/commands.ts';
import type { Collections } from './schema.ts';

type Message = Pick<EntryDocument, 'serverOffset' | 'author' | 'deleted'>;

/** Both ends are included. */
interface Part {
  from: number;
  to: number;
}

/** A part of the log is looked at first, this long for each message that is wanted: not every planner stops at a limit. */
const OFFSETS_PER_MESSAGE = 4;
const LAST = Number.MAX_SAFE_INTEGER;
/** As many as are ever wanted, and no more work for the database than a page of the log. */
const FIRST_PAGE = 100;
const LONGEST_PAGE = 1_000;

export function messagesOn({
  entriesOf,
}: Pick<Collections, 'entriesOf'>): Pick<LogStore, 'messageAt' | 'unread'> {
  return {
    async messageAt(room, upTo, count) {
      const removed = await removedIn(room);
      const near = Math.max(1, upTo - OFFSETS_PER_MESSAGE * count + 1);
      let oldest: number | undefined;
      let left = count;
      for (const part of [
        { from: near, to: upTo },
        { from: 1, to: near - 1 },
      ]) {
        for await (const { serverOffset } of alive(room, part, 'descending', removed)) {
          oldest = serverOffset;
          if (--left === 0) return oldest;
        }
      }
      return oldest;
    },

    async unread(room, user, after, most) {
      const removed = await removedIn(room);
      let count = 0;
      for await (const { author } of alive(room, { from: after + 1, to: LAST }, 'ascending', removed))
        if (author !== user && ++count === most) break;
      return count;
    },
  };

  /**
   * The messages whose removal is committed and whose redaction may not be done. It is read before the messages: what is
   * redacted in between is not among those.
   */
  async function removedIn(room: string): Promise<Set<number>> {
    const pending = await entriesOf(room)
      .find({ pending: true, room })
      .project<Pick<EntryDocument, 'kind' | 'target'>>({ _id: 0, kind: 1, target: 1 })
      .toArray();
    const removals = pending.filter(({ kind }) => ruleOf(kind)?.effect === 'remove');
    return new Set(removals.flatMap(({ target }) => target ?? []));
  }

  /** Page by page, each longer than the one before, since many may have been removed. */
  async function* alive(
    room: string,
    { from, to }: Part,
    order: 'ascending' | 'descending',
    removed: ReadonlySet<number>,
  ): AsyncGenerator<Message> {
    let pageSize = FIRST_PAGE;
    for (let part = { from, to }; part.from <= part.to; pageSize = Math.min(2 * pageSize, LONGEST_PAGE)) {
      const page = await read(room, part, order, pageSize);
      for (const message of page)
        if (message.deleted === undefined && !removed.has(message.serverOffset)) yield message;
      if (page.length < pageSize) return;
      const { serverOffset } = page.at(-1)!;
      part = order === 'ascending' ? { from: serverOffset + 1, to } : { from, to: serverOffset - 1 };
    }
  }

  async function read(
    room: string,
    { from, to }: Part,
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
