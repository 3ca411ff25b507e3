/** Errors of a real server, by fail points, and the results of the items. */
import {
  type BulkWriteResult,
  type Document,
  MongoBulkWriteError,
  MongoClient,
  MongoServerError,
} from 'mongodb';
import { expect, it, onTestFinished } from 'vitest';
import { collectionsOf } from '../../../../server/store/mongo/base/collections.ts';
import { faultOf } from '../../../../server/store/mongo/base/faults.ts';
import { openMongo } from '../../../../server/store/mongo/index.ts';
import { createInsert } from '../../../../server/store/mongo/insert.ts';
import { type NewEntry, type Store, Unavailable } from '../../../../server/store/port.ts';
import { append, appendNew, newId, newRoom, text, upTo, wholeLog } from '../../../contract/support.ts';
import { fakeServer } from './fakeServer.ts';
import { mongoHarness, mongoOfFile } from './harness.ts';

const mongo = mongoOfFile({ toBreak: true });

async function opened() {
  const harness = await mongoHarness(mongo.server);
  onTestFinished(() => harness.destroy());
  return harness.store;
}

async function fails(data: Document, times = 1): Promise<void> {
  await mongo.server.failPoint(data, { times });
  onTestFinished(() => mongo.server.clearFailPoints());
}

async function isUnknown(store: Store, items: readonly NewEntry[]): Promise<void> {
  const { results, stopped } = await store.log.append(items, 100);
  expect(results).toEqual([]);
  expect(stopped).toBeInstanceOf(Unavailable);
}

const FAILED_CONCERN = {
  code: 64,
  codeName: 'WriteConcernFailed',
  errmsg: 'waiting for replication timed out',
};

it('L4 an entry that the majority may not have is not acknowledged, and a repeat finds it', async () => {
  const store = await opened();
  const [room, me] = [await newRoom(store), newId()];
  const items = upTo(3).map((n) => text(room, me, `${n}`));
  await fails({ failCommands: ['insert'], writeConcernError: FAILED_CONCERN });
  await isUnknown(store, items);
  expect(await append(store, items, 200)).toEqual(
    upTo(3).map((serverOffset) => ({ tag: 'repeat', serverOffset, at: 100 })),
  );
});

it.each([true, false])('L4 a duplicate counts only without a write concern error (%j)', (isDurable) => {
  const message =
    'E11000 duplicate key error collection: x.entries index: entriesByOffset dup key: { room: "r" }';
  const concern = () => (isDurable ? undefined : FAILED_CONCERN);
  const result = { getWriteConcernError: concern } as unknown as BulkWriteResult;
  const error = new MongoBulkWriteError({ message, code: 11_000, writeErrors: [] }, result);
  expect(faultOf(error)).toMatchObject(
    isDurable ? { tag: 'duplicate', index: 'entriesByOffset' } : { tag: 'unknown' },
  );
});

const COLLATION = 'collation: { locale: "en", strength: 2 } ';
const E11000 = 'E11000 duplicate key error collection: chat.entries index: entriesByKey';

it.each([
  ['the text', { message: `${E11000} dup key: { room: "r" }` }],
  ['the text, with a collation', { message: `${E11000} ${COLLATION}dup key: { room: "0x3129" }` }],
  ['keyPattern', { message: 'E11000', keyPattern: { room: 1, author: 1, clientOffset: 1 } }],
])('L3 the index of a duplicate is known from %s', (_, answer) => {
  const error = new MongoServerError({ code: 11_000, ...answer });
  expect(faultOf(error)).toEqual({ tag: 'duplicate', index: 'entriesByKey' });
});

it('L3 a duplicate in an index with a collation is a repeat, also in the middle of a batch', async () => {
  const errmsg = `E11000 duplicate key error collection: chat.entries index: entriesByOffset ${COLLATION}dup key: { room: "r" }`;
  await using server = await fakeServer({
    answers: {
      insert: () => ({
        n: 1,
        writeErrors: [{ index: 1, code: 11_000, errmsg, keyPattern: { room: 1, serverOffset: 1 } }],
      }),
    },
  });
  await using client = await new MongoClient(`mongodb://${server.me}/chat`).connect();
  const insert = createInsert({ collections: collectionsOf(client.db()), by: 'me', onDurable: () => {} });
  const document = { room: 'r', author: 'a', clientOffset: 'c', at: 1, kind: 'text', body: 'x', digest: 'd' };
  const two = [1, 2].map((serverOffset) => ({ ...document, serverOffset }));
  expect(await insert(two)).toEqual({ tag: 'duplicate', inserted: 1, of: 'serverOffset' });
});

it('L4 a batch with a repeat whose write concern failed is not acknowledged', async () => {
  const store = await opened();
  const [room, me] = [await newRoom(store), newId()];
  const [first, second] = [text(room, me, '1'), text(room, me, '2')];
  await appendNew(store, [first]);
  await fails({ failCommands: ['insert'], writeConcernError: FAILED_CONCERN });
  await isUnknown(store, [second, first]);
  expect((await append(store, [second, first], 200)).map(({ tag }) => tag)).toEqual(['repeat', 'repeat']);
});

