/**
 * What the outbox does next: one append under way, always from the oldest row that waits. Pure: drain.ts carries the
 * effects out. The rows themselves are in the database; this knows only whether there may be some. A room that fails for
 * now rests by itself, and the others go on.
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
import { type Limits, ONE_ITEM } from './batch.ts';
import { afterAnswer, afterSilence, FIRST_BATCH_BYTES } from './batchSize.ts';
import { type Failing, judge, type Next, type Sent, unanswered, type Verdict } from './verdicts.ts';

export interface Outbox {
  work: Work;
  /** A live connection, over which the server said welcome. */
  way: boolean;
  lock: 'none' | 'asked' | 'held';
  /** Rows may wait that the present work does not know of. */
  more: boolean;
  /** Transient failures in a row. */
  failures: number;
  /** So many items go alone, to find the one for which a whole request was refused. */
  single: number;
  /** So much the next append may carry. */
  batchBytes: number;
  /** Number of the last append. */
  attempt: number;
  /** Rooms whose items failed for now, since they last went through. */
  rooms: ReadonlyMap<string, FailingRoom>;
}

export interface FailingRoom {
  /** In a row. */
  failures: number;
  /** Items of other rooms went through since: it is this one alone. */
  alone: boolean;
  /** `last`: it goes when nothing else is left. `resting`: until its time is over. `due`: it goes in its place. */
  state: 'last' | 'resting' | 'due';
}

export type Work =
  | { tag: 'idle' }
  /** A transaction marks the rows of the next batch as attempted. */
  | { tag: 'marking' }
  | { tag: 'sending'; attempt: number; sent: readonly Sent[]; bytes: number }
  /** What the answer said is being stored; then it goes on so. */
  | { tag: 'storing'; next: Next }
  /** `told`: the server said how long, and a new connection does not shorten it. */
  | { tag: 'resting'; told: boolean };

export type OutboxEvent =
  | { type: 'rows' }
  | { type: 'up' }
  | { type: 'down' }
  | { type: 'locked' }
  /** It was stolen. */
  | { type: 'lock-lost' }
  | { type: 'marked'; items: Item[]; bytes: number }
  /** Marked so long ago that somebody else may have taken over since. */
  | { type: 'marked-late' }
  /** Nothing was marked: somebody else has taken over. */
  | { type: 'not-mine' }
  | { type: 'answered'; attempt: number; sent: readonly Sent[]; answer: Acknowledgement<'append'> }
  | { type: 'timeout'; attempt: number }
  | { type: 'stored' }
  | { type: 'rested' }
  | { type: 'room-rested'; room: string }
  | { type: 'database-failed' };

export type OutboxEffect =
  | { type: 'lock' }
  | { type: 'unlock' }
  /** All but these rooms. */
  | { type: 'mark'; limits: Limits; without: ReadonlySet<string> }
  /** Writes to the network what was marked; nothing after `timeoutMs` is a failure of its own, the answer may still come. */
  | { type: 'emit'; attempt: number; items: Item[]; bytes: number; timeoutMs: number }
  | { type: 'store'; verdicts: Verdict[] }
  /** The same without an event afterwards: a late answer that the present work does not wait for. */
  | { type: 'store-late'; verdicts: Verdict[] }
  | { type: 'rest'; ms: number }
  | { type: 'rest-room'; room: string; ms: number }
  /** The connection may be dead. */
  | { type: 'suspect' }
  | { type: 'stopped'; why: 'auth' | 'upgrade' };

export type Stepped = [Outbox, OutboxEffect[]];

/** At start there may always be rows of an earlier life. */
export const FRESH: Outbox = {
  work: { tag: 'idle' },
  way: false,
  lock: 'none',
  more: true,
  failures: 0,
  single: 0,
  batchBytes: FIRST_BATCH_BYTES,
  attempt: 0,
  rooms: new Map(),
};

