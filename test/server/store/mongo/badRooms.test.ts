/** Documents that were inserted, removed or restored by hand affect only their own room. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Document, Double, Long, ObjectId } from 'mongodb';
import * as v from 'valibot';
import { expect, it, onTestFinished } from 'vitest';
import { openMongo } from '../../../../server/store/mongo/index.ts';
import { Unavailable } from '../../../../server/store/port.ts';
import { Entry } from '../../../../shared/entry.ts';
import {
  append,
  appendNew,
  edit,
  join,
  listen,
  newId,
  newRoom,
  remove,
  text,
  upTo,
  wholeLog,
} from '../../../contract/support.ts';
import { waitFor } from '../../../support/waitFor.ts';
import { mongoHarness, mongoOfFile, silent } from './harness.ts';

const mongo = mongoOfFile({ toBreak: true });

async function scene() {
  const harness = await mongoHarness(mongo.server);
  onTestFinished(() => harness.destroy());
  const { store } = harness;
  const [bad, good, me] = [await newRoom(store), await newRoom(store), newId()];
  const mine = text(bad, me, 'before');
  await appendNew(store, [join(bad, me), join(good, me), mine], 100);
  /** Bypasses the validator, at the next serverOffset. */
  const put = async (document: Document) => {
    const serverOffset = (await harness.entries.countDocuments({ room: bad })) + 1;
    const whole = { room: bad, serverOffset, author: me, clientOffset: newId(), at: 200, digest: 'd' };
    const entry = Object.fromEntries(
      Object.entries({ ...whole, ...document }).filter(([, value]) => value !== undefined),
    );
    await harness.entries.insertOne(entry as never, { bypassDocumentValidation: true });
  };
  return { harness, store, bad, good, me, mine, put };
}

const BROKEN: [string, Document][] = [
  ['no kind', {}],
  ['a number for a kind', { kind: 7 }],
  ['a text without a body', { kind: 'text' }],
  ['a number for a body', { kind: 'text', body: 7 }],
  ['an edit without a target', { kind: 'edit', body: 'x' }],
  ['a word for a target', { kind: 'delete', target: 'x' }],
  ['a subject that is no user', { kind: 'sticker', subject: 'somebody' }],
  ['a list for content', { kind: 'sticker', content: [1] }],
  ['a word for content', { kind: 'sticker', content: 'words' }],
  ['an object of the database for content', { kind: 'sticker', content: new ObjectId() }],
  ['content that says of itself that it is a place', { kind: 'sticker', content: { target: 'here' } }],
  ['no author', { kind: 'text', body: 'x', author: undefined }],
  ['an author that is no user', { kind: 'text', body: 'x', author: 'ada' }],
  ['a key that is none', { kind: 'text', body: 'x', clientOffset: 'k' }],
  ['a date for a time', { kind: 'text', body: 'x', at: new Date(0) }],
  ['a time before all times', { kind: 'text', body: 'x', at: -1 }],
  ['a word for whether it is deleted', { kind: 'text', body: 'x', deleted: 'yes' }],
  ['a text that is deleted and has a number for a body', { kind: 'text', body: 7, deleted: 'no' }],
];

