/** Tests of the test database and its fault injection. */
// @module-tag slow
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { MongoClient } from 'mongodb';
import { expect, test } from 'vitest';
import { ROOT } from '../tools.ts';
import { waitFor } from '../waitFor.ts';
import { startMongo } from './index.ts';
import { throughPort, withDatabase } from './url.ts';

function connect(url: string, options = {}): MongoClient {
  return new MongoClient(url, { serverSelectionTimeoutMS: 5_000, ...options });
}

test('an unused database of a replica set accepts majority writes', async () => {
  await using one = await startMongo();
  await using other = await startMongo();
  await using here = connect(one.url);
  await using there = connect(other.url);
  const [mine, theirs] = [here, there].map((client) => client.db().collection('things'));
  await mine!.insertOne({ a: 1 }, { writeConcern: { w: 'majority', j: true } });
  expect(await mine!.countDocuments()).toBe(1);
  expect(await theirs!.countDocuments()).toBe(0);
});

test('writes are there after a kill -9, at the same URL', async () => {
  await using mongo = await startMongo({ toBreak: true });
  await using client = connect(mongo.url);
  const things = client.db().collection('things');
  await things.insertOne({ a: 1 }, { writeConcern: { w: 'majority', j: true } });
  const { pid } = mongo;
  await mongo.kill9();
  await mongo.start();
  expect(mongo.pid).not.toBe(pid);
  expect(await things.countDocuments()).toBe(1);
});

test('a fail point makes a command fail the given number of times', async () => {
  await using mongo = await startMongo({ toBreak: true });
  await using client = connect(mongo.url);
  const things = client.db().collection('things');
  await mongo.failPoint({ failCommands: ['insert'], errorCode: 13 }, { times: 1 });
  await expect(things.insertOne({ a: 1 })).rejects.toMatchObject({ code: 13 });
  await things.insertOne({ a: 2 });
  await mongo.failPoint({ failCommands: ['insert'], errorCode: 13 }, 'alwaysOn');
  await mongo.clearFailPoints();
  await things.insertOne({ a: 3 });
  expect(await things.countDocuments()).toBe(2);
});

test('a primary that steps down refuses writes and accepts them again later', async () => {
  await using mongo = await startMongo({ toBreak: true });
  await using client = connect(mongo.url, { retryWrites: false });
  const things = client.db().collection('things');
  await things.insertOne({ a: 1 });
  await mongo.stepDown();
  await expect(things.insertOne({ a: 1 })).rejects.toMatchObject({ codeName: 'NotWritablePrimary' });
  await waitFor('it is primary again', () =>
    things.insertOne({ a: 1 }).then(
      () => true,
      () => false,
    ),
  );
});

test('a paused server does not answer until it is resumed', async () => {
  await using mongo = await startMongo({ toBreak: true });
  await using client = connect(mongo.url);
  const things = client.db().collection('things');
  await things.insertOne({ a: 1 });
  await mongo.pause();
  const answer = things.countDocuments();
  expect(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 200, 'nothing'))])).toBe(
    'nothing',
  );
  mongo.resume();
  expect(await answer).toBe(1);
});

test('a standalone server is not a replica set', async () => {
  await using mongo = await startMongo({ standalone: true });
  const hello = await mongo.command({ hello: 1 });
  expect(hello).toMatchObject({ isWritablePrimary: true });
  expect(hello).not.toHaveProperty('setName');
});

test('the server ends when its test is killed', async () => {
  const script = `import { startMongo } from ${JSON.stringify(`${ROOT}/test/support/mongo/index.ts`)};
    const mongo = await startMongo({ toBreak: true });
    console.log(mongo.pid);
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { cwd: ROOT });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const pid = Number((await lines.next()).value);
  expect(isAlive(pid)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await waitFor('it has ended', () => !isAlive(pid));
});

test.each([
  ['mongodb://host', 'mongodb://host/x'],
  ['mongodb://u:p@a:1,b:2/other?replicaSet=rs&w=1', 'mongodb://u:p@a:1,b:2/x?replicaSet=rs&w=1'],
  ['mongodb+srv://host/?tls=true', 'mongodb+srv://host/x?tls=true'],
])('a server that is given is used under a name of our own: %s', (given, used) => {
  expect(withDatabase(given, 'x')).toBe(used);
});

test('through a proxy, the driver uses only the proxy', () => {
  const url = 'mongodb://127.0.0.1:1/x?replicaSet=rs&heartbeatFrequencyMS=500';
  expect(throughPort(url, 2)).toBe('mongodb://127.0.0.1:2/x?heartbeatFrequencyMS=500&directConnection=true');
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
