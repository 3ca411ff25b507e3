/**
 * Appends a batch to one room of a replica set by compare-and-swap on its head. Pure: a generator of commands, the same for
 * the driver and for the simulated replica set of the tests.
 *
 * - serverOffsets are always head + 1, head + 2, … of a committed head, and inserts are ordered: n + 1 is inserted only where
 *   n exists, in the same oplog of the same primary. So an election rolls back n + 1 together with n, or neither (L1, L2).
 * - The unique index on (room, serverOffset) does the comparison of the compare-and-swap: an insert at head + 1 succeeds only
 *   if that head is still the newest. Everything that was read after the head was known is therefore still true at the new
 *   entry: a removal that the lookup of targets did not see would have moved the head, and the insert would have failed. So no
 *   edit after a deletion is stored with its body, without a transaction.
 * - The head includes the `at` of its entry, so that later entries get no earlier time: the comparison makes sure that this is
 *   the entry right before.
 * - For the same reason a late insert, one that arrives after the algorithm gave it up, is harmless: either its first
 *   serverOffset is already used by another entry, so that it fails, or it succeeds as if it had been on time, and a retry
 *   finds its items by their keys.
 * - Items are decided in order (L5): an item whose key exists, but is not committed yet, delays those after it.
 */
import { assertNever } from '../../../../shared/never.ts';
import { type AppendResult, type NewEntry, Unavailable } from '../../port.ts';
import { type BatchState, createBatchState } from './batchState.ts';
import { ask, type EntryDocument, type RoomHead, type Steps, type UnknownOutcome } from './commands.ts';

export interface RoomAppend {
  room: string;
  /** False: the room had no document just now. Its first entry may be among the items, or written by another process. */
  exists: boolean;
  items: readonly NewEntry[];
  at: number;
  /** A committed head, from this process's last append to the room or from its tail, whichever is greater. */
  knownHead: RoomHead | undefined;
}

export interface RoomOutcome {
  /** In order; with `stopped`, up to the first item whose outcome is unknown. */
  results: AppendResult[];
  stopped?: Unavailable;
  /** Committed, for the next batch; undefined where it must be read again. */
  head: RoomHead | undefined;
  /** Committed entries with side effects, in no order; some may come after the item at which it stopped. */
  pending: EntryDocument[];
}

/** Never throws. An item is `appended` or `repeat` only when it is durable (L4). */
export function* appendToRoom(request: RoomAppend): Steps<RoomOutcome> {
  const { room, exists, items, at } = request;
  const head = request.knownHead ?? (yield* ask({ do: 'head', room, from: 0 }));
  if (isUnknown(head)) return stoppedBy(head, { results: [], pending: [] });
  const batch = createBatchState(room, exists, items, at, head);
  const budget = createRetryBudget();

  for (;;) {
    const state = yield* nextStep(room, batch, budget);
    if (state === 'continue') continue;
    const outcome = { results: batch.results(), pending: batch.pending };
    return state === 'done' ? { ...outcome, head: batch.head } : stoppedBy(state, outcome);
  }
}

type Progress = 'continue' | 'done' | UnknownOutcome;

function* nextStep(room: string, batch: BatchState, budget: RetryBudget): Steps<Progress> {
  const next = batch.next();
  switch (next.tag) {
    case 'done':
      return 'done';
    case 'targets': {
      const { serverOffset: from } = batch.head;
      const targets = yield* ask({ do: 'targets', room, keys: next.keys, from });
      if (isUnknown(targets)) return targets;
      batch.learnTargets(next.keys, targets);
      return 'continue';
    }
    case 'refused':
      return yield* refuseUnlessKnown(room, batch, next.indexes, { tag: next.as });
    case 'insert':
      return yield* insert(room, batch, budget, next);
    default:
      return assertNever(next);
  }
}

function* insert(
  room: string,
  batch: BatchState,
  budget: RetryBudget,
  { documents, indexes }: { documents: EntryDocument[]; indexes: number[] },
): Steps<Progress> {
  const reply = yield* ask({ do: 'insert', documents });
  switch (reply.tag) {
    case 'inserted':
      batch.inserted(documents, indexes);
      return 'continue';
    case 'refused': {
      // only this item is refused, for its content; the others go on (L5)
      batch.inserted(documents.slice(0, reply.inserted), indexes);
      budget.progress();
      const { message } = reply;
      return yield* refuseUnlessKnown(room, batch, [indexes[reply.inserted]!], { tag: 'failed', message });
    }
    case 'duplicate':
      batch.inserted(documents.slice(0, reply.inserted), indexes);
      if (reply.inserted > 0) budget.progress();
      switch (reply.of) {
        case 'serverOffset':
          return yield* awaitHead(room, batch, budget);
        case 'clientOffset':
          return yield* decideRepeats(room, batch, budget, indexes[reply.inserted]!);
        case 'roleSeq':
          return yield* refuseUnlessKnown(room, batch, [indexes[reply.inserted]!], { tag: 'outdated' });
        default:
          return assertNever(reply.of);
      }
    case 'unknown':
      return reply; // L4; no later item is inserted, because this insert may still arrive
    default:
      return assertNever(reply);
  }
}

