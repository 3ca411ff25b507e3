/**
 * The only writer of entries: items are validated, rate-limited, batched and appended to the log. Idempotent by key (L3):
 * an item whose key is in the log is answered as a repeat, whatever else is wrong with it. The key is looked up here only
 * for items that fail a check; for valid items the store finds duplicates during the append.
 */

import { makesRoom, ruleOf } from '../../shared/kinds.ts';
import { ACKNOWLEDGE_WITHIN_MS, APPEND_MAX_BYTES, APPEND_MAX_ITEMS } from '../../shared/limits.ts';
import type {
  Answer,
  ItemResult,
  RefusalReason,
  Request,
  RoomRole,
  User,
  WireError,
} from '../../shared/protocol/index.ts';
import type { OnLimit } from '../base/audit.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { isUnexpected, RefusedError, toWireError, Unavailable, wireError } from '../base/refusal.ts';
import type { KeyedQueue } from '../limits/keyedQueue.ts';
import type { Limiter } from '../limits/limiter.ts';
import type { Payer } from '../limits/workMeter.ts';
import { type Access, noSuchRoom } from '../rooms/access.ts';
import { type Announcements, saysSomething } from '../rooms/announcements.ts';
import type { DirectRequest, DirectRooms } from '../rooms/directRooms.ts';
import type { RoomLimits } from '../rooms/roomLimits.ts';
import type { AppendResult, EntryKey, LogStore, NewEntry, OwnFields } from '../store/port.ts';
import { jsonBytes, mentionedBy } from '../store/storedEntries.ts';
import { createBatchWrite, createLanes, laneOfRoom, oneLane } from './batcher.ts';
import { type CheckedItem, checkItem, ownEntry } from './checkItem.ts';

export interface Ingest {
  /**
   * One result per item, in order; fewer with `stopped` (L4: an unknown fate is never acknowledged). Never rejects.
   * `address`: the key of the client's address, which has a limit of its own for new rooms.
   */
  append(user: User, items: readonly unknown[], address: string): Promise<Appended>;
  /**
   * Appends an entry of a kind that only the server writes, such as a join. Rejects with `Unavailable`.
   */
  appendOwn(key: EntryKey, kind: string, fields?: OwnFields): Promise<AppendResult>;
  /** Looks the key up: not in the log, in the log with this content (or one of these), or with other content. */
  lookUp(key: EntryKey, kind: string, ...fields: OwnFields[]): Promise<'new' | 'repeat' | 'conflict'>;
  /** For shutdown: from now on every request is refused. */
  refuse(): void;
  /** Resolves when all accepted requests are answered. */
  idle(): Promise<void>;
}

interface Appended {
  results: ItemResult[];
  stopped?: WireError;
}

interface Deps {
  log: LogStore;
  /** False for what this database does not accept yet, because older processes still use it. */
  accepts: (entry: NewEntry) => boolean;
  access: Access;
  /** What this user may do in the room. */
  rankOf: (user: string, room: string) => Promise<RoomRole>;
  announcements: Pick<Announcements, 'isFor'>;
  direct: DirectRooms;
  creations: Pick<RoomLimits, 'checkCreation'>;
  /** By user: one new room at a time, since those of the last day are counted before it is written. */
  inTurn: KeyedQueue;
  limiter: Limiter;
  onLimit: OnLimit;
  metrics: Metrics;
  logger: Pick<Logger, 'error'>;
  now: () => number;
}

