/**
 * Appends a batch to one room of a replica set by compare-and-swap on its head. Pure: a conversation of commands and
 * replies, led the same way with the driver and with the simulated replica set of the tests.
 *
 * - A serverOffset is only ever head + 1, head + 2, … of a committed head, and inserts are ordered: n + 1 is tried only
 *   where n exists, in the same log of the same primary, so an election takes away n + 1 with n or neither (L1, L2).
 * - The unique index on (room, serverOffset) is the compare: what is inserted at head + 1 was planned at the head that
 *   holds. Whatever was read after that head was known, and not before, is therefore true where the entry stands: a
 *   removal that the targets' look-up did not see would have moved the head, and the insert would have failed. So no
 *   edit behind a deletion is stored with its body, without a transaction.
 * - A head is known with the `at` of its entry, so that what follows it is stamped no earlier: the compare makes sure
 *   that it is the entry right before.
 * - For the same reason an insert of ours that arrives late, after it was given up, is harmless: its first serverOffset
 *   is taken for ever, or else it is what it would have been in time, and its items are found again by their keys.
 * - Items are decided in order (L5): an item whose key is there, but not committed, holds up those behind it.
 */
import { assertNever } from '../../../../shared/never.ts';
import { type AppendResult, type NewEntry, Unavailable } from '../../port.ts';
import { type Batch, createBatch } from './batch.ts';
import type { EntryDocument, Head, Unknown } from './commands.ts';
import { createPatience, type Patience } from './patience.ts';
import { ask, type Steps } from './steps.ts';

export interface RoomAppend {
  room: string;
  items: readonly NewEntry[];
  at: number;
  /** Committed: of this process's last append here, or of its tail, whichever is greater. */
  knownHead: Head | undefined;
}

export interface RoomOutcome {
  /** In order; with `stopped`, up to the first item whose fate is not known. */
  results: AppendResult[];
  stopped?: Unavailable;
  /** Committed, to number the next batch from; undefined: it is to be read again. */
  head: Head | undefined;
  /** What is committed and has consequences, in no order, also behind the item that it stopped at. */
  pending: EntryDocument[];
}

/** Never throws. An item is `appended` or `repeat` only when it is durable (L4). */
export function* appendToRoom(request: RoomAppend): Steps<RoomOutcome> {
  const { room, items, at } = request;
  const head = request.knownHead ?? (yield* ask({ do: 'head', room, from: 0 }));
  if (isUnknown(head)) return stoppedBy(head, { results: [], pending: [] });
  const batch = createBatch(room, items, at, head);
  const patience = createPatience();

  for (;;) {
    const step = yield* nextStep(room, batch, patience);
    if (step === 'on') continue;
    const outcome = { results: batch.results(), pending: batch.pending };
    return step === 'done' ? { ...outcome, head: batch.head } : stoppedBy(step, outcome);
  }
}

type Step = 'on' | 'done' | Unknown;

function* nextStep(room: string, batch: Batch, patience: Patience): Steps<Step> {
  const next = batch.next();
  switch (next.tag) {
    case 'done':
      return 'done';
    case 'targets': {
      const { serverOffset: from } = batch.head;
      const messages = yield* ask({ do: 'targets', room, keys: next.keys, from });
      if (isUnknown(messages)) return messages;
      batch.learnMessages(next.keys, messages);
      return 'on';
    }
    case 'no-target':
      return yield* refuseUnlessKnown(room, batch, next.indexes, { tag: 'no-target' });
    case 'insert':
      return yield* insert(room, batch, patience, next);
    default:
      return assertNever(next);
  }
}

function* insert(
  room: string,
  batch: Batch,
  patience: Patience,
  { documents, indexes }: { documents: EntryDocument[]; indexes: number[] },
): Steps<Step> {
  const reply = yield* ask({ do: 'insert', documents });
  switch (reply.tag) {
    case 'inserted':
      batch.inserted(documents, indexes);
      return 'on';
    case 'refused': {
      // for its content: it alone, the others go on (L5)
      batch.inserted(documents.slice(0, reply.inserted), indexes);
      patience.progress();
      const { message } = reply;
      return yield* refuseUnlessKnown(room, batch, [indexes[reply.inserted]!], { tag: 'failed', message });
    }
    case 'duplicate':
      batch.inserted(documents.slice(0, reply.inserted), indexes);
      if (reply.inserted > 0) patience.progress();
      return reply.of === 'serverOffset'
        ? yield* awaitHead(room, batch, patience)
        : yield* takeRepeatsOut(room, batch, patience, indexes[reply.inserted]!);
    case 'unknown':
      return reply; // L4; nothing is tried behind it, since it may still arrive
    default:
      return assertNever(reply);
  }
}

/**
 * Another process was first. The next serverOffset is known when its entry is committed, not before: an election may
 * still take it away, and a number built on it would leave a hole for ever. The tail usually tells first.
 */
function* awaitHead(room: string, batch: Batch, patience: Patience): Steps<Step> {
  const atMostMs = patience.waits();
  if (atMostMs === undefined) return GAVE_UP;
  const { serverOffset: head } = batch.head;
  const told = yield* ask({ do: 'await-head', room, beyond: head, atMostMs });
  const now = told && told.serverOffset > head ? told : yield* ask({ do: 'head', room, from: head });
  if (isUnknown(now)) return now;
  if (now.serverOffset <= head) return 'on'; // rolled back, or not committed yet: the next attempt shows which
  batch.headMoved(now);
  patience.headMoved();
  return 'on';
}

/**
 * A repeat. Where there is one there are often more (an acknowledgement of the whole batch was lost), so that one read
 * takes out all of them. One that is not committed is waited for: it may be rolled back, then it is inserted again.
 */
function* takeRepeatsOut(room: string, batch: Batch, patience: Patience, repeat: number): Steps<Step> {
  const keys = batch.undecidedKeys();
  const originals = yield* ask({ do: 'find', room, keys, from: batch.head.serverOffset });
  if (isUnknown(originals)) return originals;
  batch.learnOriginals(keys, originals);
  if (!batch.isDecided(repeat)) return yield* awaitHead(room, batch, patience);
  patience.progress();
  return 'on';
}

/** No index was asked for these keys: they are looked up, since a conflict is one whatever else is wrong (L3). */
function* refuseUnlessKnown(
  room: string,
  batch: Batch,
  indexes: readonly number[],
  refusal: AppendResult,
): Steps<Step> {
  const keys = indexes.map(batch.keyAt);
  const originals = yield* ask({ do: 'find', room, keys, from: batch.head.serverOffset });
  if (isUnknown(originals)) return originals;
  batch.learnOriginals(keys, originals);
  for (const index of indexes) if (!batch.isDecided(index)) batch.decide(index, refusal);
  return 'on';
}

function stoppedBy({ message }: Unknown, outcome: Omit<RoomOutcome, 'stopped' | 'head'>): RoomOutcome {
  return { ...outcome, stopped: new Unavailable(message), head: undefined };
}

const GAVE_UP: Unknown = { tag: 'unknown', message: 'The room did not come to rest in time; try again.' };

function isUnknown(reply: unknown): reply is Unknown {
  return typeof reply === 'object' && reply !== null && 'tag' in reply && reply.tag === 'unknown';
}
