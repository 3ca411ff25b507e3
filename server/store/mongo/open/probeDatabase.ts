/**
 * One try of what the server depends on, before it listens: a change stream brings what the majority has acknowledged, and
 * the primary answers a linearizable read. A server that imitates MongoDB, or a set without a majority, fails here by name,
 * and not later as entries that nobody hears.
 */
import { randomBytes } from 'node:crypto';
import { type Db, Long, MongoServerError } from 'mongodb';
import { withTimeout } from '../../../base/timeout.ts';
import { Unavailable, Unusable } from '../../port.ts';
import { EPHEMERAL } from '../base/collections.ts';
import { isDatabaseError } from '../base/faults.ts';
import type { Address } from './address.ts';
import { lacking, refusedByServer } from './unusable.ts';

/** The message says what failed, and what to do. Time may mend it. */
export class ProbeFailed extends Unavailable {}

interface Deps {
  db: Db;
  streams: Db;
  address: Address;
  /** Milliseconds for each step. */
  withinMs?: number;
}

/** Rejects with `Unusable` or `ProbeFailed`. Leaves one document in the capped collection of hints, which nobody reads. */
export async function probeDatabase({
  db,
  streams,
  address,
  withinMs = STEP_WITHIN_MS,
}: Deps): Promise<void> {
  const word = randomBytes(9).toString('base64url');
  const session = streams.client.startSession({ causalConsistency: false });
  let cursor = Long.ZERO;
  try {
    await step('open a change stream', async () => {
      const pipeline = [{ $changeStream: {} }, { $match: { 'fullDocument.probe': word } }];
      const readConcern = { level: 'majority' };
      const opened = await streams.command(
        { aggregate: EPHEMERAL, pipeline, cursor: {}, readConcern },
        { session },
      );
      cursor = Long.fromValue(opened.cursor.id);
    });
    await db.collection(EPHEMERAL).insertOne({ probe: word });
    await step('bring a write by its change stream', async () => {
      for (const end = performance.now() + withinMs; performance.now() < end; ) {
        const more = { getMore: cursor, collection: EPHEMERAL, maxTimeMS: ROUND_MS };
        if ((await streams.command(more, { session })).cursor.nextBatch.length > 0) return;
      }
      throw new Unavailable('it brought nothing');
    });
    await step('answer a linearizable read', async () => {
      const options = { readConcern: 'linearizable', maxTimeMS: withinMs } as const;
      const found = await db.collection(EPHEMERAL).findOne({ probe: word }, options);
      if (!found) throw new Unavailable('it did not find what was written');
    });
  } finally {
    const kill = { killCursors: EPHEMERAL, cursors: [cursor] };
    if (!cursor.isZero()) void streams.command(kill).catch(() => {});
    await session.endSession();
  }

  async function step(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await withTimeout(withinMs + ROUND_MS, work());
    } catch (error) {
      if (!isDatabaseError(error) && !(error instanceof Unavailable)) throw error;
      const sentence = lacking(what, error, address);
      if (isMissing(error)) throw new Unusable(sentence);
      throw refusedByServer(error, address) ?? (isOfServer(error) ? new ProbeFailed(sentence) : error);
    }
  }
}

const STEP_WITHIN_MS = 5_000;
const ROUND_MS = 500;

/** Not of the network, which has sentences of its own. */
function isOfServer(error: Error): boolean {
  return error instanceof Unavailable || error instanceof MongoServerError;
}

/** The server has no such command or stage. */
function isMissing(error: Error): boolean {
  return error instanceof MongoServerError && MISSING.has(error.code);
}

const MISSING: ReadonlySet<unknown> = new Set([
  59, // CommandNotFound
  115, // CommandNotSupported
  238, // NotImplemented
  303, // FeatureNotSupported
  40_324, // Unrecognized pipeline stage
  40_573, // The $changeStream stage is only supported on replica sets
]);
