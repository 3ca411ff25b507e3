/**
 * What the outbox does next: one append under way, always from the oldest row that waits. Pure: drain.ts carries the
 * effects out. The rows themselves are in the database; this knows only whether there may be some.
 */
import {
  APPEND_MAX_ITEMS,
  REST_LEAST_MS,
  REST_MOST_MS,
  SEND_BYTES_PER_SECOND,
  SEND_TIMEOUT_MS,
} from '../../shared/limits.ts';
import { assertNever } from '../../shared/never.ts';
import type { Acknowledgement, Item } from '../../shared/protocol/index.ts';
import { backoff, jittered } from '../transport/backoff.ts';
import { type Limits, ONE_ITEM } from './batch.ts';
import { afterAnswer, afterSilence, FIRST_BATCH_BYTES } from './batchSize.ts';
import { judge, type Next, unanswered, type Verdict } from './verdicts.ts';

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
}

export type Work =
  | { tag: 'idle' }
  /** A transaction marks the rows of the next batch as attempted. */
  | { tag: 'marking' }
  | { tag: 'sending'; attempt: number; keys: string[]; bytes: number }
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
  | { type: 'answered'; attempt: number; keys: string[]; answer: Acknowledgement<'append'> }
  | { type: 'timeout'; attempt: number }
  | { type: 'stored' }
  | { type: 'rested' }
  | { type: 'database-failed' };

export type OutboxEffect =
  | { type: 'lock' }
  | { type: 'unlock' }
  | { type: 'mark'; limits: Limits }
  /** Writes to the network what was marked; nothing after `timeoutMs` is a failure of its own, the answer may still come. */
  | { type: 'emit'; attempt: number; items: Item[]; bytes: number; timeoutMs: number }
  | { type: 'store'; verdicts: Verdict[] }
  /** The same without an event afterwards: a late answer that the present work does not wait for. */
  | { type: 'store-late'; verdicts: Verdict[] }
  | { type: 'rest'; ms: number }
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
};

export function step(outbox: Outbox, event: OutboxEvent, random: () => number): Stepped {
  const { work } = outbox;
  switch (event.type) {
    case 'rows':
      return goOn({ ...outbox, more: true });
    case 'up': {
      const up = { ...outbox, way: true, more: true };
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
      return answered(outbox, event);
    case 'timeout':
      if (work.tag !== 'sending' || work.attempt !== event.attempt) return [outbox, []];
      return also(store(failed(halved(outbox)), unanswered(work.keys), { tag: 'rest', ms: undefined }), {
        type: 'suspect',
      });
    case 'stored':
      return work.tag === 'storing' ? stored(outbox, work.next, random) : [outbox, []];
    case 'rested':
      return work.tag === 'resting' ? goOn({ ...outbox, work: { tag: 'idle' } }) : [outbox, []];
    case 'database-failed': // what was marked but not stored is sent again under the same keys
      if (work.tag !== 'marking' && work.tag !== 'storing') return [outbox, []];
      return rest({ ...failed(outbox), more: true }, undefined, random);
    default:
      return assertNever(event);
  }
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
      return [{ ...outbox, work: { tag: 'marking' }, more: false }, [{ type: 'mark', limits }]];
    }
    default:
      return assertNever(outbox.lock);
  }
}

function marked(outbox: Outbox, items: Item[], bytes: number): Stepped {
  if (items.length === 0) return goOn({ ...outbox, work: { tag: 'idle' }, single: 0 });
  const keys = items.map((item) => item.clientOffset);
  // The way or the lock went while they were being marked: not sent, but nothing that was marked is taken back.
  if (!outbox.way || outbox.lock !== 'held')
    return store({ ...outbox, more: true }, keys.map(putOff), { tag: 'on' });
  const attempt = outbox.attempt + 1;
  const timeoutMs = SEND_TIMEOUT_MS + (bytes / SEND_BYTES_PER_SECOND) * 1_000;
  const emit: OutboxEffect = { type: 'emit', attempt, items, bytes, timeoutMs };
  return [{ ...outbox, attempt, more: true, work: { tag: 'sending', attempt, keys, bytes } }, [emit]];
}

function answered(
  outbox: Outbox,
  { attempt, keys, answer }: Extract<OutboxEvent, { type: 'answered' }>,
): Stepped {
  const { work } = outbox;
  const { verdicts, next } = judge(keys, answer);
  if (work.tag !== 'sending' || work.attempt !== attempt) {
    // Too late to be waited for. What it acknowledges is true all the same; the rest is for the attempt that followed.
    const settled = verdicts.filter((verdict) => verdict.type === 'acknowledged');
    return [outbox, settled.length > 0 ? [{ type: 'store-late', verdicts: settled }] : []];
  }
  const batchBytes = afterAnswer(outbox.batchBytes, work.bytes);
  const got = verdicts.some((verdict) => verdict.type === 'acknowledged');
  const single = next.tag === 'single' ? keys.length : Math.max(0, outbox.single - 1);
  const counted = next.tag === 'rest' && !got ? failed(outbox) : { ...outbox, failures: 0 };
  return store({ ...counted, single, batchBytes }, verdicts, next);
}

/** The lock is let go in the same turn: the page may be put to sleep in the next, and the lock with it. */
function down(outbox: Outbox): Stepped {
  const { work } = outbox;
  const without: Outbox = { ...outbox, way: false, more: true };
  if (work.tag === 'sending')
    return and(unlocked(halved(without)), (after) => store(after, unanswered(work.keys), { tag: 'on' }));
  return unlocked(work.tag === 'resting' && !work.told ? { ...without, work: { tag: 'idle' } } : without);
}

/**
 * What is being marked or stored, or a rest, goes on. What is under way is unanswered as far as this one knows; the fence
 * lets that be written only while nobody else has begun to send. Its answer, if it comes, still settles as a late one.
 */
function lockLost(outbox: Outbox): Stepped {
  const { work } = outbox;
  return work.tag === 'sending' ? store(outbox, unanswered(work.keys), { tag: 'on' }) : goOn(outbox);
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
  if (toldMs === undefined)
    return also(unlocked(resting), { type: 'rest', ms: backoff(Math.max(0, outbox.failures - 1), random) });
  const ms = Math.min(REST_MOST_MS, jittered(Math.max(REST_LEAST_MS, toldMs), random));
  return [resting, [{ type: 'rest', ms }]];
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

function putOff(clientOffset: string): Verdict {
  return { clientOffset, type: 'put-off' };
}
