/** The tail on a real database, with fail points. */
// @module-tag slow
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type MongoStore, openMongo } from '../../../../../server/store/mongo/index.ts';
import { POOL_SIZE } from '../../../../../server/store/mongo/open/connect.ts';
import { STALL_MS } from '../../../../../server/store/mongo/tail/streamFailure.ts';
import { append, newId, newRoom, text, upTo, wholeLog } from '../../../../contract/support.ts';
import { type MongoServer, startMongo } from '../../../../support/mongo/index.ts';
import { waitFor } from '../../../../support/waitFor.ts';
import { silent } from '../harness.ts';

let mongo: MongoServer;
let store: MongoStore;
beforeAll(async () => {
  mongo = await startMongo();
  store = await openMongo({ url: mongo.url, log: silent });
});
afterEach(() => mongo.clearFailPoints());
afterAll(async () => {
  await store?.close();
  await mongo?.[Symbol.asyncDispose]();
});

const SLOW = { timeout: 60_000 };

/** A tail, and a writer whose entries arrive. */
async function scene() {
  const room = await newRoom(store);
  const me = newId();
  const heard: number[] = [];
  let gaps = 0;
  const tail = await store.log.tail(undefined, {
    onBatch: (batch) => void heard.push(...batch.map(({ entry }) => entry.serverOffset)),
    onGap: () => gaps++,
  });
  onTestFinished(() => tail.close());
  const write = () => append(store, [text(room, me, 'a'), text(room, me, 'b')]);
  await write();
  await waitFor('the first are heard', () => heard.length === 2);
  return {
    tail,
    room,
    heard,
    write,
    gaps: () => gaps,
    /** Every entry of the log once, in order. */
    async heardAll() {
      const offsets = (await wholeLog(store, room)).map(({ serverOffset }) => serverOffset);
      await waitFor('all is heard', () => heard.length >= offsets.length, 20_000);
      expect(heard).toEqual(offsets);
    },
  };
}

it.each([
  ['connections that are cut', { closeConnection: true }],
  ['a shutdown (11600)', { errorCode: 11_600 }],
  ['a cursor that is gone (43)', { errorCode: 43 }],
  ['an election (189)', { errorCode: 189 }],
])('S2 nothing is missed over %s', async (_, fault) => {
  const { write, heardAll, gaps } = await scene();
  await mongo.failPoint({ failCommands: ['getMore'], ...fault }, { times: 4 });
  await write();
  await heardAll();
  await write();
  await heardAll();
  expect(gaps()).toBe(0);
});

it('a stream that cannot be reopened is tried until it succeeds', async () => {
  const { tail, write, heardAll, gaps } = await scene();
  await mongo.failPoint({ failCommands: ['getMore', 'aggregate'], closeConnection: true }, { times: 6 });
  await waitFor('the tail says that it does not hear', () => !tail.isOpen());
  await waitFor('the tail hears again', () => tail.isOpen());
  await write();
  await heardAll();
  expect(gaps()).toBe(0);
});

it.each([286, 280])(
  'a stream that cannot be resumed (%i) is a gap, and restarts at the present',
  async (code) => {
    const { tail, write, heard, gaps } = await scene();
    await mongo.failPoint({ failCommands: ['getMore'], errorCode: code }, { times: 1 });
    await waitFor('the gap', () => gaps() === 1);
    await write();
    await waitFor('what came after', () => heard.includes(4));
    expect(tail.isOpen()).toBe(true);
    await tail.close();
  },
);

it('a dropped collection is a gap, and later writes are delivered', async () => {
  const another = await openMongo({ url: mongo.anotherUrl(), log: silent });
  let gaps = 0;
  const heard: string[] = [];
  await another.log.tail(undefined, {
    onBatch: (batch) => void heard.push(...batch.map(({ entry }) => entry.clientOffset)),
    onGap: () => gaps++,
  });
  await another.db.collection('entries').drop();
  await waitFor('the gap', () => gaps === 1);
  const item = text(await newRoom(another), newId(), 'after');
  await append(another, [item]);
  await waitFor('it is heard', () => heard.includes(item.clientOffset));
  await another.close();
});

it(
  'a stream that hangs without an error is noticed within seconds and reopened, with nothing missed',
  SLOW,
  async () => {
    const { write, heard, heardAll, gaps } = await scene();
    const hang = { failCommands: ['getMore'], blockConnection: true, blockTimeMS: 60_000 };
    await mongo.failPoint(hang, { times: 1 });
    await write();
    await waitFor('the round that was under way', () => heard.length === 4);
    const from = performance.now();
    await write();
    await heardAll();
    expect(performance.now() - from).toBeGreaterThan(STALL_MS / 2); // it did hang
    expect(gaps()).toBe(0);
  },
);

it(
  'a database that hangs is noticed within seconds, and nothing is missed when it continues',
  SLOW,
  async () => {
    const { tail, write, heardAll, gaps } = await scene();
    mongo.pause();
    try {
      await waitFor('the tail says that it does not hear', () => !tail.isOpen(), 8_000);
    } finally {
      mongo.resume();
    }
    await waitFor('the tail hears again', () => tail.isOpen(), 20_000);
    await writable(write);
    await heardAll();
    expect(gaps()).toBe(0);
  },
);

it('L2 nothing is missed when the database is killed and restarted', SLOW, async () => {
  const { tail, write, heardAll, gaps } = await scene();
  await write();
  await mongo.kill9();
  await waitFor('the tail says that it does not hear', () => !tail.isOpen());
  await mongo.start();
  await writable(write);
  await heardAll();
  expect(gaps()).toBe(0);
});

it('nothing is missed over a step-down', SLOW, async () => {
  const { write, heardAll } = await scene();
  await mongo.stepDown();
  await writable(write);
  await heardAll();
});

it('entries of others arrive while every connection of the calls waits for the database', SLOW, async () => {
  const url = `${mongo.anotherUrl()}&monitorCommands=true`;
  const [busy, writer] = [await openMongo({ url, log: silent }), await new MongoClient(url).connect()];
  onTestFinished(() => Promise.all([busy, writer].map((one) => one.close())).then(() => {}));
  const [room, me] = [await newRoom(busy), newId()];
  await append(busy, [text(room, me, 'a sample')]);
  const entries = writer.db().collection('entries');
  const { _id, ...sample } = (await entries.findOne({ room }))!;
  const heard: number[] = [];
  await busy.log.tail(undefined, {
    onBatch: (batch) => void heard.push(...batch.map(({ entry }) => entry.serverOffset)),
    onGap: () => {},
  });
  let [asked, ended] = [0, 0];
  busy.db.client.on('commandStarted', ({ command }) => {
    if (command.find === 'users') asked++;
  });
  await mongo.failPoint({ failCommands: ['find'], blockConnection: true, blockTimeMS: 3_000 }, 'alwaysOn');
  const calls = upTo(2 * POOL_SIZE).map(() =>
    busy.db
      .collection('users')
      .findOne()
      .catch(() => {})
      .then(() => ended++),
  );
  await waitFor('no connection is free', () => asked >= POOL_SIZE);
  await entries.insertOne({ ...sample, serverOffset: 2, clientOffset: newId() });
  await waitFor('it is heard', () => heard.includes(2));
  expect(ended).toBeLessThan(POOL_SIZE);
  await mongo.clearFailPoints();
  await Promise.all(calls);
});

/** Resolves once a write succeeded. */
function writable(write: () => Promise<unknown>): Promise<unknown> {
  return waitFor('it can be written', () =>
    write().then(
      () => true,
      () => false,
    ),
  );
}
