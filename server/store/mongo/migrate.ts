/**
 * How a database that an older version made becomes one of this version: ordered steps, each done once. `meta` says how
 * many are done and how far the next one is. Any number of processes may open the database at the same time: one of them
 * does a step, part by part, and the others wait; where it stands still (it was killed, or is cut off), another goes on
 * behind the last part that was done.
 *
 * Processes of the older version may use the database all the while, and afterwards (VERSION in schema.ts): a step changes
 * nothing that they would misread.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Db } from 'mongodb';
import type { Logger } from 'pino';
import { Unavailable } from '../port.ts';
import { ENTRIES_BY_KIND, META, META_ID, type MetaDocument, USERS_BY_REV } from './schema.ts';

export interface Step {
  /** For the log: what the database has after it. */
  makes: string;
  /**
   * Does a part of it. `from`: undefined for the first part, then what the part before returned, another string each
   * time; undefined ends the step. A part may be done twice, at the same time too, and may still be under way while a
   * later one is done: it must make no difference.
   */
  part(db: Db, from: string | undefined): Promise<string | undefined>;
}

/** In order, for ever: a later version adds its own behind them. */
export const STEPS: readonly Step[] = [
  {
    makes: 'an index of the messages of a room',
    async part(db) {
      await db.collection('entries').createIndexes([ENTRIES_BY_KIND]);
      return undefined;
    },
  },
  {
    makes: 'an index of the users who changed',
    async part(db) {
      await db.collection('users').createIndexes([USERS_BY_REV]);
      return undefined;
    },
  },
];

interface Migration {
  db: Db;
  steps: readonly Step[];
  /** This process, to the others. */
  me: string;
  log: Pick<Logger, 'warn'>;
  /** A part was done, by this process or another. */
  onProgress?: () => void;
  /** For so long without a part that ends, whoever does a step is left to itself. Several at it do no harm. */
  patienceMs?: number;
}

/** Resolves when all steps are done. Where it rejects, by an error of the driver, it may be called again. */
export async function migrate({
  db,
  steps,
  me,
  log,
  onProgress = () => {},
  patienceMs = PATIENCE_MS,
}: Migration): Promise<void> {
  const meta = db.collection<MetaDocument>(META);
  let seen: State | undefined;
  let seenAt = 0;
  for (;;) {
    const state = await stateOf(meta);
    if (state.done >= steps.length) return;
    if (seen && (seen.done !== state.done || seen.at !== state.at)) onProgress();
    if (!seen || !isSame(seen, state)) {
      seen = state;
      seenAt = performance.now();
    }
    const isMine = state.by === undefined || state.by === me;
    if (isMine || performance.now() - seenAt > patienceMs) await doStep(state);
    else await sleep(LOOK_EVERY_MS);
  }

  /** Returns when the step is done, or another process does it. */
  async function doStep(state: State): Promise<void> {
    const claimed = await meta.updateOne(whereStill(state), { $set: { 'step.by': me } });
    if (claimed.matchedCount === 0) return;
    const { makes, part } = steps[state.done]!;
    log.warn({ step: state.done + 1, of: steps.length, makes }, 'the database is being upgraded');
    for (let { at } = state; ; ) {
      const next = await part(db, at);
      // Not where another one has taken this for standing still, and was quicker.
      const { matchedCount } = await meta.updateOne(
        whereStill({ done: state.done, at }),
        next === undefined
          ? { $set: { steps: state.done + 1 }, $unset: { step: '' } }
          : { $set: { 'step.at': next } },
      );
      if (matchedCount > 0) onProgress();
      if (matchedCount === 0 || next === undefined) return;
      at = next;
    }
  }
}

const PATIENCE_MS = 1_000;
const LOOK_EVERY_MS = 100;

interface State {
  /** Steps. */
  done: number;
  at: string | undefined;
  by?: string | undefined;
}

async function stateOf(meta: Collection<MetaDocument>): Promise<State> {
  const document = await meta.findOne({ _id: META_ID });
  if (!document) throw new Unavailable('The database is just being made, or was dropped.');
  const { steps = 0, step } = document;
  return { done: steps, at: step?.at, by: step?.by };
}

function isSame(one: State, other: State): boolean {
  return one.done === other.done && one.at === other.at && one.by === other.by;
}

function whereStill(state: State) {
  return {
    _id: META_ID,
    steps: state.done === 0 ? { $in: [0, null] } : state.done,
    'step.at': state.at ?? null,
    ...('by' in state && { 'step.by': state.by ?? null }),
  } as object;
}