it.each([
  14_031, // OutOfDiskSpace
  50, // MaxTimeMSExpired
  112, // WriteConflict
  11_601, // Interrupted
  13, // Unauthorized: a permission was revoked
])('L4 an insert that ends in error %i is unknown; the next goes on', async (errorCode) => {
  const store = await opened();
  const [room, me] = [await newRoom(store), newId()];
  await appendNew(store, [text(room, me, 'before')]);
  const item = text(room, me, 'again');
  await fails({ failCommands: ['insert'], errorCode });
  await isUnknown(store, [item]);
  expect(await appendNew(store, [item])).toEqual([2]);
});

it('L3 an insert whose answer is lost is retried by the driver, and is one entry', async () => {
  const store = await opened();
  const [room, me] = [await newRoom(store), newId()];
  await appendNew(store, [text(room, me, 'before')]);
  await fails({ failCommands: ['insert'], closeConnection: true });
  expect(await appendNew(store, [text(room, me, 'once')])).toEqual([2]);
  expect(await wholeLog(store, room)).toHaveLength(2);
});

it('a failed read is Unavailable, and its message says nothing about the database', async () => {
  const store = await opened();
  const room = await newRoom(store);
  for (const ask of [
    () => store.log.range(room, 1, 10, 10_000),
    () => store.log.timesAt([{ room, serverOffset: 1 }]),
    () => store.rooms.byId(room),
    () => store.users.byToken('token'),
  ]) {
    await fails({ failCommands: ['find', 'aggregate'], errorCode: 8_000 });
    await expect(ask()).rejects.toMatchObject({
      name: 'Unavailable',
      message: 'The database does not answer; try again.',
    });
  }
});

it('a room whose head cannot be read is left out, and the others are returned', async () => {
  const store = await opened();
  const rooms = await Promise.all(upTo(3).map(() => newRoom(store)));
  await fails({ failCommands: ['find'], errorCode: 8_000 });
  expect((await store.log.heads(rooms)).size).toBe(2);
  expect((await store.log.heads(rooms)).size).toBe(3);
  const many = [...rooms, ...upTo(20).map(newId)];
  await fails({ failCommands: ['aggregate'], errorCode: 8_000 });
  expect((await store.log.heads(many)).size).toBe(23);
});

it('the log names the reason of an unavailable database once, not for every call', async () => {
  const said: object[] = [];
  const log = { warn: (fields: object) => said.push(fields), error: () => {} };
  const store = await openMongo({ url: mongo.server.anotherUrl(), log: log as never });
  onTestFinished(() => store.close());
  const room = await newRoom(store);
  await appendNew(store, [text(room, newId(), 'before')]);
  await fails({ failCommands: ['insert'], errorCode: 14_031 }, 20);
  for (const _ of upTo(20)) await isUnknown(store, [text(room, newId(), 'hello')]);
  expect(said).toEqual([{ reason: "There is no space left on the database's disk: free some." }]);
});

it.each([
  16 * 1024 * 1024 - 100, // too large together with the rest of the document
  17 * 1024 * 1024, // too large for the driver
])('L5 an item with a body of %i bytes fails alone, in the middle of a batch', async (size) => {
  const store = await opened();
  const [room, me] = [await newRoom(store), newId()];
  const items = ['a', 'x'.repeat(size), 'b'].map((body) => text(room, me, body));
  expect(await append(store, items, 5)).toEqual([
    { tag: 'appended', serverOffset: 1, at: 5 },
    { tag: 'failed', message: expect.any(String) },
    { tag: 'appended', serverOffset: 2, at: 5 },
  ]);
});

it('L5 an item whose content is nested too deeply for a server fails alone, in the middle of a batch', async () => {
  const store = await opened();
  const [room, me] = [await newRoom(store), newId()];
  const nested = (levels: number): Record<string, unknown> =>
    JSON.parse(`${`{"a":`.repeat(levels)}1${'}'.repeat(levels)}`);
  const deep = (levels: number) => ({ ...text(room, me, 'x'), content: nested(levels) });
  const batch = [text(room, me, 'before'), deep(90), deep(91), deep(5_000), text(room, me, 'behind')];
  expect((await append(store, batch)).map(({ tag }) => tag)).toEqual([
    'appended',
    'appended',
    'failed',
    'failed',
    'appended',
  ]);
  expect((await wholeLog(store, room))[1]).toMatchObject(nested(90));
});

it('the message of a refusal does not contain the refused content', async () => {
  const store = await opened();
  const [room, me] = [await newRoom(store), newId()];
  const bad = { ...text(room, me, 'secret'), body: 31_722 as unknown as string };
  expect(await append(store, [bad])).toEqual([{ tag: 'failed', message: 'The document failed validation.' }]);
});

it('an entry that the validator refuses is refused for every writer', async () => {
  const harness = await mongoHarness(mongo.server);
  onTestFinished(() => harness.destroy());
  await using client = await new MongoClient(harness.url).connect();
  const insert = client.db().collection('entries').insertOne({ room: 'r', serverOffset: 1, kind: 'riddle' });
  await expect(insert).rejects.toMatchObject({ code: 121 });
});
