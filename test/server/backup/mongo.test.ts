/** `npm run restore` after an operator's own mongorestore. */
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { META_ID } from '../../../server/store/mongo/base/collections.ts';
import { type MongoServer, startMongo } from '../../support/mongo/index.ts';
import { operate } from '../../support/operator.ts';
import { startServer } from '../../support/serverProcess.ts';
import { speaker } from './shared.ts';

let mongo: MongoServer;
beforeAll(async () => {
  mongo = await startMongo();
});
afterAll(() => mongo[Symbol.asyncDispose]());

async function metaAt(url: string, change?: object) {
  await using client = new MongoClient(url);
  const meta = client.db().collection<{ _id: string; epoch: string }>('meta');
  if (change) await meta.updateOne({ _id: META_ID }, { $set: change });
  return await meta.findOne({ _id: META_ID });
}

test('S1 on MongoDB a restore without a file gives a new epoch, and says to restart every process', async () => {
  const mongoUrl = mongo.anotherUrl();
  await using server = await startServer({ env: { MONGODB_URL: mongoUrl } });
  await speaker(server.url, 'Ada', 'hello');
  const before = await metaAt(mongoUrl);
  const { code, output } = await operate('restore', [], { mongoUrl });
  expect([code, output]).toEqual([0, expect.stringContaining('Restart every Holdfast process now.')]);
  const after = await metaAt(mongoUrl);
  expect(after).toEqual({ ...before, epoch: expect.stringMatching(/^[\w-]{22}$/) });
  expect(after!.epoch).not.toBe(before!.epoch);
});

test('invalid input on MongoDB: one sentence that says what to do', async () => {
  const mongoUrl = mongo.anotherUrl();
  const say = async (...files: string[]) => (await operate('restore', files, { mongoUrl })).output.trim();
  expect(await say('copy.db')).toMatch(
    /restore the copy with mongorestore .* then call this without a file\.$/,
  );
  expect(await say()).toMatch(
    /is not a database of Holdfast: restore the copy with mongorestore first, or correct MONGODB_URL\.$/,
  );
  expect(await metaAt(mongoUrl)).toBeNull(); // nothing was created there
  await using server = await startServer({ env: { MONGODB_URL: mongoUrl } });
  await server.stop();
  await metaAt(mongoUrl, { schemaVersion: 99 });
  expect(await say()).toMatch(/newer version of Holdfast/);
});
