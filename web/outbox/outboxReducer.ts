/**
 * The state machine of the outbox: at most one append in flight, always from the oldest waiting row. Pure: drain.ts carries
 * out the effects. Rows are in the database; the state only says whether there may be some. A room whose items fail for now
 * is paused alone, and the other rooms go on.
 */
import { APPEND_MAX_ITEMS } from '../../shared/limits.ts';
import { assertNever } from '../../shared/never.ts';
import type { Acknowledgement, Item } from '../../shared/protocol/index.ts';
import {
  RETRY_AFTER_MAX_MS,
  RETRY_AFTER_MIN_MS,
  SEND_BYTES_PER_SECOND,
  SEND_TIMEOUT_MS,
} from '../records/pageLimits.ts';
import { backoff, jittered } from '../transport/backoff.ts';
import {
  type BatchLimits,
  batchBytesAfterAnswer,
  batchBytesAfterTimeout,
  type Failing,
  FIRST_BATCH_BYTES,
  judgeAnswer,
  type Next,
  ONE_ITEM,
  type Sent,
  unanswered,
  type Verdict,
} from './appendBatch.ts';

export interface Outbox {
  work: Work;
  /** The connection is established: the server sent its welcome. */
  isOnline: boolean;
  lock: 'none' | 'asked' | 'held';
  /** There may be waiting rows that the current work does not include. */
  hasMore: boolean;
  /** Consecutive transient failures. */
  failures: number;
  /** How many items are still sent one by one, to find the item because of which a whole request was refused. */
  single: number;
  /** The maximum size of the next append, in bytes. */
  batchBytes: number;
  /** The number of the last append. */
  attempt: number;
  /** Rooms with transient failures since their last success. */
  rooms: ReadonlyMap<string, FailingRoom>;
}

export interface FailingRoom {
  /** Consecutive. */
  failures: number;
  /** Items of other rooms succeeded meanwhile, so only this room fails. */
  alone: boolean;
  /** `last`: sent when nothing else is left. `paused`: until its timer. `due`: sent in its order. */
  state: 'last' | 'paused' | 'due';
}

export type Work =
  | { tag: 'idle' }
  /** A transaction marks the rows of the next batch as attempted. */
  | { tag: 'marking' }
  | { tag: 'sending'; attempt: number; sent: readonly Sent[]; bytes: number }
  /** The verdicts are being stored; `next` follows. */
  | { tag: 'storing'; next: Next }
  /** A pause before the next append. `serverDelay`: the server ordered it, and a new connection does not shorten it. */
  | { tag: 'paused'; serverDelay: boolean };

export type OutboxEvent =
  | { type: 'rows' }
  | { type: 'up' }
  | { type: 'down' }
  | { type: 'locked' }
  /** The lock was stolen. */
  | { type: 'lock-lost' }
  /** `isAll`: no other row waits. */
  | { type: 'marked'; items: Item[]; bytes: number; isAll?: boolean }
  /** Marked so long ago that another holder may have taken over since. */
  | { type: 'marked-late' }
  /** Nothing was marked: another holder has taken over, or the connection has ended. */
  | { type: 'not-marked' }
  | { type: 'answered'; attempt: number; sent: readonly Sent[]; answer: Acknowledgement<'append'> }
  | { type: 'timeout'; attempt: number }
  /** `isLeft`: a row of the answer may have to be sent again. */
  | { type: 'stored'; isLeft?: boolean }
  | { type: 'pause-over' }
  | { type: 'room-pause-over'; room: string }
  | { type: 'database-failed' };

export type OutboxEffect =
  | { type: 'lock' }
  | { type: 'unlock' }
  /** `without`: rooms whose rows are not sent now. */
  | { type: 'mark'; limits: BatchLimits; without: ReadonlySet<string> }
  /** Sends the marked items. A timeout counts as a failure; the answer may still arrive. */
  | { type: 'emit'; attempt: number; items: Item[]; bytes: number; timeoutMs: number }
  | { type: 'store'; verdicts: Verdict[] }
  /** The same without a `stored` event: a late answer, for which the current work does not wait. */
  | { type: 'store-late'; verdicts: Verdict[] }
  | { type: 'pause'; ms: number }
  | { type: 'pause-room'; room: string; ms: number }
  /** The connection may be dead. */
  | { type: 'suspect' }
  | { type: 'stopped'; why: 'auth' | 'upgrade' };