it('an unknown kind is passed on unchanged, an invalid entry as an unreadable one, and the rest of the room is as before', async () => {
  const { harness, store, bad, good, me, mine, put } = await scene();
  const tail = await listen(store, undefined, ({ room }) => room === bad || room === good);
  onTestFinished(() => tail.close());
  const content = { shows: 'a cat', $big: 1, 'a.b': { c: [null] } };
  await put({ kind: 'sticker', content, more: 'than is known' });
  for (const [, document] of BROKEN) await put(document);
  const gone = text(bad, me, 'a secret');
  const after = await appendNew(
    store,
    [edit(mine, 'changed'), gone, remove(gone), text(bad, me, 'after'), text(good, me, 'elsewhere')],
    50,
  );

  const log = await wholeLog(store, bad);
  expect(log.map(({ serverOffset }) => serverOffset)).toEqual(upTo(3 + BROKEN.length + 4));
  for (const entry of log) expect(v.is(Entry, entry)).toBe(true);
  expect(log.slice(0, 3)).toMatchObject([
    { kind: 'join' },
    { kind: 'text', body: 'before' },
    { kind: 'sticker', author: me, at: 200, ...content },
  ]);
  expect(log[2]).not.toHaveProperty('more');
  for (const [i, [what]] of BROKEN.entries())
    expect({ what, ...log[3 + i] }).toMatchObject({ what, unreadable: true });
  expect(log.slice(-4)).toMatchObject([
    { kind: 'edit', target: 2, body: 'changed', at: 200 },
    { kind: 'text', deleted: true },
    { kind: 'delete' },
    { kind: 'text', body: 'after' },
  ]);
  const { amendments } = await store.log.range(bad, 1, 5, 100_000);
  expect(amendments).toMatchObject([{ kind: 'edit', serverOffset: after[0] }]);
  const points = log.map(({ serverOffset }) => ({ room: bad, serverOffset }));
  expect(await store.log.timesAt(points)).toEqual(log.map(({ at }) => at));

  // Live, everybody receives all entries; a text that was deleted meanwhile may still be delivered.
  await tail.count(log.length - 2 + 1);
  const heard = tail.seen.filter(({ room }) => room === bad).map(({ entry }) => entry);
  expect(heard.slice(0, -4)).toEqual(log.slice(2, -4));
  expect(tail.seen.some(({ room }) => room === good)).toBe(true);
  expect(tail.gaps()).toBe(0);

  // A client that reconnects gets both rooms in its welcome.
  const other = await harness.another();
  const mineToo = await other.rooms.ofUser(me);
  expect(new Map(mineToo.map(({ room: { id, head } }) => [id, head]))).toEqual(
    new Map([
      [bad, log.length],
      [good, 2],
    ]),
  );
  expect(await other.log.messageAt(bad, log.length, 1)).toBe(log.length);
  expect(await other.log.unread(bad, newId(), log.length - 2, 100)).toBe(1);
  expect(await other.log.heads([bad, good])).toEqual(
    new Map([
      [bad, log.length],
      [good, 2],
    ]),
  );
});

it('a document without a serverOffset or room is in no log, and does no harm', async () => {
  const { harness, store, bad, me, put } = await scene();
  const tail = await listen(store, undefined, ({ room }) => room === bad);
  onTestFinished(() => tail.close());
  const nowhere = { kind: 'text', body: 'x' };
  await put({ ...nowhere, serverOffset: undefined });
  await put({ ...nowhere, serverOffset: 'three' });
  await put({ ...nowhere, serverOffset: new Double(1.5) });
  await put({ ...nowhere, room: undefined });
  await put({ ...nowhere, room: 7 });
  expect(await appendNew(store, [text(bad, me, 'after')])).toEqual([3]);
  await put({ ...nowhere, serverOffset: Long.fromNumber(4) });
  expect(await appendNew(await harness.another(), [text(bad, me, 'after')])).toEqual([5]);
  const log = await wholeLog(store, bad);
  expect(log.map(({ serverOffset }) => serverOffset)).toEqual(upTo(5));
  await tail.count(3);
  expect(tail.seen.map(({ entry }) => entry)).toEqual(log.slice(2));
});

it('an entry that was removed from the log by hand leaves an unreadable one, never a gap', async () => {
  const { harness, store, bad, me } = await scene();
  await appendNew(
    store,
    upTo(5).map((n) => text(bad, me, `${n}`)),
  );
  await harness.entries.deleteMany({ room: bad, serverOffset: { $in: [3, 4, 6] } });
  const log = await wholeLog(store, bad);
  expect(log.map(({ serverOffset, unreadable }) => [serverOffset, unreadable])).toEqual(
    upTo(7).map((n) => [n, [3, 4, 6].includes(n) ? true : undefined]),
  );
  for (const entry of log) expect(v.is(Entry, entry)).toBe(true);
});

