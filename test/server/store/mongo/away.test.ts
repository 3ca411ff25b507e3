/** A database that stops answering, and recovers. */
// @module-tag slow
import { expect, it, type TestContext } from 'vitest';
import { type MongoStore, openMongo } from '../../../../server/store/mongo/index.ts';
import { Unavailable } from '../../../../server/store/port.ts';
import { ACKNOWLEDGE_WITHIN_MS } from '../../../../shared/limits.ts';
import { append, appendNew, newId, newRoom, text, upTo, wholeLog } from '../../../contract/support.ts';
import { startMongo } from '../../../support/mongo/index.ts';
import { startProxy } from '../../../support/proxy.ts';
import { waitFor } from '../../../support/waitFor.ts';
import { silent } from './harness.ts';

/** The tests run concurrently, each with a database of its own. */
async function scene(onTestFinished: TestContext['onTestFinished']) {
  const server = await startMongo({ toBreak: true });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const proxy = await startProxy(server.port);
  onTestFinished(() => proxy.close());
  const store = await openMongo({ url: server.urlThrough(proxy.port), log: silent });
  onTestFinished(() => store.close());
  const [room, me] = [await newRoom(store), newId()];
  await appendNew(store, [text(room, me, 'before')]);
  return { server, proxy, store, room, me };
}

/** All kinds of calls concurrently; each must fail in time. */
async function allUnavailable(store: MongoStore, room: string): Promise<void> {
  const began = performance.now();
  const appends = upTo(3).map(async (n) => {
    const { results, stopped } = await store.log.append([text(room, newId(), `lost ${n}`)], 1);
    expect(results).toEqual([]);
    expect(stopped).toBeInstanceOf(Unavailable);
  });
  const reads = [
    store.ping(),
    store.log.range(room, 1, 10, 10_000),
    store.log.heads([room]),
    store.log.find([text(room, newId(), 'never')]),
    store.rooms.ofUser(newId()),
    store.rooms.create({ id: newId(), kind: 'public', name: 'x', createdBy: newId(), createdAt: 1 }),
    store.users.byId(newId()),
  ].map((asked) => expect(asked).rejects.toBeInstanceOf(Unavailable));
  await Promise.all([...appends, ...reads]);
  expect(performance.now() - began).toBeLessThan(ACKNOWLEDGE_WITHIN_MS);
}

async function goesOn(store: MongoStore, room: string, me: string): Promise<void> {
  await waitFor(
    'it answers again',
    () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    20_000,
  );
  const item = text(room, me, 'after');
  await waitFor('it can be written to', async () => !(await store.log.append([item], 2)).stopped, 20_000);
  expect((await append(store, [item])).map(({ tag }) => tag)).toEqual(['repeat']);
  const log = await wholeLog(store, room);
  expect(log.map(({ serverOffset }) => serverOffset)).toEqual(upTo(log.length)); // L1
}

it.concurrent('L4 a database that hangs: everything is Unavailable in time, and goes on when it wakes', {
  timeout: 60_000,
}, async ({ onTestFinished }) => {
  const { server, store, room, me } = await scene(onTestFinished);
  await server.pause();
  await allUnavailable(store, room);
  server.resume();
  await goesOn(store, room, me);
});

it.concurrent('L4 connections that are dead without a word: the same', { timeout: 60_000 }, async ({
  onTestFinished,
}) => {
  const { proxy, store, room, me } = await scene(onTestFinished);
  proxy.stall();
  await allUnavailable(store, room);
  proxy.cut();
  proxy.pass();
  await goesOn(store, room, me);
});

it.concurrent('L4 a database that is gone: the same, also when it is closed meanwhile', {
  timeout: 60_000,
}, async ({ onTestFinished }) => {
  const { server, store, room, me } = await scene(onTestFinished);
  await server.kill9();
  await allUnavailable(store, room);
  await server.start();
  await goesOn(store, room, me);
  await server.kill9();
  const lost = store.log.append([text(room, me, 'lost')], 3);
  const began = performance.now();
  await store.close();
  expect(performance.now() - began).toBeLessThan(ACKNOWLEDGE_WITHIN_MS);
  expect((await lost).stopped).toBeInstanceOf(Unavailable);
});
