/** One device with its outbox: one append in flight, always beginning with the oldest unsettled item (L5). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppendResult, NewEntry } from '../../../../server/store/port.ts';
import { item, newId } from '../../../contract/support.ts';
import type { Random } from '../../../support/random.ts';
import type { LogRecord } from '../record.ts';
import type { WriterProcess } from './process.ts';

export interface Author {
  readonly id: string;
  /** Keys by room, in the order of queueing. */
  said(): { author: string; room: string; keys: readonly string[] }[];
  counts: { acknowledged: number; repeated: number; refused: number; unanswered: number };
  /** Queues nothing more, and resolves when all items are settled and all requests are answered. */
  finish(): Promise<void>;
}

interface Setting {
  writers: readonly WriterProcess[];
  /** The rooms; the first one is contended. */
  rooms: readonly string[];
  random: Random;
  record: LogRecord;
}

/** A queued item, and the only correct answer to it. */
interface Queued {
  item: NewEntry;
  expects: 'place' | 'conflict';
}

/** The client's timeout: it repeats the request, perhaps at another server, while the first may still be writing. */
const PATIENCE_MS = 3_000;
const BATCH_AT_MOST = 12;

export function startAuthor({ writers, rooms, random, record }: Setting): Author {
  const id = newId();
  const queue: Queued[] = [];
  const said = new Map(rooms.map((room) => [room, [] as NewEntry[]]));
  const counts = { acknowledged: 0, repeated: 0, refused: 0, unanswered: 0 };
  const underWay = new Set<Promise<number>>();
  /** The clock of the process: correct, a minute behind, or never set. */
  const clock = random.pick([() => Date.now(), () => Date.now() - 60_000, () => 0]);
  let writer = random.pick(writers);
  let going = true;

  const compose = (): Queued => {
    const room = random.next() < 0.85 ? rooms[0]! : random.pick(rooms);
    const mine = said.get(room)!;
    const texts = mine.filter(({ kind }) => kind === 'text');
    const kind = random.next();
    if (kind < 0.1 && mine.length > 0) return { item: random.pick(mine), expects: 'place' };
    if (kind < 0.13 && mine.length > 0)
      return { item: { ...random.pick(mine), digest: newId() }, expects: 'conflict' };
    const fresh = { room, author: id, clientOffset: newId() };
    const body = `${mine.length} of ${id}`;
    const target = texts.length > 0 ? random.pick(texts).clientOffset : undefined;
    const content =
      target === undefined || kind < 0.8
        ? ({ kind: 'text', body } as const)
        : kind < 0.94
          ? ({ kind: 'edit', target, body } as const)
          : ({ kind: 'delete', target } as const);
    const composed = item(fresh, content);
    mine.push(composed);
    return { item: composed, expects: 'place' };
  };

  const judge = ({ item: { room, clientOffset }, expects }: Queued, result: AppendResult, by: string) => {
    if (result.tag === 'repeat') counts.repeated++;
    if (expects === 'conflict' && result.tag === 'conflict') return;
    if (expects === 'place' && (result.tag === 'appended' || result.tag === 'repeat'))
      return record.tell({ room, author: id, clientOffset, ...result }, by);
    record.violate(`L3 ${by} answered ${result.tag} where ${expects} is right, for ${clientOffset} of ${id}`);
  };

  /** The number of settled items of the batch. A late answer is checked too. */
  const attempt = async (batch: Queued[], by: WriterProcess): Promise<number> => {
    const asked = by.ask(
      'append',
      batch.map((queued) => queued.item),
      clock(),
    );
    const judged = asked.then((outcome) => {
      underWay.delete(judged);
      if (outcome?.stopped) counts.refused++;
      const results = outcome?.results ?? [];
      for (const [index, result] of results.entries()) judge(batch[index]!, result, by.name);
      return results.length;
    });
    underWay.add(judged);
    const settled = await Promise.race([judged, sleep(PATIENCE_MS, 'unanswered' as const)]);
    if (settled === 'unanswered') counts.unanswered++;
    return settled === 'unanswered' ? 0 : settled;
  };

  const drain = async () => {
    while (going || queue.length > 0) {
      while (going && queue.length < BATCH_AT_MOST) queue.push(compose());
      const batch = queue.slice(0, random.int(1, BATCH_AT_MOST));
      // Now and then by two processes at once, as behind a proxy that sends a request twice (L3).
      const by = random.next() < 0.08 ? [writer, random.pick(writers)] : [writer];
      const settled = Math.max(...(await Promise.all(by.map((one) => attempt(batch, one)))));
      queue.splice(0, settled);
      counts.acknowledged += settled;
      if (settled === batch.length) continue;
      writer = random.pick(writers);
      await sleep(random.int(5, 50));
    }
  };
  const drained = drain();

  return {
    id,
    said: () =>
      [...said].map(([room, items]) => ({
        author: id,
        room,
        keys: items.map(({ clientOffset }) => clientOffset),
      })),
    counts,
    finish: async () => {
      going = false;
      await drained;
      await Promise.all(underWay); // requests that timed out may still be answered
    },
  };
}