/**
 * Another process was first. The next serverOffset is derived from that process's entry only once it is committed: an election
 * may still roll it back, and an entry numbered after it would leave a gap for ever. Usually the tail delivers it first.
 */
function* awaitHead(room: string, batch: BatchState, budget: RetryBudget): Steps<Progress> {
  const atMostMs = budget.nextWaitMs();
  if (atMostMs === undefined) return GAVE_UP;
  const { serverOffset: head } = batch.head;
  const cached = yield* ask({ do: 'await-head', room, beyond: head, atMostMs });
  const now = cached && cached.serverOffset > head ? cached : yield* ask({ do: 'head', room, from: head });
  if (isUnknown(now)) return now;
  if (now.serverOffset <= head) return 'continue'; // rolled back, or not committed yet: the next attempt shows which
  batch.headMoved(now);
  budget.headMoved();
  return 'continue';
}

/**
 * An item is a repeat. Often there are more (the acknowledgement of the whole batch was lost), so one read looks up the keys of
 * all undecided items. An original that is not committed is waited for: if it is rolled back, the item is inserted again.
 */
function* decideRepeats(
  room: string,
  batch: BatchState,
  budget: RetryBudget,
  repeat: number,
): Steps<Progress> {
  const keys = batch.undecidedKeys();
  const originals = yield* ask({ do: 'find', room, keys, from: batch.head.serverOffset });
  if (isUnknown(originals)) return originals;
  batch.learnOriginals(keys, originals);
  if (!batch.isDecided(repeat)) return yield* awaitHead(room, batch, budget);
  budget.progress();
  return 'continue';
}

/** These items never reached an insert, so look for duplicates explicitly: a repeat or conflict comes before a refusal (L3). */
function* refuseUnlessKnown(
  room: string,
  batch: BatchState,
  indexes: readonly number[],
  refusal: AppendResult,
): Steps<Progress> {
  const keys = indexes.map(batch.keyAt);
  const originals = yield* ask({ do: 'find', room, keys, from: batch.head.serverOffset });
  if (isUnknown(originals)) return originals;
  batch.learnOriginals(keys, originals);
  for (const index of indexes) if (!batch.isDecided(index)) batch.decide(index, refusal);
  return 'continue';
}

function stoppedBy({ message }: UnknownOutcome, outcome: Omit<RoomOutcome, 'stopped' | 'head'>): RoomOutcome {
  return { ...outcome, stopped: new Unavailable(message), head: undefined };
}

const GAVE_UP: UnknownOutcome = {
  tag: 'unknown',
  message: 'Too many other processes write to the room; try again.',
};

function isUnknown(reply: unknown): reply is UnknownOutcome {
  return typeof reply === 'object' && reply !== null && 'tag' in reply && reply.tag === 'unknown';
}

/** Several times the longest losing streak seen among many processes; at a few ms each, some seconds. */
const MAX_LOST_RACES = 1_000;
/** Total wait without any progress. An election may take longer: the client then gets an answer and retries. */
const MAX_IDLE_MS = 5_000;
/** What the tail normally needs to deliver an entry; after that the head is read, so that processes with slow tails can win too. */
const WAIT_FIRST_MS = 4;
const WAIT_MAX_MS = 640;

/** Retry budget and backoff of one batch: every loop of the algorithm ends, and callers get an answer in time. */
interface RetryBudget {
  /** Milliseconds to wait for the head before the next try; undefined when the budget is spent. */
  nextWaitMs(): number | undefined;
  /** A race was lost, and the head of the room has moved. */
  headMoved(): void;
  /** Items of the batch have got results. */
  progress(): void;
}

function createRetryBudget(): RetryBudget {
  let lost = 0;
  let idle = 0;
  let wait = WAIT_FIRST_MS;

  function resetBackoff() {
    idle = 0;
    wait = WAIT_FIRST_MS;
  }

  return {
    nextWaitMs() {
      if (lost >= MAX_LOST_RACES || idle >= MAX_IDLE_MS) return undefined;
      const now = wait;
      idle += now;
      wait = Math.min(2 * wait, WAIT_MAX_MS);
      return now;
    },
    headMoved() {
      lost += 1;
      resetBackoff();
    },
    progress() {
      lost = 0;
      resetBackoff();
    },
  };
}