export function step(outbox: Outbox, event: OutboxEvent, random: () => number): Stepped {
  const { work } = outbox;
  switch (event.type) {
    case 'rows':
      return goOn({ ...outbox, more: true });
    case 'up': {
      const up = { ...outbox, way: true, more: true, rooms: new Map() };
      return goOn(work.tag === 'resting' && !work.told ? { ...up, work: { tag: 'idle' } } : up);
    }
    case 'down':
      return down(outbox);
    case 'locked':
      return goOn({ ...outbox, lock: 'held' });
    case 'lock-lost': // known already, or it is asked for anew, where it is not held
      return outbox.lock === 'held' ? lockLost({ ...outbox, lock: 'none', more: true }) : [outbox, []];
    case 'marked':
      return work.tag === 'marking' ? marked(outbox, event.items, event.bytes) : [outbox, []];
    case 'marked-late':
      return work.tag === 'marking' ? goOn({ ...outbox, more: true, work: { tag: 'idle' } }) : [outbox, []];
    case 'not-mine':
      if (work.tag !== 'marking') return [outbox, []];
      return and(unlocked({ ...outbox, more: true, work: { tag: 'idle' } }), goOn);
    case 'answered':
      return answered(outbox, event, random);
    case 'timeout':
      if (work.tag !== 'sending' || work.attempt !== event.attempt) return [outbox, []];
      return also(store(failed(halved(outbox)), unanswered(work.sent), { tag: 'rest', ms: undefined }), {
        type: 'suspect',
      });
    case 'stored':
      return work.tag === 'storing' ? stored(outbox, work.next, random) : [outbox, []];
    case 'rested':
      return work.tag === 'resting' ? goOn({ ...outbox, work: { tag: 'idle' } }) : [outbox, []];
    case 'room-rested': {
      const failing = outbox.rooms.get(event.room);
      if (failing?.state !== 'resting') return [outbox, []];
      return goOn({
        ...outbox,
        more: true,
        rooms: new Map(outbox.rooms).set(event.room, { ...failing, state: 'due' }),
      });
    }
    case 'database-failed': // what was marked but not stored is sent again under the same keys
      if (work.tag !== 'marking' && work.tag !== 'storing') return [outbox, []];
      return rest({ ...failed(outbox), more: true }, undefined, random);
    default:
      return assertNever(event);
  }
}

/** A room rests by itself, and goes on then. */
export function isAnyResting({ rooms }: Outbox): boolean {
  return [...rooms.values()].some(({ state }) => state === 'resting');
}

/** From idle: what there is to do and can be done. The lock is held only while there is both. */
function goOn(outbox: Outbox): Stepped {
  if (outbox.work.tag !== 'idle') return [outbox, []];
  if (!outbox.way || !outbox.more) return unlocked(outbox);
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
      return [{ ...outbox, work: { tag: 'marking' }, more: false }, [{ type: 'mark', limits, without }]];
    }
    default:
      return assertNever(outbox.lock);
  }
}

function marked(outbox: Outbox, items: Item[], bytes: number): Stepped {
  if (items.length === 0) return noneLeft({ ...outbox, work: { tag: 'idle' }, single: 0 });
  // The way or the lock went while they were being marked: not sent, but nothing that was marked is taken back.
  if (!outbox.way || outbox.lock !== 'held')
    return store({ ...outbox, more: true }, items.map(putOff), { tag: 'on' });
  const attempt = outbox.attempt + 1;
  const timeoutMs = SEND_TIMEOUT_MS + (bytes / SEND_BYTES_PER_SECOND) * 1_000;
  const emit: OutboxEffect = { type: 'emit', attempt, items, bytes, timeoutMs };
  return [{ ...outbox, attempt, more: true, work: { tag: 'sending', attempt, sent: items, bytes } }, [emit]];
}

/** All else has gone: now the rooms that were left for last. */
function noneLeft(outbox: Outbox): Stepped {
  const last = [...outbox.rooms].filter(([, { state }]) => state === 'last');
  if (last.length === 0) return goOn(outbox);
  const due = last.map(([room, failing]): [string, FailingRoom] => [room, { ...failing, state: 'due' }]);
  return goOn({ ...outbox, more: true, rooms: new Map([...outbox.rooms, ...due]) });
}

function answered(
  outbox: Outbox,
  { attempt, sent, answer }: Extract<OutboxEvent, { type: 'answered' }>,
  random: () => number,
): Stepped {
  const { work } = outbox;
  const judged = judge(sent, answer);
  const { verdicts } = judged;
  const got = verdicts.filter((verdict) => verdict.type === 'acknowledged');
  if (work.tag !== 'sending' || work.attempt !== attempt) {
    // Too late to be waited for. What it acknowledges is true all the same; the rest is for the attempt that followed.
    return [outbox, got.length > 0 ? [{ type: 'store-late', verdicts: got }] : []];
  }
  const keys = new Set(got.map(({ clientOffset }) => clientOffset));
  const went = sent.flatMap(({ room, clientOffset }) => (keys.has(clientOffset) ? room : []));
  const { rooms, rests, isAlone } = roomsAfter(outbox.rooms, new Set(went), judged.failing, random);
  const next: Next = isAlone && judged.next.tag === 'rest' ? { tag: 'on' } : judged.next;
  const batchBytes = afterAnswer(outbox.batchBytes, work.bytes);
  const single = next.tag === 'single' ? sent.length : Math.max(0, outbox.single - 1);
  const counted = next.tag === 'rest' && got.length === 0 ? failed(outbox) : { ...outbox, failures: 0 };
  const [after, effects] = store({ ...counted, single, batchBytes, rooms }, verdicts, next);
  return [after, [...effects, ...rests]];
}