export type Reduction = [Outbox, OutboxEffect[]];

/** The initial state. There may be rows from before. */
export const FRESH: Outbox = {
  work: { tag: 'idle' },
  isOnline: false,
  lock: 'none',
  hasMore: true,
  failures: 0,
  single: 0,
  batchBytes: FIRST_BATCH_BYTES,
  attempt: 0,
  rooms: new Map(),
};

export function reduceOutbox(outbox: Outbox, event: OutboxEvent, random: () => number): Reduction {
  const { work } = outbox;
  switch (event.type) {
    case 'rows':
      return goOn({ ...outbox, hasMore: true });
    case 'up': {
      const up = { ...outbox, isOnline: true, hasMore: true, rooms: new Map() };
      return goOn(work.tag === 'paused' && !work.serverDelay ? { ...up, work: { tag: 'idle' } } : up);
    }
    case 'down':
      return down(outbox);
    case 'locked':
      return goOn({ ...outbox, lock: 'held' });
    case 'lock-lost': // ignored if it is not held: known already, or requested again
      return outbox.lock === 'held' ? lockLost({ ...outbox, lock: 'none', hasMore: true }) : [outbox, []];
    case 'marked':
      return work.tag === 'marking' ? marked(outbox, event) : [outbox, []];
    case 'marked-late':
      return work.tag === 'marking'
        ? goOn({ ...outbox, hasMore: true, work: { tag: 'idle' } })
        : [outbox, []];
    case 'not-marked':
      if (work.tag !== 'marking') return [outbox, []];
      return and(unlocked({ ...outbox, hasMore: true, work: { tag: 'idle' } }), goOn);
    case 'answered':
      return answered(outbox, event, random);
    case 'timeout':
      if (work.tag !== 'sending' || work.attempt !== event.attempt) return [outbox, []];
      return also(store(failed(halved(outbox)), unanswered(work.sent), { tag: 'pause', ms: undefined }), {
        type: 'suspect',
      });
    case 'stored':
      if (work.tag !== 'storing') return [outbox, []];
      return stored({ ...outbox, hasMore: outbox.hasMore || event.isLeft === true }, work.next, random);
    case 'pause-over':
      return work.tag === 'paused' ? goOn({ ...outbox, work: { tag: 'idle' } }) : [outbox, []];
    case 'room-pause-over': {
      const failing = outbox.rooms.get(event.room);
      if (failing?.state !== 'paused') return [outbox, []];
      return goOn({
        ...outbox,
        hasMore: true,
        rooms: new Map(outbox.rooms).set(event.room, { ...failing, state: 'due' }),
      });
    }
    case 'database-failed': // rows that were marked are sent again under the same keys
      if (work.tag !== 'marking' && work.tag !== 'storing') return [outbox, []];
      return pause({ ...failed(outbox), hasMore: true }, undefined, random);
    default:
      return assertNever(event);
  }
}

/** A retry of at least one room is scheduled. */
export function isAnyRoomPaused({ rooms }: Outbox): boolean {
  return [...rooms.values()].some(({ state }) => state === 'paused');
}

/** From idle: starts the next work. The lock is held only while there is something to send and a connection. */
function goOn(outbox: Outbox): Reduction {
  if (outbox.work.tag !== 'idle') return [outbox, []];
  if (!outbox.isOnline || !outbox.hasMore) return unlocked(outbox);
  switch (outbox.lock) {
    case 'none':
      return [{ ...outbox, lock: 'asked' }, [{ type: 'lock' }]];
    case 'asked':
      return [outbox, []];
    case 'held': {
      const limits = outbox.single > 0 ? ONE_ITEM : { items: APPEND_MAX_ITEMS, bytes: outbox.batchBytes };
      const without = new Set(
        [...outbox.rooms].flatMap(([room, { state }]) => (state === 'due' ? [] : room)),
      );
      return [{ ...outbox, work: { tag: 'marking' }, hasMore: false }, [{ type: 'mark', limits, without }]];
    }
    default:
      return assertNever(outbox.lock);
  }
}

