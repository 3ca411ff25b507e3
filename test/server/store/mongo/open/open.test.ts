/** A MongoDB that cannot be used: each case has an error message of one sentence that says what to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Db, MongoClient, MongoNetworkError } from 'mongodb';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type MongoStore, openMongo } from '../../../../../server/store/mongo/index.ts';
import { NO_FAILURES, stallAfterMs } from '../../../../../server/store/mongo/tail/streamFailure.ts';
import { Unusable } from '../../../../../server/store/port.ts';
import { LOBBY } from '../../../../../shared/mint.ts';
import { appendNew, newId, text, upTo } from '../../../../contract/support.ts';
import { startMongo } from '../../../../support/mongo/index.ts';
import { fakeServer, primary } from '../fakeServer.ts';
import { mongoOfFile, silent } from '../harness.ts';

const mongo = mongoOfFile({ toBreak: true });

async function open(url: string): Promise<MongoStore> {
  const store = await openMongo({ url, log: silent });
  onTestFinished(() => store.close());
  return store;
}

async function refusal(url: string): Promise<string> {
  const error = await open(url).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Unusable);
  return (error as Unusable).message;
}

async function databaseOf(url: string) {
  const client = await new MongoClient(url).connect();
  onTestFinished(() => client.close());
  return client.db();
}

describe('a database that cannot be used', () => {
  it.each([
    'http://user:hunter2@db.example/holdfast',
    'mongodb://user:hunter2@/holdfast',
    'mongodb://user:hunter2@host:99999/x',
    'mongodb://user:hunter2@host/x?replicaSet',
    'hunter2',
  ])('no address of a MongoDB (%s), which is not repeated', async (url) => {
    const sentence = await refusal(url);
    expect(sentence).toBe(
      'MONGODB_URL is not the address of a MongoDB: write it like mongodb://host:27017/holdfast?replicaSet=rs0.',
    );
  });

  it('a MongoDB that is not a replica set', async () => {
    await using standalone = await startMongo({ standalone: true });
    const sentence = await refusal(standalone.url);
    expect(sentence).toContain(`127.0.0.1:${standalone.port} is not a replica set: start it with --replSet`);
  });

  it.each([8, 13, 16])('a MongoDB that is too old (wire version %i)', async (maxWireVersion) => {
    await using old = await fakeServer({ hello: (me) => ({ ...primary(me), maxWireVersion }) });
    expect(await refusal(`mongodb://${old.me}/x`)).toBe(
      `The MongoDB at ${old.me} is too old: install MongoDB 6.0 or a later one.`,
    );
  });

  it('the data of another application, which is not touched', async () => {
    const url = mongo.server.anotherUrl();
    const db = await databaseOf(url);
    await db.collection('recipes').insertOne({ name: 'soup' });
    expect(await refusal(url)).toMatch(/belongs to another application: name another one in MONGODB_URL/);
    expect((await db.listCollections().toArray()).map(({ name }) => name)).toEqual(['recipes']);
  });

  it('a collection of another application with the name of ours', async () => {
    const url = mongo.server.anotherUrl();
    const meta = (await databaseOf(url)).collection('meta');
    await meta.insertOne({ title: 'what it is about' });
    expect(await refusal(url)).toMatch(/belongs to another application/);
    expect(await meta.countDocuments()).toBe(1);
  });

  it('a database that a newer version wrote', async () => {
    const url = mongo.server.anotherUrl();
    await (await open(url)).close();
    await (await databaseOf(url)).collection('meta').updateOne({}, { $inc: { schemaVersion: 1 } });
    expect(await refusal(url)).toMatch(/was written by a newer version of Holdfast: install that version/);
  });

  it('an index with our name and another key', async () => {
    const url = mongo.server.anotherUrl();
    const db = await databaseOf(url);
    await (await open(url)).close();
    await db.collection('rooms').dropIndexes();
    await db.collection('rooms').createIndex({ name: 1 }, { name: 'roomsByKind' });
    expect(await refusal(url)).toMatch(/has indexes that Holdfast did not make \(.*\): drop them/);
  });

  it.each(['listCollections', 'find', 'insert', 'create', 'createIndexes'])(
    'a database that does not permit %s without a user',
    async (command) => {
      const url = mongo.server.anotherUrl();
      await mongo.server.failPoint({ failCommands: [command], errorCode: 13 }, { times: 1 });
      onTestFinished(() => mongo.server.clearFailPoints());
      expect(await refusal(url)).toMatch(/ serves only its users: write one into MONGODB_URL/);
    },
  );

  it('a wrong password', async () => {
    const server = await startMongo({ toBreak: true });
    onTestFinished(() => server[Symbol.asyncDispose]());
    await server.command({ createUser: 'ada', pwd: 'right', roles: ['root'] });
    await server.stop();
    await server.start({ auth: true });
    const url = server.url.replace('//', '//ada:wr0ng@').concat('&authSource=admin');
    const sentence = await refusal(url);
    expect(sentence).toMatch(/refuses the user or password of MONGODB_URL: correct them/);
    expect(sentence).not.toContain('wr0ng');
    await open(url.replace('wr0ng', 'right'));
  });
});

it('a database that starts in the meantime is used', { tags: ['slow'], timeout: 60_000 }, async () => {
  const server = await startMongo({ toBreak: true });
  onTestFinished(() => server[Symbol.asyncDispose]());
  await server.stop();
  const opening = openMongo({ url: server.url, log: silent });
  await sleep(1_000); // the database is late on purpose
  await server.start();
  const store = await opening;
  expect(store.epoch).toMatch(/^[\w-]{22}$/);
  await store.close();
});

it("a process whose clock is an hour ahead has the database's time, also if the database goes away as it opens", async () => {
  const right = Date.now;
  vi.spyOn(Date, 'now').mockImplementation(() => right() + 3_600_000);
  const { command } = Db.prototype;
  let asked = 0;
  const goesAway = vi.spyOn(Db.prototype, 'command').mockImplementation(function (this: Db, ...args) {
    if ('hello' in args[0] && asked++ > 0) return Promise.reject(new MongoNetworkError('away'));
    return command.apply(this, args);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const store = await open(mongo.server.anotherUrl());
  expect(goesAway).toHaveBeenCalled();
  const { now } = store;
  expect(Math.abs(now() - right())).toBeLessThan(10_000);
});

describe('an empty database', () => {
  it('opened by five processes concurrently it is one database, with one lobby', async () => {
    const url = mongo.server.anotherUrl();
    const stores = await Promise.all(upTo(5).map(() => open(url)));
    expect(new Set(stores.map(({ epoch }) => epoch)).size).toBe(1);
    const lobbies = await Promise.all(stores.map((store) => store.rooms.byId(LOBBY)));
    for (const lobby of lobbies) expect(lobby).toEqual(lobbies[0]);
    expect(
      await Promise.all(stores.map((store) => appendNew(store, [text(LOBBY, newId(), 'hello')]))),
    ).toHaveLength(5);
  });

  it('is called holdfast if the URL names no database', async () => {
    const store = await open(mongo.server.url.replace(/\/holdfast_test_\w+/, '/'));
    expect(store.db.databaseName).toBe('holdfast');
  });

  it('uses its own read and write concerns, whatever the URL says', async () => {
    const url = `${mongo.server.anotherUrl()}&w=0&journal=false&retryWrites=false&readConcernLevel=local&readPreference=secondary`;
    const store = await open(url);
    expect(store.db.writeConcern).toMatchObject({ w: 'majority', journal: true, wtimeoutMS: 5_000 });
    expect(store.db.readConcern?.level).toBe('majority');
    expect(store.db.readPreference?.mode).toBe('primary');
    expect(store.db.client.options.retryWrites).toBe(true);
    expect(store.streams.writeConcern).toEqual(store.db.writeConcern);
    expect(store.streams.readConcern).toEqual(store.db.readConcern);
    expect(await appendNew(store, [text(LOBBY, newId(), 'hello')])).toEqual([1]);
  });

  it('a change stream is waited for by the tail, not cut off by the timeout of its socket', async () => {
    const { streams } = await open(mongo.server.anotherUrl());
    const longest = stallAfterMs({ ...NO_FAILURES, stalls: 100 });
    expect(streams.client.options.socketTimeoutMS).toBeGreaterThan(longest);
  });
});