export function createIngest(deps: Deps): Ingest {
  const { log, accepts, access, rankOf, announcements, direct, creations, inTurn, limiter, onLimit } = deps;
  const { metrics, logger, now } = deps;
  const write = createBatchWrite(log, now);
  const lanes = createLanes(
    (entries) => {
      metrics.batchEntries.observe(entries.length);
      return write(entries);
    },
    log.writesByRoom ? laneOfRoom : oneLane,
  );

  let refusing = false;
  const inFlight = new Set<Promise<unknown>>();

  /** Registers a request, from its checks to its answer, so that a shutdown waits for it. */
  function tracked<T>(work: Promise<T>): Promise<T> {
    inFlight.add(work);
    const done = () => void inFlight.delete(work);
    work.then(done, done);
    return work;
  }

  /** Why the item is refused without asking the log. If it is not, takes one token of the rate limit and returns undefined. */
  async function refusalOf(
    user: User,
    item: CheckedItem,
    requested: DirectRequest,
    address: string,
  ): Promise<WireError | undefined> {
    if (item.tag === 'bad') return item.error;
    if (!accepts(item.entry)) return NOT_YET;
    const refused = creates(item)
      ? await refusalOfCreation(user, item.entry, address)
      : ((await access.refusalOf(item.entry.room, user.id)) ?? (await requested.refusalOf(item.entry)));
    if (refused) return toWireError(refused);
    const { role } = ruleOf(item.entry.kind) ?? {};
    if (role !== undefined && (await rankOf(user.id, item.entry.room)) === 'member') return ROLE_NEEDED;
    if (
      saysSomething(item.entry.kind) &&
      (await announcements.isFor(item.entry.room)) &&
      (await rankOf(user.id, item.entry.room)) === 'member'
    )
      return ANNOUNCEMENTS_ONLY;
    for (const mentioned of mentionedBy(item.entry))
      if (!(await access.isMember(item.entry.room, mentioned))) return STRANGER;
    const retryAfter = limiter.take(user.id, 1);
    if (retryAfter === 0) return undefined;
    onLimit('items', { user: user.id });
    return wireError(
      'rate-limited',
      'Too many messages at once; the rest is sent automatically.',
      retryAfter,
    );
  }

  /** A repeat is not counted. `rate-limited` would hold up the user's other items: it becomes `unavailable`, of this item alone. */
  async function refusalOfCreation(
    user: User,
    entry: NewEntry,
    address: string,
  ): Promise<RefusedError | undefined> {
    if ((await log.find([entry]))[0]) return undefined;
    try {
      await creations.checkCreation(user.id, address);
      return undefined;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      return error.code === 'rate-limited'
        ? new RefusedError('unavailable', error.message, error.retryAfter)
        : error;
    }
  }

  /** The results of refused items whose keys are in the log after all (L3), by the index of the item. */
  async function repeatsOf(
    user: User,
    items: readonly CheckedItem[],
    refusals: readonly (WireError | undefined)[],
  ) {
    const indexes = items.flatMap((item, i) => (refusals[i] && keyOf(item, user.id) ? [i] : []));
    if (indexes.length === 0) return new Map<number, ItemResult>();
    const originals = await log.find(indexes.map((i) => keyOf(items[i]!, user.id)!));
    return new Map(
      indexes.flatMap((i, j): [number, ItemResult][] => {
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

  /** Logs an unexpected error; clients only see `internal`. */
  function logged(error: unknown): WireError {
    if (isUnexpected(error)) logger.error({ err: error }, 'append failed');
    return toWireError(error);
  }

  function resultOf(clientOffset: string, result: AppendResult): ItemResult {
    return result.tag === 'failed'
      ? failed(clientOffset, logged(new Error(result.message)))
      : toItemResult(clientOffset, result);
  }

  /** Part by part: whether the user is in a new room is known only once that is made. */
  async function append(user: User, raw: readonly unknown[], address: string): Promise<Appended> {
    const until = performance.now() + ACKNOWLEDGE_WITHIN_MS;
    const stopTimer = metrics.appendSeconds.startTimer();
    const results: ItemResult[] = [];
    try {
      for (const part of partsOf(raw.map((item) => checkItem(user.id, item)))) {
        const write = () => appendPart(user, part, until, address);
        const outcome = await (creates(part[0]!) ? inTurn(user.id, write) : write());
        results.push(...outcome.results);
        if (outcome.stopped) return { results, stopped: outcome.stopped };
        if (outcome.results.length < part.length) break;
      }
      return { results };
    } catch (error) {
      return { results, stopped: logged(error) };
    } finally {
      stopTimer();
    }
  }

  async function appendPart(
    user: User,
    items: readonly CheckedItem[],
    until: number,
    address: string,
  ): Promise<Appended> {
    const refusals: (WireError | undefined)[] = [];
    const requested = direct.forRequest(user.id);
    let appended = 0;
    try {
      for (const item of items) refusals.push(await refusalOf(user, item, requested, address));
      const repeats = await repeatsOf(user, items, refusals);

      // Nothing is written yet. The first item beyond the rate limit stops the request: it and the rest are not attempted.
      const limited = refusals.findIndex((error, i) => error?.code === 'rate-limited' && !repeats.has(i));
      const end = limited === -1 ? items.length : limited;
      const attempted = [...Array(end).keys()].filter((i) => !refusals[i]);
      const entries = attempted.map((i) => (items[i] as { entry: NewEntry }).entry);
      await requested.begin(entries.map(({ room }) => room));
      const outcome = await lanes.append(entries, until);
      appended = outcome.results.filter((result) => result.tag === 'appended').length;

      const written = new Map(attempted.map((i, j) => [i, outcome.results[j]]));
      const results: ItemResult[] = [];
      for (let i = 0; i < end; i++) {
        const item = items[i]!;
        const refusal = refusals[i];
        const result = written.get(i);
        if (refusal) results.push(repeats.get(i) ?? failed(clientOffsetOf(item), refusal));
        else if (result) results.push(resultOf(clientOffsetOf(item), result));
        else break; // the fate of this item is unknown (L4)
      }
      const stopped = outcome.stopped ? toWireError(outcome.stopped) : refusals[limited];
      return stopped ? { results, stopped } : { results };
    } catch (error) {
      return { results: [], stopped: logged(error) };
    } finally {
      // Only new entries count against the limit: refund the tokens of repeats and of items that were not attempted.
      limiter.giveBack(user.id, refusals.filter((error) => !error).length - appended);
    }
  }

  async function appendOwn(key: EntryKey, kind: string, fields?: OwnFields): Promise<AppendResult> {
    const outcome = await lanes.append([ownEntry(key, kind, fields)]);
    const [result] = outcome.results;
    if (!result)
      throw outcome.stopped ?? new Unavailable('It is unknown whether this was written; try again.');
    return result;
  }

  return {
    append: async (user, items, address) =>
      refusing ? { results: [], stopped: toWireError(SHUTTING_DOWN) } : tracked(append(user, items, address)),

    async appendOwn(key, kind, fields) {
      if (refusing) throw SHUTTING_DOWN;
      return tracked(appendOwn(key, kind, fields));
    },

    async lookUp(key, kind, ...fields) {
      const [original] = await log.find([key]);
      if (!original) return 'new';
      const same = (fields.length > 0 ? fields : [{}]).some(
        (its) => original.digest === ownEntry(key, kind, its).digest,
      );
      return same ? 'repeat' : 'conflict';
    },

    refuse() {
      refusing = true;
    },
    async idle() {
      while (inFlight.size > 0) await Promise.allSettled(inFlight);
    },
  };
}

/** The handler of the request `append`: checks its size, then appends. A result per item; throws if the request as a whole is refused. */
export function createAppendHandler(ingest: Ingest) {
  return async (
    user: User,
    { as, items }: Request<'append'>,
    _transport: unknown,
    { address }: Pick<Payer, 'address'>,
  ): Promise<Omit<Answer<'append'>, 'ok' | 'epoch'>> => {
    if (as !== user.id)
      throw new RefusedError(
        'unauthorized',
        'These items belong to another user than the one who is signed in.',
      );
    if (items.length === 0) throw new RefusedError('invalid', 'The request has no items.');
    if (items.length > APPEND_MAX_ITEMS) {
      throw new RefusedError(
        'too-large',
        `The request has ${items.length} items; the limit is ${APPEND_MAX_ITEMS}.`,
      );
    }
    const bytes = jsonBytes(items);
    if (bytes > APPEND_MAX_BYTES) {
      throw new RefusedError('too-large', `The items have ${bytes} bytes; the limit is ${APPEND_MAX_BYTES}.`);
    }
    return ingest.append(user, items, address);
  };
}

const SHUTTING_DOWN = new Unavailable('The server is shutting down; try again in a moment.');
const OTHER_CONTENT = wireError('conflict', 'Another message was sent under this key.');
const ROLE_NEEDED: WireError = {
  ...wireError('forbidden', 'Your role in this room does not allow that.'),
  reason: 'role-needed' satisfies RefusalReason,
};
const ANNOUNCEMENTS_ONLY: WireError = {
  ...wireError('forbidden', 'Only owners and moderators write in this room.'),
  reason: 'announcements-only' satisfies RefusalReason,
};
const NOT_YET = wireError(
  'invalid',
  'This server does not accept items of this kind yet: older processes still use its database.',
);
const STRANGER = {
  ...wireError('invalid', 'It mentions somebody who is not in this room.'),
  reason: 'mention-of-stranger' satisfies RefusalReason,
};
const NO_TARGET = wireError('not-found', 'There is no message with this key that you may change.');
const ROOM_EXISTS = wireError('conflict', 'There is another room with this id.');
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
    case 'room-exists':
      return failed(clientOffset, ROOM_EXISTS);
    case 'no-room':
      return failed(clientOffset, NO_ROOM);
    case 'outdated': // only of entries with a roleSeq, which are no items
      return failed(clientOffset, toWireError(new Unavailable('Something else was first; try again.')));
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

/** It makes its room. */
function creates(item: CheckedItem): boolean {
  return item.tag === 'good' && makesRoom(item.entry.kind);
}

/** Each item that makes a room is a part of its own. */
function partsOf(items: readonly CheckedItem[]): CheckedItem[][] {
  const parts: CheckedItem[][] = [];
  for (const item of items) {
    const last = parts.at(-1);
    if (!last || creates(item) || creates(last[0]!)) parts.push([item]);
    else last.push(item);
  }
  return parts;
}
