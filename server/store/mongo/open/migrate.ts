/**
 * Migrates a database that an older version created, in ordered steps, each done once. The `meta` document stores how many
 * steps are done and the progress of the next one. Any number of processes may open the database at the same time: one runs
 * a step, part by part, while the others wait; where it makes no progress (it was killed or disconnected), another one
 * continues after the last finished part.
 *
 * Processes of the older version may use the database during and after this (VERSION in collections.ts): a step changes
 * nothing that they would misread, or waits until `finish-upgrade` has shut them out (`needsVersion`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Collection, type Db, MongoServerError } from 'mongodb';
import type { Logger } from 'pino';
import { Unavailable } from '../../port.ts';
import {
  type Collections,
  collectionsOf,
  EMBEDDED_DEVICE_INDEXES,
  ENTRIES_BY_KIND,
  ENTRIES_BY_MENTION,
  META,
  META_ID,
  type MetaDocument,
  USERS_BY_REV,
  VERSION_OF_OWN_DEVICES,
} from '../base/collections.ts';
import { timeOf } from '../base/entryDocuments.ts';
import { CODE } from '../base/faults.ts';
import { moveDevices } from '../devices/moveDevices.ts';

export interface MigrationStep {
  /** For the log: what the step adds to the database. */
  adds: string;
  /**
   * Waits until the database belongs to this version: processes of older ones would misread what the step does. By then the
   * database has the collections and indexes of this version.
   */
  needsVersion?: number;
  /**
   * Runs one part. `from` is undefined for the first part, then what the part before returned, a different string each
   * time; undefined ends the step. A part must be idempotent: it may run twice, also concurrently, and may still run while
   * a later part does.
   */
  runPart(db: Db, from: string | undefined): Promise<string | undefined>;
}

/** This order never changes: later versions append their steps. */
export const MIGRATION_STEPS: readonly MigrationStep[] = [
  {
    adds: 'an index of the messages of a room',
    async runPart(db) {
      await db.collection('entries').createIndexes([ENTRIES_BY_KIND]);
      return undefined;
    },
  },
  {
    adds: 'an index of the users who changed',
    async runPart(db) {
      await db.collection('users').createIndexes([USERS_BY_REV]);
      return undefined;
    },
  },
  {
    adds: 'the time of the last activity of each room',
    async runPart(db, from = '') {
      const { rooms, entriesOf } = collectionsOf(db);
      const some = await rooms
        .find({ _id: { $gt: from }, activeAt: { $exists: false } })
        .sort({ _id: 1 })
        .limit(ROOMS_PER_PART)
        .toArray();
      const updates = some.map(async ({ _id, createdAt }) => {
        const [newest] = await entriesOf(_id)
          .find({ room: _id })
          .sort({ serverOffset: -1 })
          .limit(1)
          .project<{ at: unknown }>({ _id: 0, at: 1 })
          .toArray();
        const activeAt = newest ? timeOf(newest) : createdAt;
        return { updateOne: { filter: { _id }, update: { $max: { activeAt } } } };
      });
      if (some.length > 0) await rooms.bulkWrite(await Promise.all(updates), { ordered: false });
      return some.length < ROOMS_PER_PART ? undefined : some.at(-1)!._id;
    },
  },
  {
    adds: 'documents of their own for devices',
    needsVersion: VERSION_OF_OWN_DEVICES,
    async runPart(db, from) {
      const collections = collectionsOf(db);
      const some = await collections.users
        .find({ ...(from !== undefined && { _id: { $gt: from } }), devices: { $exists: true } })
        .project<{ _id: string }>({ _id: 1 })
        .sort({ _id: 1 })
        .limit(USERS_PER_PART)
        .toArray();
      await moveDevices(
        collections,
        some.map(({ _id }) => _id),
      );
      if (some.length === USERS_PER_PART) return some.at(-1)!._id;
      // of processes that died after they had moved a user
      await collections.devices.updateMany({ staged: { $exists: true } }, { $unset: { staged: '' } });
      for (const name of EMBEDDED_DEVICE_INDEXES) await dropIndex(collections.users, name);
      return undefined;
    },
  },
  {
    adds: 'an index of mentions',
    async runPart(db) {
      await db.collection('entries').createIndexes([ENTRIES_BY_MENTION]);
      return undefined;
    },
  },
];

