/**
 * The only writer of entries. An item is checked, limited, batched and appended; the key comes first (L3): whatever
 * else would be wrong with an item, if its key is in the log it is a repeat and is answered as one. That look-up is made
 * only where something is wrong: an item that is right meets its key in `append` itself.
 */
import type { ItemResult, User, WireError } from '../../shared/protocol/index.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { isUnexpected, toWireError, wireError } from '../base/refusal.ts';
import type { Limiter } from '../limits/limiter.ts';
import { type Access, noSuchRoom } from '../rooms/access.ts';
import {
  type AppendResult,
  type EntryKey,
  type LogStore,
  type NewEntry,
  Unavailable,
} from '../store/port.ts';
import { type CheckedItem, checkItem, ownEntry } from './check.ts';
import { createLanes, laneOfRoom, oneLane } from './lanes.ts';
import { createWrite } from './write.ts';

export interface Ingest {
  /** A result per item, in order; fewer with `stopped` (L4: unknown is never acknowledged). Never rejects. */
  append(user: User, items: readonly unknown[]): Promise<{ results: ItemResult[]; stopped?: WireError }>;
  /**
   * An entry of a kind that the server alone writes, such as a join; `subject`: whom it is about, where that is not its
   * author. Rejects with `Unavailable`.
   */
  appendOwn(key: EntryKey, kind: string, subject?: string): Promise<AppendResult>;
  /** Is this key in the log, with this content? */
  known(key: EntryKey, kind: string, subject?: string): Promise<'new' | 'repeat' | 'conflict'>;
  /** From now on nothing is taken. */
  refuse(): void;
  /** Resolves when all that was taken is written, or is known not to be. */
  idle(): Promise<void>;
}

interface Deps {
  log: LogStore;
  /** False for a kind that this database does not take yet. */
  takes: (kind: string) => boolean;
  access: Access;
  limiter: Limiter;
  metrics: Metrics;
  logger: Pick<Logger, 'error'>;
  now: () => number;
}