function marked(
  outbox: Outbox,
  { items, bytes, isAll }: Extract<OutboxEvent, { type: 'marked' }>,
): Reduction {
  if (items.length === 0) return noneLeft({ ...outbox, work: { tag: 'idle' }, single: 0 });
  // The connection or the lock was lost while the rows were being marked: not sent, but they stay attempted.
  if (!outbox.isOnline || outbox.lock !== 'held')
    return store({ ...outbox, hasMore: true }, items.map(putOff), { tag: 'on' });
  const attempt = outbox.attempt + 1;
  const timeoutMs = SEND_TIMEOUT_MS + (bytes / SEND_BYTES_PER_SECOND) * 1_000;
  const emit: OutboxEffect = { type: 'emit', attempt, items, bytes, timeoutMs };
  return [
    {
      ...outbox,
      attempt,
      hasMore: outbox.hasMore || !isAll,
      work: { tag: 'sending', attempt, sent: items, bytes },
    },
    [emit],
  ];
}

/** Everything else was sent: now the rooms that were left for last. */
function noneLeft(outbox: Outbox): Reduction {
  const last = [...outbox.rooms].filter(([, { state }]) => state === 'last');
  if (last.length === 0) return goOn(outbox);
  const due = last.map(([room, failing]): [string, FailingRoom] => [room, { ...failing, state: 'due' }]);
  return goOn({ ...outbox, hasMore: true, rooms: new Map([...outbox.rooms, ...due]) });
}

function answered(
  outbox: Outbox,
  { attempt, sent, answer }: Extract<OutboxEvent, { type: 'answered' }>,
  random: () => number,
): Reduction {
  const { work } = outbox;
  const judgement = judgeAnswer(sent, answer);
  const { verdicts } = judgement;
  const got = verdicts.filter((verdict) => verdict.type === 'acknowledged');
  if (work.tag !== 'sending' || work.attempt !== attempt) {
    // A late answer: its acknowledgements hold all the same; the other items are decided by the attempt that followed.
    return [outbox, got.length > 0 ? [{ type: 'store-late', verdicts: got }] : []];
  }
  const keys = new Set(got.map(({ clientOffset }) => clientOffset));
  const roomsWithAck = new Set(
    sent.flatMap(({ room, clientOffset }) => (keys.has(clientOffset) ? room : [])),
  );
  const { rooms, pauses, isAlone } = roomsAfter(outbox.rooms, roomsWithAck, judgement.failing, random);
  const next: Next = isAlone && judgement.next.tag === 'pause' ? { tag: 'on' } : judgement.next;
  const batchBytes = batchBytesAfterAnswer(outbox.batchBytes, work.bytes);
  const single = next.tag === 'single' ? sent.length : Math.max(0, outbox.single - 1);
  const counted = next.tag === 'pause' && got.length === 0 ? failed(outbox) : { ...outbox, failures: 0 };
  const [after, effects] = store({ ...counted, single, batchBytes, rooms }, verdicts, next);
  return [after, [...effects, ...pauses]];
}

/**
 * The failing rooms after an answer. `roomsWithAck`: rooms with an acknowledged item; they no longer fail. A failing room
 * is paused. If the server stopped at its item, the cause may be the server: the room is left for last until items of other
 * rooms have succeeded (`isAlone`: then the drain as a whole is not paused).
 */
