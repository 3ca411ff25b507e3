/**
 * Where the messages of a room are, by the index of kinds: the table of kinds says which kinds are messages. One that was
 * removed does not count, also where its redaction is not done yet.
 */
import type { Filter } from 'mongodb';
import { kinds, ruleOf } from '../../../shared/kinds.ts';
import type { LogStore } from '../port.ts';
import type { EntryDocument } from './append/commands.ts';
import type { Collections } from './schema.ts';

type Message = Pick<EntryDocument, 'serverOffset' | 'author'>;

/** A part of the log is looked at first, this long for each message that is wanted: not every planner stops at a limit. */
const OFFSETS_PER_MESSAGE = 4;

export function messagesOn({
  entriesOf,
}: Pick<Collections, 'entriesOf'>): Pick<LogStore, 'messageAt' | 'unread'> {
  return {
    async messageAt(room, upTo, count) {
      const removed = await removedIn(room);
      const newest = async (after: number) => {
        const found = await read(room, { $gt: after, $lte: upTo }, -1, count + removed.size);
        return found.filter(({ serverOffset }) => !removed.has(serverOffset)).slice(0, count);
      };
      const near = upTo - OFFSETS_PER_MESSAGE * count;
      const found = await newest(Math.max(near, 0));
      return (found.length < count && near > 0 ? await newest(0) : found).at(-1)?.serverOffset;
    },

    async unread(room, user, after, most) {
      const removed = await removedIn(room);
      const limit = most + removed.size;
      let count = 0;
      for (let from = after; ; ) {
        const found = await read(room, { $gt: from }, 1, limit);
        count += found.filter(
          ({ serverOffset, author }) => author !== user && !removed.has(serverOffset),
        ).length;
        if (count >= most || found.length < limit) return Math.min(count, most);
        from = found.at(-1)!.serverOffset;
      }
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

  /** In the order of their serverOffsets, ascending or descending. */
  async function read(
    room: string,
    serverOffset: { $gt: number; $lte?: number },
    direction: 1 | -1,
    limit: number,
  ): Promise<Message[]> {
    const messageKinds = [...kinds()].flatMap(([kind, { message }]) => (message ? kind : []));
    const found = await Promise.all(
      messageKinds.map((kind) =>
        entriesOf(room)
          .find({ room, kind, ...LIVES, serverOffset })
          .project<Message>({ _id: 0, serverOffset: 1, author: 1 })
          .sort({ serverOffset: direction })
          .limit(limit)
          .toArray(),
      ),
    );
    return found
      .flat()
      .sort((one, other) => direction * (one.serverOffset - other.serverOffset))
      .slice(0, limit);
  }
}

/** As a point in the index. */
const LIVES = { deleted: null } as unknown as Filter<EntryDocument>;
