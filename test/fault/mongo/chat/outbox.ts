/** The items of one user that the server has not acknowledged yet. */
import type { Acknowledgement, Item } from '../../../../shared/protocol/index.ts';
import { newId, type SignedUp } from '../../../support/api.ts';
import type { Random } from '../../../support/random.ts';
import type { LogRecord } from '../record.ts';

export interface Outbox {
  /** Sends the oldest items, and removes those that are settled. */
  attempt(
    send: (payload: { as: string; items: Item[] }) => Promise<Acknowledgement<'append'>>,
  ): Promise<Outcome>;
  acknowledged(): number;
  waiting(): number;
  /** Queues nothing new from now on. */
  sayNoMore(): void;
  /** Keys by room, in the order of queueing. */
  said(): { author: string; room: string; keys: readonly string[] }[];
}

export type Outcome = 'all' | 'some' | 'unanswered';

interface Setting {
  session: SignedUp;
  rooms: readonly string[];
  random: Random;
  record: LogRecord;
}

const BATCH_AT_MOST = 5;

export function createOutbox({ session, rooms, random, record }: Setting): Outbox {
  const author = session.user.id;
  const queue: Item[] = [];
  const said = new Map<string, Item[]>(rooms.map((room) => [room, []]));
  let acknowledged = 0;
  let speaking = true;

  const say = () => {
    const room = random.pick(rooms);
    const mine = said.get(room)!;
    const texts = mine.filter(({ kind }) => kind === 'text');
    const target = texts.length > 0 ? random.pick(texts).clientOffset : undefined;
    const common = { room, clientOffset: newId() };
    const body = `${session.user.name} says ${mine.length}`;
    const kind = target === undefined ? 0 : random.next();
    const item: Item =
      kind < 0.85
        ? { ...common, kind: 'text', body }
        : kind < 0.95
          ? { ...common, kind: 'edit', target: target!, body }
          : { ...common, kind: 'delete', target: target! };
    mine.push(item);
    queue.push(item);
  };

  return {
    async attempt(send) {
      for (let more = random.int(1, BATCH_AT_MOST); speaking && queue.length < more; ) say();
      const items = queue.slice(0, BATCH_AT_MOST);
      if (items.length === 0) return 'all';
      const answer = await send({ as: author, items }).catch(() => undefined);
      if (answer === undefined) return 'unanswered';
      if (!answer.ok) {
        if (answer.error.code !== 'unavailable') record.violate(`append was ${answer.error.code}`);
        return 'some';
      }
      for (const [index, result] of answer.results.entries()) {
        const { room, clientOffset } = items[index]!;
        if ('error' in result) record.violate(`L4 ${clientOffset} was refused: ${result.error.code}`);
        else record.tell({ room, author, ...result }, `the acknowledgement to ${session.user.name}`);
      }
      queue.splice(0, answer.results.length);
      acknowledged += answer.results.length;
      return answer.results.length === items.length ? 'all' : 'some';
    },
    acknowledged: () => acknowledged,
    waiting: () => queue.length,
    sayNoMore: () => {
      speaking = false;
    },
    said: () =>
      [...said].map(([room, items]) => ({
        author,
        room,
        keys: items.map(({ clientOffset }) => clientOffset),
      })),
  };
}