/**
 * A room that went through is well. One that failed rests; where the server stopped, it is only known that this is the
 * room's own matter (`isAlone`) when others have gone through since: until then it is left for last.
 */
function roomsAfter(
  before: ReadonlyMap<string, FailingRoom>,
  went: ReadonlySet<string>,
  failing: readonly Failing[],
  random: () => number,
): { rooms: ReadonlyMap<string, FailingRoom>; rests: OutboxEffect[]; isAlone: boolean } {
  const rooms = new Map<string, FailingRoom>();
  for (const [room, known] of before)
    if (!went.has(room)) rooms.set(room, { ...known, alone: known.alone || went.size > 0 });
  const rests: OutboxEffect[] = [];
  let isAlone = false;
  for (const { room, ms, stopped } of failing) {
    const others = [...went].some((each) => each !== room);
    const { failures = 0, alone = others } = rooms.get(room) ?? {};
    const rest = !stopped || alone;
    isAlone ||= stopped && alone;
    rooms.set(room, { failures: failures + 1, alone, state: rest ? 'resting' : 'last' });
    if (rest) rests.push({ type: 'rest-room', room, ms: restMs(ms, failures, random) });
  }
  return { rooms, rests, isAlone };
}

/** The lock is let go in the same turn: the page may be put to sleep in the next, and the lock with it. */
function down(outbox: Outbox): Stepped {
  const { work } = outbox;
  const without: Outbox = { ...outbox, way: false, more: true };
  if (work.tag === 'sending')
    return and(unlocked(halved(without)), (after) => store(after, unanswered(work.sent), { tag: 'on' }));
  return unlocked(work.tag === 'resting' && !work.told ? { ...without, work: { tag: 'idle' } } : without);
}

/**
 * What is being marked or stored, or a rest, goes on. What is under way is unanswered as far as this one knows; the fence
 * lets that be written only while nobody else has begun to send. Its answer, if it comes, still settles as a late one.
 */
function lockLost(outbox: Outbox): Stepped {
  const { work } = outbox;
  return work.tag === 'sending' ? store(outbox, unanswered(work.sent), { tag: 'on' }) : goOn(outbox);
}

function store(outbox: Outbox, verdicts: Verdict[], next: Next): Stepped {
  return [{ ...outbox, work: { tag: 'storing', next } }, [{ type: 'store', verdicts }]];
}

function stored(outbox: Outbox, next: Next, random: () => number): Stepped {
  switch (next.tag) {
    case 'on':
    case 'single':
      return goOn({ ...outbox, work: { tag: 'idle' } });
    case 'rest':
      return rest(outbox, next.ms, random);
    case 'stop': // until the connection comes up again, with a session or a version that the server takes
      return also(goOn({ ...outbox, way: false, work: { tag: 'idle' } }), { type: 'stopped', why: next.why });
    default:
      return assertNever(next);
  }
}

/**
 * The server's limits are the user's: it is waited for with the lock held. A rest for any other reason leaves the lock to
 * a tab whose connection or database may be better.
 */
function rest(outbox: Outbox, toldMs: number | undefined, random: () => number): Stepped {
  const resting: Outbox = { ...outbox, work: { tag: 'resting', told: toldMs !== undefined } };
  const ms = restMs(toldMs, Math.max(0, outbox.failures - 1), random);
  return also(toldMs === undefined ? unlocked(resting) : [resting, []], { type: 'rest', ms });
}

function restMs(toldMs: number | undefined, failures: number, random: () => number): number {
  if (toldMs === undefined) return backoff(failures, random);
  return Math.min(RETRY_AFTER_MAX_MS, jittered(Math.max(RETRY_AFTER_MIN_MS, toldMs), random));
}

function unlocked(outbox: Outbox): Stepped {
  return outbox.lock === 'held' ? [{ ...outbox, lock: 'none' }, [{ type: 'unlock' }]] : [outbox, []];
}

function halved(outbox: Outbox): Outbox {
  return { ...outbox, batchBytes: afterSilence(outbox.batchBytes) };
}

function failed(outbox: Outbox): Outbox {
  return { ...outbox, failures: outbox.failures + 1 };
}

function and([outbox, effects]: Stepped, then: (outbox: Outbox) => Stepped): Stepped {
  const [after, more] = then(outbox);
  return [after, [...effects, ...more]];
}

function also([outbox, effects]: Stepped, effect: OutboxEffect): Stepped {
  return [outbox, [...effects, effect]];
}

function putOff({ clientOffset }: Sent): Verdict {
  return { clientOffset, type: 'put-off' };
}