it('a room whose log went back is the only one that is left out, with one log line', async () => {
  const said: [fields: object, what: string][] = [];
  const log = { warn: (fields: object, what: string) => said.push([fields, what]), error: () => {} };
  const url = mongo.server.anotherUrl();
  const store = await openMongo({ url, log: log as never });
  onTestFinished(() => store.close());
  const [bad, me] = [await newRoom(store), newId()];
  const others = await Promise.all(upTo(12).map(() => newRoom(store)));
  await appendNew(
    store,
    [bad, ...others].map((room) => join(room, me)),
  );
  const gone = text(bad, me, 'gone with the copy that was put back');
  await appendNew(store, [gone]);
  await store.db.collection('entries').deleteOne({ room: bad, serverOffset: 2 });

  for (const _ of upTo(3))
    for (const some of [
      [bad, others[0]!],
      [bad, ...others],
    ])
      expect(await store.log.heads(some)).toEqual(new Map(some.slice(1).map((room) => [room, 1])));
  const mine = await store.rooms.ofUser(me);
  expect(mine.map(({ room: { id, head } }) => [id, head])).toEqual(
    [bad, ...others].toSorted().map((id) => [id, id === bad ? undefined : 1]),
  );
  expect(await store.rooms.byId(bad)).toMatchObject({ head: undefined, members: 1 });
  const listed = await store.rooms.listPublic(undefined, 100);
  expect(listed.find(({ id }) => id === bad)).toMatchObject({ head: undefined });
  await expect(store.log.range(bad, 1, 9, 10_000)).rejects.toBeInstanceOf(Unavailable);
  expect(await wholeLog(store, others[0]!)).toHaveLength(1);
  const { results, stopped } = await store.log.append([text(bad, me, 'x'), text(others[0]!, me, 'y')], 1);
  expect(stopped).toBeInstanceOf(Unavailable);
  expect(results).toEqual([]);
  expect(await append(store, [text(others[1]!, me, 'y')])).toMatchObject([
    { tag: 'appended', serverOffset: 2 },
  ]);
  const lines = said.filter(([fields]) => 'rooms' in fields);
  expect(lines).toEqual([
    [{ rooms: { [bad]: expect.any(String) }, of: 1 }, expect.stringContaining('restart every server')],
  ]);

  const restarted = await openMongo({ url, log: log as never });
  onTestFinished(() => restarted.close());
  expect(await restarted.log.heads([bad])).toEqual(new Map([[bad, 1]]));
});

it('side effects are applied in every room, whatever is wrong with another one', async () => {
  const { harness, store, good, me, put } = await scene();
  await put({ kind: 'delete', target: 'x', pending: true });
  await put({ kind: 'of a later version', pending: true });
  const mine = text(good, me, 'a secret');
  await appendNew(store, [mine]);
  await harness.interrupted(remove(mine), 300);
  await harness.another();
  await waitFor('it is redacted', async () => !(await harness.stored(good)).includes('a secret'));
  await waitFor('nothing is left to do', async () => (await harness.unfinished(good)) === 0);
});

it('a text that is not UTF-8 is returned with replacement characters, and breaks neither a range nor the tail', async () => {
  await using spoiled = await spoilingProxy(mongo.server.port);
  const { store, bad, me, harness } = await scene();
  const through = new URL(harness.url);
  through.port = `${spoiled.port}`;
  through.searchParams.delete('replicaSet');
  through.searchParams.set('directConnection', 'true');
  const other = await openMongo({ url: through.href, log: silent });
  onTestFinished(() => other.close());
  const tail = await listen(other, undefined, ({ room }) => room === bad);
  onTestFinished(() => tail.close());
  await appendNew(store, [text(bad, me, SPOILED), text(bad, me, 'after')]);
  await tail.count(2);
  const log = await wholeLog(other, bad);
  expect(log).toMatchObject([{}, {}, { body: '\ufffd\ufffd\ufffd\ufffd' }, { body: 'after' }]);
  expect(tail.seen.map(({ entry }) => entry)).toEqual(log.slice(2));
  expect(spoiled.times()).toBeGreaterThan(1);
});

const SPOILED = 'ÿÿ';

/** A proxy that replaces `SPOILED` in the database's answers by other bytes. */
async function spoilingProxy(port: number) {
  const [good, wrong] = [Buffer.from(SPOILED), Buffer.from([0xff, 0xfe, 0xff, 0xfe])];
  let times = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const database = connect(port, '127.0.0.1');
    for (const socket of [client, database]) sockets.add(socket.on('error', () => {}));
    client.pipe(database);
    database.on('data', (data) => {
      for (let at = data.indexOf(good); at >= 0; at = data.indexOf(good)) {
        data.set(wrong, at);
        times++;
      }
      client.write(data);
    });
    client.on('close', () => database.destroy());
    database.on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    times: () => times,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
