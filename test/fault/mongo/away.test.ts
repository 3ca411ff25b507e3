/** A database that becomes unavailable while the server runs, or that is unusable at the start. */
// @module-tag slow
import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { openMongo } from '../../../server/store/mongo/index.ts';
import { Unavailable } from '../../../server/store/port.ts';
import { text as entry, newId, newRoom, upTo } from '../../contract/support.ts';
import { connectClient, signUp, text, wholeLog } from '../../support/api.ts';
import { startMongo } from '../../support/mongo/index.ts';
import { freePort } from '../../support/mongo/port.ts';
import { runServerToItsEnd, startServer } from '../../support/serverProcess.ts';
import { waitFor } from '../../support/waitFor.ts';

const EX_CONFIG = 78;

describe('a server that cannot start prints one sentence that says what to do', { timeout: 30_000 }, () => {
  async function sentenceFor(url: string): Promise<string> {
    const { code, output } = await runServerToItsEnd({ MONGODB_URL: url, LOG_LEVEL: 'error' });
    expect(output.trim()).toMatch(/^[^\n]+\.$/);
    expect(code).toBe(EX_CONFIG);
    return output;
  }

  test('a database of MongoDB itself; the message does not contain the password', async () => {
    const port = await freePort();
    const said = await sentenceFor(`mongodb://ada:hush-hush@127.0.0.1:${port}/admin`);
    expect(said).toContain('"admin"');
    expect(said).not.toContain('hush');
  });

  test('an invalid MONGODB_URL', async () => {
    expect(await sentenceFor('mongo://ada:hush-hush@127.0.0.1/holdfast')).not.toContain('hush');
  });

  test('a server that is not a replica set', async () => {
    await using mongo = await startMongo({ standalone: true });
    expect(await sentenceFor(mongo.url)).toContain('replica set');
  });

  test('a database with the data of another application, which stays unchanged', async () => {
    await using mongo = await startMongo();
    await using client = new MongoClient(mongo.url);
    await client.db().collection('rooms').insertOne({ number: 12, beds: 2 });
    expect(await sentenceFor(mongo.url)).toContain(client.db().databaseName);
    expect(await client.db().collections()).toHaveLength(1);
  });
});

test('L4 the database is unavailable: /readyz 503, append unavailable; when it is back, everything recovers by itself', {
  timeout: 60_000,
}, async () => {
  await using mongo = await startMongo({ toBreak: true });
  await using server = await startServer({ env: { MONGODB_URL: mongo.url } });
  const session = await signUp(server.url, 'Ada');
  using ada = await connectClient(server.url, session);
  const readiness = async () => (await fetch(`${server.url}/readyz`)).status;
  expect(await readiness()).toBe(200);

  await mongo.kill9();
  await waitFor('/readyz is 503', async () => (await readiness()) === 503);
  const item = text('said into the void');
  expect(await ada.append(item)).toMatchObject({ ok: true, results: [], stopped: { code: 'unavailable' } });
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);

  await mongo.start();
  await waitFor('it is ready again', async () => (await readiness()) === 200, 30_000);
  await waitFor('it accepts the queued item', async () => {
    const answer = await ada.append(item);
    return answer.ok && answer.results.length === 1;
  });
  await ada.hears('said into the void');
  expect((await wholeLog(server.url, session)).filter(({ kind }) => kind === 'text')).toHaveLength(1);
});

test('L4 a database killed while more is written to it than the socket buffers hold: Unavailable, no other error', async () => {
  await using mongo = await startMongo({ toBreak: true });
  const store = await openMongo({ url: mongo.url, log: pino({ level: 'silent' }) });
  await using _ = { [Symbol.asyncDispose]: () => store.close() };
  const room = await newRoom(store);
  const author = newId();
  const items = upTo(1_000).map((n) => entry(room, author, `${n}`.padEnd(4_000, '€')));
  await store.log.append(items.slice(0, 1), 1);

  await mongo.pause();
  const outcome = store.log.append(items.slice(1), 1);
  await store.ping().catch(() => {}); // earlier commands have been sent by now
  await mongo.kill9();
  expect(await outcome).toMatchObject({ results: [], stopped: expect.any(Unavailable) });
});