/** A part takes well below a second. */
const ROOMS_PER_PART = 200;

/** The steps that may run on a database that processes of this version and later ones may use. */
export function stepsFor(leastVersion: number): readonly MigrationStep[] {
  const waits = MIGRATION_STEPS.findIndex(({ needsVersion = 0 }) => needsVersion > leastVersion);
  return waits === -1 ? MIGRATION_STEPS : MIGRATION_STEPS.slice(0, waits);
}

/** A fraction of a second each, so that another process soon sees whether this one makes progress. */
const USERS_PER_PART = 50;

async function dropIndex(users: Collections['users'], name: string): Promise<void> {
  try {
    await users.dropIndex(name);
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== CODE.INDEX_NOT_FOUND) throw error;
  }
}

interface Migration {
  db: Db;
  steps: readonly MigrationStep[];
  /** A random name of this process for the others. */
  me: string;
  log: Pick<Logger, 'warn'>;
  /** Called when this process or another one has finished a part. */
  onProgress?: () => void;
  /** Another process that finishes no part for this long is presumed dead. Several may run a step without harm. */
  takeOverAfterMs?: number;
}

/** Resolves when all steps are done. Rejects with errors of the driver, and may then be called again. */
export async function migrate({
  db,
  steps,
  me,
  log,
  onProgress = () => {},
  takeOverAfterMs = TAKE_OVER_AFTER_MS,
}: Migration): Promise<void> {
  const meta = db.collection<MetaDocument>(META);
  let seen: Progress | undefined;
  let seenAt = 0;
  for (;;) {
    const state = await progressOf(meta);
    if (state.done >= steps.length) return;
    if (seen && (seen.done !== state.done || seen.at !== state.at)) onProgress();
    if (!seen || !isSame(seen, state)) {
      seen = state;
      seenAt = performance.now();
    }
    const isMine = state.by === undefined || state.by === me;
    if (isMine || performance.now() - seenAt > takeOverAfterMs) await runStep(state);
    else await sleep(CHECK_EVERY_MS);
  }

  /** Returns when the step is done, or when another process has taken it over. */
  async function runStep(state: Progress): Promise<void> {
    const claimed = await meta.updateOne(whereStill(state), { $set: { 'step.by': me } });
    if (claimed.matchedCount === 0) return;
    const { adds, runPart } = steps[state.done]!;
    log.warn({ step: state.done + 1, of: steps.length, adds }, 'the database is being upgraded');
    for (let { at } = state; ; ) {
      const next = await runPart(db, at);
      // no match where another process took the step over and finished this part first
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

const TAKE_OVER_AFTER_MS = 1_000;
const CHECK_EVERY_MS = 100;

interface Progress {
  /** Finished steps. */
  done: number;
  /** Where the next part of the current step begins. */
  at: string | undefined;
  by?: string | undefined;
}

async function progressOf(meta: Collection<MetaDocument>): Promise<Progress> {
  const document = await meta.findOne({ _id: META_ID });
  if (!document) throw new Unavailable('The database is being created, or was dropped.');
  const { steps = 0, step } = document;
  return { done: steps, at: step?.at, by: step?.by };
}

function isSame(one: Progress, other: Progress): boolean {
  return one.done === other.done && one.at === other.at && one.by === other.by;
}

/** Matches `meta` only while its progress is unchanged: the compare-and-swap of a part. */
function whereStill(state: Progress) {
  return {
    _id: META_ID,
    steps: state.done === 0 ? { $in: [0, null] } : state.done,
    'step.at': state.at ?? null,
    ...('by' in state && { 'step.by': state.by ?? null }),
  } as object;
}
