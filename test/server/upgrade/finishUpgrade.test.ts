/** `npm run finish-upgrade`, as an operator calls it. */
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VERSION } from '../../../server/store/mongo/base/collections.ts';
import { type MongoServer, startMongo } from '../../support/mongo/index.ts';
import { loadVersion01 } from '../../support/mongo/version01.ts';
import { type Ran, run } from '../../support/tools.ts';

let mongo: MongoServer;
beforeAll(async () => {
  mongo = await startMongo({ toBreak: true });
});
afterAll(() => mongo[Symbol.asyncDispose]());

function finishUpgrade(mongoUrl: string): Promise<Ran> {
  return run(process.execPath, ['server/upgrade/main.ts'], { env: { MONGODB_URL: mongoUrl } });
}

async function metaAt(url: string) {
  await using client = new MongoClient(url);
  return await client.db().collection('meta').findOne({});
}

test('upgrades the database of an older version; a second call has nothing to do', async () => {
  const url = mongo.anotherUrl();
  await loadVersion01(url);
  expect(await metaAt(url)).toMatchObject({ schemaVersion: 1 });
  const { code, output } = await finishUpgrade(url);
  expect([code, output]).toEqual([0, expect.stringContaining('The upgrade is finished.')]);
  expect(await metaAt(url)).toMatchObject({ schemaVersion: VERSION, minVersion: VERSION });
  expect((await finishUpgrade(url)).output).toMatch(
    /^There is nothing to do: this database already belongs to this version/,
  );
});

test('invalid input: one sentence that says what to do, and nothing is changed', async () => {
  const empty = mongo.anotherUrl();
  const nothing = await finishUpgrade(empty);
  expect([nothing.code, nothing.output]).toEqual([
    78,
    expect.stringMatching(/is not a database of Holdfast: .* correct MONGODB_URL/),
  ]);
  expect(await metaAt(empty)).toBeNull();

  const url = mongo.anotherUrl();
  await loadVersion01(url);
  await mongo.failPoint({ failCommands: ['collMod'], errorCode: 13 }, { times: 1 });
  const refused = await finishUpgrade(url);
  expect([refused.code, refused.output.trim().split('\n').at(-1)]).toEqual([
    78,
    expect.stringMatching(
      /^The user of MONGODB_URL may not change the validator .*: .* give it the role dbAdmin there/,
    ),
  ]);
  expect(await metaAt(url)).toMatchObject({ schemaVersion: 1 });

  expect(await finishUpgrade('')).toMatchObject({
    code: 0,
    output: expect.stringMatching(/^Without MONGODB_URL there is nothing/),
  });
  expect((await finishUpgrade('postgres://host/chat')).output).toMatch(/MONGODB_URL/);
});