export function createIngest({ log, takes, access, limiter, metrics, logger, now }: Deps): Ingest {
  const write = createWrite(log, now);
  const lanes = createLanes(
    (entries) => {
      metrics.batchEntries.observe(entries.length);
      return write(entries);
    },
    log.writesByRoom ? laneOfRoom : oneLane,
  );

  let refusing = false;
  const underWay = new Set<Promise<unknown>>();

  /** What was taken before the end is finished and answered, the checks before its write included. */
  function taken<T>(work: Promise<T>): Promise<T> {
    underWay.add(work);
    const over = () => void underWay.delete(work);
    work.then(over, over);
    return work;
  }

  /** What is wrong with it before the log is asked; undefined when nothing is. A token of the limit is taken with that. */
  async function objection(user: User, item: CheckedItem): Promise<WireError | undefined> {
    if (item.tag === 'bad') return item.error;
    if (!takes(item.entry.kind)) return NOT_YET;
    const refused = await access.refusalOf(item.entry.room, user.id);
    if (refused) return wireError(refused.code, refused.message);
    const retryAfter = limiter.take(user.id, 1);
    return retryAfter > 0
      ? wireError('rate-limited', 'That is a lot at once; the rest follows by itself.', retryAfter)
      : undefined;
  }

  async function originalsOf(
    user: User,
    items: readonly CheckedItem[],
    objections: readonly (WireError | undefined)[],
  ) {
    const asked = items.flatMap((item, i) => (objections[i] && keyOf(item, user.id) ? [i] : []));
    if (asked.length === 0) return new Map<number, ItemResult>();
    const originals = await log.find(asked.map((i) => keyOf(items[i]!, user.id)!));
    return new Map(
      asked.flatMap((i, j): [number, ItemResult][] => {
        const original = originals[j];
        if (!original) return [];
        const item = items[i]!;
        const same = item.tag === 'good' && item.entry.digest === original.digest;
        return [
          [
            i,
            same ? settled(item.entry.clientOffset, original) : failed(clientOffsetOf(item), OTHER_CONTENT),
          ],
        ];
      }),
    );
  }

  /** What nobody foresaw is answered as `internal`, and read about here. */
  function noted(error: unknown): WireError {
    if (isUnexpected(error)) logger.error({ err: error }, 'an append failed');
    return toWireError(error);
  }

  function resultOf(clientOffset: string, result: AppendResult): ItemResult {
    return result.tag === 'failed'
      ? failed(clientOffset, noted(new Error(result.message)))
      : toItemResult(clientOffset, result);
  }

  async function append(user: User, raw: readonly unknown[]): ReturnType<Ingest['append']> {
    const acknowledged = metrics.appendSeconds.startTimer();
    const items = raw.map((item) => checkItem(user.id, item));
    const objections: (WireError | undefined)[] = [];
    let appended = 0;
    try {
      for (const item of items) objections.push(await objection(user, item));
      const repeats = await originalsOf(user, items, objections);

      // Up to here nothing was written. What the limit holds back stops the request; the rest of it is not attempted.
      const limited = objections.findIndex((error, i) => error?.code === 'rate-limited' && !repeats.has(i));
      const end = limited === -1 ? items.length : limited;
      const attempted = [...Array(end).keys()].filter((i) => !objections[i]);
      const outcome = await lanes.append(attempted.map((i) => (items[i] as { entry: NewEntry }).entry));
      appended = outcome.results.filter((result) => result.tag === 'appended').length;

      const written = new Map(attempted.map((i, j) => [i, outcome.results[j]]));
      const results: ItemResult[] = [];
      for (let i = 0; i < end; i++) {
        const item = items[i]!;
        const objected = objections[i];
        const result = written.get(i);
        if (objected) results.push(repeats.get(i) ?? failed(clientOffsetOf(item), objected));
        else if (result) results.push(resultOf(clientOffsetOf(item), result));
        else break; // the fate of this one is unknown (L4)
      }
      const stopped = outcome.stopped ? toWireError(outcome.stopped) : objections[limited];
      return stopped ? { results, stopped } : { results };
    } catch (error) {
      return { results: [], stopped: noted(error) };
    } finally {
      // Only what is new counts against the limit: no repeat, and nothing that was not attempted.
      limiter.giveBack(user.id, objections.filter((error) => !error).length - appended);
      acknowledged();
    }
  }

  async function appendOwn(key: EntryKey, kind: string, subject?: string): Promise<AppendResult> {
    const outcome = await lanes.append([ownEntry(key, kind, subject)]);
    const [result] = outcome.results;
    if (!result)
      throw outcome.stopped ?? new Unavailable('It is not known whether this was done; try again.');
    return result;
  }

  return {
    append: async (user, items) =>
      refusing ? { results: [], stopped: toWireError(GOING_AWAY) } : taken(append(user, items)),

    async appendOwn(key, kind, subject) {
      if (refusing) throw GOING_AWAY;
      return taken(appendOwn(key, kind, subject));
    },

    async known(key, kind, subject) {
      const [original] = await log.find([key]);
      if (!original) return 'new';
      return original.digest === ownEntry(key, kind, subject).digest ? 'repeat' : 'conflict';
    },

    refuse() {
      refusing = true;
    },
    async idle() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}

const GOING_AWAY = new Unavailable('The server is going down; another one, or this one again, takes over.');
const OTHER_CONTENT = wireError('conflict', 'Another message was sent under this key.');
const NOT_YET = wireError(
  'invalid',
  'This server takes no item of that kind yet: older processes still use its database.',
);
const NO_TARGET = wireError('not-found', 'There is no message here by that key that this may change.');
const NO_ROOM = toWireError(noSuchRoom());

function toItemResult(clientOffset: string, result: Exclude<AppendResult, { tag: 'failed' }>): ItemResult {
  switch (result.tag) {
    case 'appended':
    case 'repeat':
      return settled(clientOffset, result);
    case 'conflict':
      return failed(clientOffset, OTHER_CONTENT);
    case 'no-target':
      return failed(clientOffset, NO_TARGET);
    case 'no-room':
      return failed(clientOffset, NO_ROOM);
  }
}

function settled(
  clientOffset: string,
  { serverOffset, at }: { serverOffset: number; at: number },
): ItemResult {
  return { clientOffset, serverOffset, at };
}

function failed(clientOffset: string, error: WireError): ItemResult {
  return { clientOffset, error };
}

function clientOffsetOf(item: CheckedItem): string {
  return item.tag === 'good' ? item.entry.clientOffset : item.clientOffset;
}

function keyOf(item: CheckedItem, author: string): EntryKey | undefined {
  if (item.tag === 'bad') return item.key;
  return { room: item.entry.room, author, clientOffset: item.entry.clientOffset };
}
