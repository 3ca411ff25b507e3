/** A database that version 0.1 wrote (test/fixtures/mongo-0.1), opened by this version. */
import { type Document, MongoClient } from 'mongodb';
import { expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../../../../../server/ingest/checkItem.ts';
import { META_ID, VERSION } from '../../../../../server/store/mongo/base/collections.ts';
import { type MongoStore, openMongo } from '../../../../../server/store/mongo/index.ts';
import { finishUpgrade } from '../../../../../server/store/mongo/open/maintenance.ts';
import { MIGRATION_STEPS, stepsFor } from '../../../../../server/store/mongo/open/migrate.ts';
import { type NewEntry, Unavailable, Unusable } from '../../../../../server/store/port.ts';
import type { Entry } from '../../../../../shared/entry.ts';
import { append, appendNew, item, newId, text, upTo, wholeLog } from '../../../../contract/support.ts';
import { loadVersion01, type Version01Database } from '../../../../support/mongo/version01.ts';
import { useProductKinds, useTestKinds } from '../../../../support/testKinds.ts';
import { waitFor } from '../../../../support/waitFor.ts';
import { mongoOfFile, silent } from '../harness.ts';

const mongo = mongoOfFile({ toBreak: true });

async function old() {
  const url = mongo.server.anotherUrl();
  return { url, saved: await loadVersion01(url) };
}

async function open(url: string): Promise<MongoStore> {
  const store = await openMongo({ url, log: silent });
  onTestFinished(() => store.close());
  return store;
}

async function metaAt(url: string): Promise<Document | null> {
  await using client = await new MongoClient(url).connect();
  return await client.db().collection<{ _id: string }>('meta').findOne({ _id: META_ID });
}

it('every entry is unchanged, every key is known, and pending side effects are applied', async () => {
  const { url, saved } = await old();
  const store = await open(url);
  for (const room of ['lobby', saved.rooms.deck, saved.rooms.hold])
    expect(await wholeLog(store, room)).toEqual(expectedLog(saved, room));
  const [ada, bob, cyd] = saved.users.map(({ id }) => id) as [string, string, string];
  await waitFor('the join that was left undone is done', () => store.rooms.isMember(saved.rooms.deck, cyd));
  expect(await store.rooms.isMember('lobby', cyd)).toBe(false);
  const mine = await store.rooms.ofUser(ada);
  expect(mine.map(({ room: { id, members }, readUpTo }) => [id, members, readUpTo])).toEqual(
    expect.arrayContaining([
      ['lobby', 2, 1],
      [saved.rooms.deck, 3, 7],
    ]),
  );
  expect(await store.users.byToken('token of Bob')).toMatchObject({ user: { id: bob, name: 'Bob', rev: 0 } });
  expect(await store.users.byId(ada)).toMatchObject({ passwordHash: 'a hash' });

  const listed = await store.rooms.listPublic(undefined, 100);
  expect(listed.map(({ id }) => id)).toContain('lobby');
  for (const { id, activeAt, createdAt } of listed)
    expect(activeAt).toBe(expectedLog(saved, id).at(-1)?.at ?? createdAt);

  const items = saved.said.map((one) => one.item);
  expect(items.map((one) => digestOf(one))).toEqual(items.map(({ digest }) => digest));
  expect(await append(store, items, 9_000)).toEqual(
    saved.said.map(({ result: { serverOffset, at } }) => ({ tag: 'repeat', serverOffset, at })),
  );
  const last = expectedLog(saved, 'lobby').length;
  expect(await store.log.messageAt('lobby', last, 1)).toBe(last - 1);
  expect(await store.log.unread('lobby', cyd, last - 3, 100)).toBe(1);
  expect(await appendNew(store, [text('lobby', ada, 'hello')], 500)).toEqual([last + 1]);
});

it('until the upgrade is finished nothing is written that version 0.1 cannot read; everything else works', async () => {
  useTestKinds();
  onTestFinished(useProductKinds);
  const { url, saved } = await old();
  const store = await open(url);
  expect(store.takesNewKinds()).toBe(false);
  expect(await metaAt(url)).toMatchObject({ schemaVersion: 1, steps: stepsFor(1).length });
  const { deck } = saved.rooms;
  const [ada, bob] = saved.users.map(({ id }) => id) as [string, string];
  const grown: Partial<NewEntry>[] = [
    { kind: 'test-message', content: { words: 'hello' } },
    { kind: 'text', body: 'a', content: { replyTo: 'b' } },
    { kind: 'leave', subject: bob },
  ];
  for (const more of grown) {
    const one = { ...item({ room: deck, author: ada, clientOffset: newId() }, { kind: 'text' }), ...more };
    const outcome = await store.log.append([text(deck, ada, 'before'), one, text(deck, ada, 'behind')], 1);
    expect(outcome.results.map(({ tag }) => tag)).toEqual(['appended']);
    expect(outcome.stopped).toBeInstanceOf(Unavailable);
  }
  expect(await store.users.rename(ada, 'Ada the First', 'ada the first')).toMatchObject({ rev: 1 });

  expect(await finishUpgrade(url, silent)).toBe('finished');
  const next = await open(url);
  expect(next.takesNewKinds()).toBe(true);
  await appendNew(next, [
    { ...item({ room: deck, author: ada, clientOffset: newId() }, { kind: 'test-message' }), ...grown[0] },
  ]);
  expect(await metaAt(url)).toMatchObject({
    schemaVersion: VERSION,
    minVersion: VERSION,
    steps: MIGRATION_STEPS.length,
  });
  expect(await finishUpgrade(url, silent)).toBe('was-finished');
});

it('opened by five processes concurrently it is upgraded once, and all of them can use it', async () => {
  const { url, saved } = await old();
  const stores = await Promise.all(upTo(5).map(() => open(url)));
  const [ada] = saved.users.map(({ id }) => id) as [string];
  for (const store of stores) await appendNew(store, [text(saved.rooms.deck, ada, 'hello')]);
  expect(await metaAt(url)).toMatchObject({ steps: stepsFor(1).length });
  expect(await metaAt(url)).not.toHaveProperty('step');
});

/** Opens it, with calls that are given up after a second. */
async function openSlowly(url: string) {
  const said: string[] = [];
  const log = { warn: (_: unknown, what: string) => said.push(what), error: () => {} };
  const patience = { socketMs: 1_000, sayEveryMs: 300 };
  const store = await openMongo({ url, log: log as never, patience });
  onTestFinished(() => store.close());
  return said.filter((what) => what !== 'waiting for the database'); // a busy machine may lose other calls
}

async function slowIndexes(times: number) {
  const slow = { failCommands: ['createIndexes'], blockConnection: true, blockTimeMS: 2_000 };
  await mongo.server.failPoint(slow, { times });
  onTestFinished(() => mongo.server.clearFailPoints());
}

it('a step may take longer than the timeout of a call, and the log says that it goes on', async () => {
  const { url } = await old();
  await slowIndexes(1);
  const said = await openSlowly(url);
  const upgraded = 'the database is being upgraded';
  expect(said.filter((what) => what === upgraded)).toEqual(stepsFor(1).map(() => upgraded));
  expect(said).toContain('the database is still at work');
});

it('so may an index that is missing in a database of this version', async () => {
  const url = mongo.server.anotherUrl();
  await (await open(url)).close();
  await using client = await new MongoClient(url).connect();
  await client.db().collection('rooms').dropIndex('roomsByActivity');
  await slowIndexes(20);
  expect(await openSlowly(url)).toContain('the database is still at work');
  expect(await client.db().collection('rooms').indexExists('roomsByActivity')).toBe(true);
});

it('a step that keeps failing is given up after some seconds, with an error message', async () => {
  const { url } = await old();
  await mongo.server.failPoint({ failCommands: ['createIndexes'], errorCode: 14_031 }, 'alwaysOn');
  onTestFinished(() => mongo.server.clearFailPoints());
  const given = () => openMongo({ url, log: silent, patience: { connectForMs: 1_000 } });
  const refused = await Promise.all([given(), given()].map((one) => one.catch((error) => error)));
  for (const error of refused) {
    expect(error).toBeInstanceOf(Unavailable);
    expect(error.message).toMatch(/There is no space left on the disk/);
  }
  await mongo.server.clearFailPoints();
  expect(await (await open(url)).log.heads(['lobby'])).toHaveProperty('size', 1);
});

it('has the same collections, indexes and validators as a new one when the upgrade is finished', async () => {
  const [{ url }, fresh] = [await old(), mongo.server.anotherUrl()];
  await finishUpgrade(url, silent);
  await (await open(fresh)).close();
  expect(await structureOf(url)).toEqual(await structureOf(fresh));
});

async function structureOf(url: string) {
  await using client = await new MongoClient(url).connect();
  const there = await client.db().listCollections().toArray();
  const all = there.map(async (one) => {
    const indexes = await client.db().collection(one.name).listIndexes().toArray();
    const { options } = one as Document;
    return [one.name, options, indexes.toSorted((a, b) => a.name.localeCompare(b.name))] as const;
  });
  return (await Promise.all(all)).toSorted(([a], [b]) => a.localeCompare(b));
}

it('a database that only a newer version may use is refused with an error message', async () => {
  const { url } = await old();
  await using client = await new MongoClient(url).connect();
  await client
    .db()
    .collection('meta')
    .updateOne({}, { $set: { minVersion: VERSION + 1 } });
  const refused = await Promise.all(
    [open(url), finishUpgrade(url, silent)].map((one) => one.catch((e) => e)),
  );
  for (const error of refused) {
    expect(error).toBeInstanceOf(Unusable);
    expect(error.message).toMatch(/was written by a newer version of Holdfast: install that version/);
  }
});

/** The expected log of a room: what was appended, redacted where it was deleted. */
function expectedLog({ said }: Version01Database, room: string): Entry[] {
  const inRoom = said.filter((one) => one.item.room === room);
  const offsetOf = ({ author }: { author: string }, clientOffset: string) =>
    inRoom.find(({ item }) => item.author === author && item.clientOffset === clientOffset)?.result
      .serverOffset;
  const deleted = new Set(
    inRoom.flatMap(({ item }) => (item.kind === 'delete' ? offsetOf(item, item.target!) : [])),
  );
  return inRoom.map(({ item, result: { serverOffset, at } }) => {
    const { author, clientOffset, kind, body } = item;
    const target = item.target === undefined ? undefined : offsetOf(item, item.target);
    const isDeleted = deleted.has(kind === 'edit' ? target : serverOffset);
    return {
      serverOffset,
      author,
      clientOffset,
      at,
      kind,
      ...(target !== undefined && { target }),
      ...(isDeleted ? { deleted: true as const } : body !== undefined && { body }),
    };
  });
}