function roomsAfter(
  before: ReadonlyMap<string, FailingRoom>,
  roomsWithAck: ReadonlySet<string>,
  failing: readonly Failing[],
  random: () => number,
): { rooms: ReadonlyMap<string, FailingRoom>; pauses: OutboxEffect[]; isAlone: boolean } {
  const rooms = new Map<string, FailingRoom>();
  for (const [room, known] of before)
    if (!roomsWithAck.has(room)) rooms.set(room, { ...known, alone: known.alone || roomsWithAck.size > 0 });
  const pauses: OutboxEffect[] = [];
  let isAlone = false;
  for (const { room, ms, stopped } of failing) {
    const others = [...roomsWithAck].some((each) => each !== room);
    const { failures = 0, alone = others } = rooms.get(room) ?? {};
    const isPaused = !stopped || alone;
    isAlone ||= stopped && alone;
    rooms.set(room, { failures: failures + 1, alone, state: isPaused ? 'paused' : 'last' });
    if (isPaused) pauses.push({ type: 'pause-room', room, ms: pauseMs(ms, failures, random) });
  }
  return { rooms, pauses, isAlone };
}

/** Releases the lock in the same turn of the event loop: in the next the page may be frozen, with the lock. */
function down(outbox: Outbox): Reduction {
  const { work } = outbox;
  const without: Outbox = { ...outbox, isOnline: false, hasMore: true };
  if (work.tag === 'sending')
    return and(unlocked(halved(without)), (after) => store(after, unanswered(work.sent), { tag: 'on' }));
  return unlocked(
    work.tag === 'paused' && !work.serverDelay ? { ...without, work: { tag: 'idle' } } : without,
  );
}

/**
 * Marking, storing and a pause continue. Items in flight count as unanswered; the fencing token allows storing that only if
 * no other holder has begun to send. Their answer, if it arrives, is handled as a late one.
 */
function lockLost(outbox: Outbox): Reduction {
  const { work } = outbox;
  return work.tag === 'sending' ? store(outbox, unanswered(work.sent), { tag: 'on' }) : goOn(outbox);
}

function store(outbox: Outbox, verdicts: Verdict[], next: Next): Reduction {
  return [{ ...outbox, work: { tag: 'storing', next } }, [{ type: 'store', verdicts }]];
}

function stored(outbox: Outbox, next: Next, random: () => number): Reduction {
  switch (next.tag) {
    case 'on':
    case 'single':
      return goOn({ ...outbox, work: { tag: 'idle' } });
    case 'pause':
      return pause(outbox, next.ms, random);
    case 'stop': // until the next connection, with a session or an app version that the server accepts
      return also(goOn({ ...outbox, isOnline: false, work: { tag: 'idle' } }), {
        type: 'stopped',
        why: next.why,
      });
    default:
      return assertNever(next);
  }
}

/**
 * A pause that the server ordered (a rate limit) is for the user, so the lock stays held. Any other pause releases it, for a
 * tab whose connection or database may work better.
 */
function pause(outbox: Outbox, serverDelayMs: number | undefined, random: () => number): Reduction {
  const paused: Outbox = { ...outbox, work: { tag: 'paused', serverDelay: serverDelayMs !== undefined } };
  const ms = pauseMs(serverDelayMs, Math.max(0, outbox.failures - 1), random);
  return also(serverDelayMs === undefined ? unlocked(paused) : [paused, []], { type: 'pause', ms });
}

function pauseMs(serverDelayMs: number | undefined, failures: number, random: () => number): number {
  if (serverDelayMs === undefined) return backoff(failures, random);
  return Math.min(RETRY_AFTER_MAX_MS, jittered(Math.max(RETRY_AFTER_MIN_MS, serverDelayMs), random));
}

function unlocked(outbox: Outbox): Reduction {
  return outbox.lock === 'held' ? [{ ...outbox, lock: 'none' }, [{ type: 'unlock' }]] : [outbox, []];
}

function halved(outbox: Outbox): Outbox {
  return { ...outbox, batchBytes: batchBytesAfterTimeout(outbox.batchBytes) };
}

function failed(outbox: Outbox): Outbox {
  return { ...outbox, failures: outbox.failures + 1 };
}

function and([outbox, effects]: Reduction, then: (outbox: Outbox) => Reduction): Reduction {
  const [after, more] = then(outbox);
  return [after, [...effects, ...more]];
}

function also([outbox, effects]: Reduction, effect: OutboxEffect): Reduction {
  return [outbox, [...effects, effect]];
}

function putOff({ clientOffset }: Sent): Verdict {
  return { clientOffset, type: 'put-off' };
}
