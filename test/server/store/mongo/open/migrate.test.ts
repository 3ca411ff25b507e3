/** The steps of a migration: done once by many processes, taken over from one that makes no progress, continued after kill -9. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, MongoClient } from 'mongodb';
import { expect, it, onTestFinished } from 'vitest';
import {
  META,
  META_ID,
  type MetaDocument,
  VERSION,
} from '../../../../../server/store/mongo/base/collections.ts';
import { openMongo } from '../../../../../server/store/mongo/index.ts';
import {
  MIGRATION_STEPS,
  type MigrationStep,
  migrate,
  stepsFor,
} from '../../../../../server/store/mongo/open/migrate.ts';
import { wholeLog } from '../../../../contract/support.ts';
import { loadVersion01 } from '../../../../support/mongo/version01.ts';
import { dieTogether } from '../../../../support/orphans.ts';
import { seeded } from '../../../../support/random.ts';
import { mongoOfFile, silent } from '../harness.ts';
import { fillBoxes, isAllDone, PARTS, testSteps } from './migrateSteps.ts';

const mongo = mongoOfFile({ toBreak: true });

async function boxes(): Promise<{ db: Db; url: string }> {
  const url = mongo.server.anotherUrl();
  const client = await new MongoClient(url).connect();
  onTestFinished(() => client.close());
  const db = client.db();
  const meta = { _id: META_ID, epoch: 'e', schemaVersion: 1, createdAt: 1 } as const;
  await db.collection<MetaDocument>(META).insertOne(meta);
  await fillBoxes(db);
  return { db, url };
}

it('four concurrent processes do each part of each step once, in order', async () => {
  const { db } = await boxes();
  const done: string[] = [];
  const steps = testSteps((step, from) => void done.push(`${step} from ${from}`));
  const run = (me: string) => migrate({ db, steps, me, log: silent, takeOverAfterMs: 60_000 });
  await Promise.all(['a', 'b', 'c', 'd'].map(run));
  const parts = (step: string) =>
    Array.from({ length: PARTS }, (_, n) => `${step} from ${n === 0 ? undefined : n}`);
  expect(done).toEqual([...parts('paint'), ...parts('label')]);
  expect(await isAllDone(db)).toBe(true);
  await run('e');
  expect(done).toHaveLength(2 * PARTS);
});

it('a slow part is taken over, and it does no harm that the first process finishes it too', async () => {
  const { db } = await boxes();
  const slow: MigrationStep = {
    adds: 'a long part',
    async runPart(db, from) {
      await sleep(200);
      return testSteps()[0]!.runPart(db, from);
    },
  };
  const steps = [slow, testSteps()[1]!];
  const run = (me: string) => migrate({ db, steps, me, log: silent, takeOverAfterMs: 50 });
  await Promise.all(['a', 'b', 'c'].map(run));
  expect(await isAllDone(db)).toBe(true);
});

it('a failed step is tried again from the failed part', async () => {
  const { db } = await boxes();
  let failures = 0;
  const steps = testSteps((_, from) => {
    if (from === '3' && failures++ < 2) throw new Error('the disk is full');
  });
  const run = () => migrate({ db, steps, me: 'a', log: silent });
  await expect(run()).rejects.toThrow('the disk is full');
  await expect(run()).rejects.toThrow('the disk is full');
  expect(await db.collection<MetaDocument>(META).findOne({})).toMatchObject({ step: { by: 'a', at: '3' } });
  await run();
  expect(await isAllDone(db)).toBe(true);
});

it('three processes that are killed repeatedly finish the migration', {
  timeout: 180_000,
}, async () => {
  const { db, url } = await boxes();
  const random = seeded(7);
  let kills = 0;
  const untilItEnds = async () => {
    while ((await codeOf(program('steps', url, `${random.int(2, 6)}`))) !== 0) kills++;
  };
  await Promise.all([1, 2, 3].map(untilItEnds));
  expect(kills).toBeGreaterThan(3);
  expect(await isAllDone(db)).toBe(true);
});

it('the upgrade of a database of version 0.1 survives kill -9 before and after each of its writes, and loses nothing', {
  timeout: 180_000,
}, async () => {
  const url = mongo.server.anotherUrl();
  const saved = await loadVersion01(url);
  let kills = 0;
  while ((await codeOf(program('open', `${url}&monitorCommands=true`, `${kills + 1}`))) !== 0) kills++;
  expect(kills).toBeGreaterThan(6);
  const store = await openMongo({ url, log: silent });
  onTestFinished(() => store.close());
  const meta = await store.db.collection<MetaDocument>(META).findOne({});
  expect(meta).toMatchObject({ steps: stepsFor(1).length, schemaVersion: 1 });
  const offsets = Map.groupBy(saved.said, ({ item }) => item.room);
  for (const [room, said] of offsets)
    expect((await wholeLog(store, room)).map(({ clientOffset }) => clientOffset)).toEqual(
      said.map(({ item }) => item.clientOffset),
    );
});

it('finish-upgrade survives repeated kill -9: every device is signed in, once', {
  timeout: 240_000,
}, async () => {
  const url = mongo.server.anotherUrl();
  const saved = await loadVersion01(url);
  let kills = 0;
  while ((await codeOf(program('finish', `${url}&monitorCommands=true`, `${kills + 1}`))) !== 0) kills++;
  expect(kills).toBeGreaterThan(8);
  const store = await openMongo({ url, log: silent });
  onTestFinished(() => store.close());
  const meta = await store.db.collection<MetaDocument>(META).findOne({});
  expect(meta).toMatchObject({ steps: MIGRATION_STEPS.length, schemaVersion: VERSION, minVersion: VERSION });
  for (const { id, name } of saved.users) {
    const found = await store.users.byToken(`token of ${name}`);
    expect(found).toMatchObject({ user: { id, name } });
    expect(await store.users.byClaim(`claim of ${name}`, 0)).toEqual(found);
    expect(await store.users.devicesOf(id)).toMatchObject([{ id: found?.device }]);
  }
  expect(await store.db.collection('devices').countDocuments({ staged: { $exists: true } })).toBe(0);
});

/** Undefined where it was killed. */
async function codeOf(child: ChildProcess): Promise<number | undefined> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`the process ended with ${code} ${signal}`);
  return code ?? undefined;
}

function program(...args: string[]): ChildProcess {
  const child = fork(`${import.meta.dirname}/migrateChild.ts`, args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  dieTogether(child);
  return child;
}
