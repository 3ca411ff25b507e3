/** The commands of the append algorithm when the database is stale, slow or failing. */
import { expect, it, onTestFinished } from 'vitest';
import type { Command, RoomHead } from '../../../../server/store/mongo/append/commands.ts';
import { collectionsOf } from '../../../../server/store/mongo/base/collections.ts';
import { createExecute } from '../../../../server/store/mongo/execute.ts';
import { createInsert } from '../../../../server/store/mongo/insert.ts';
import { createKnownHeads } from '../../../../server/store/mongo/knownHeads.ts';
import { readsOn } from '../../../../server/store/mongo/logReads.ts';
import { rangesOn } from '../../../../server/store/mongo/readRange.ts';
import { writeTurnsByRoom } from '../../../../server/store/mongo/writeTurns.ts';
import { appendNew, newId, newRoom, text, upTo } from '../../../contract/support.ts';
import { mongoHarness, mongoOfFile } from './harness.ts';

const mongo = mongoOfFile({ toBreak: true });

/** A room with three texts, and a process that has cached nothing yet. */
async function scene() {
  const harness = await mongoHarness(mongo.server);
  onTestFinished(() => harness.destroy());
  const { db } = harness.store;
  const [room, author] = [await newRoom(harness.store), newId()];
  const texts = upTo(3).map((n) => text(room, author, `${n}`));
  await appendNew(harness.store, texts);
  const [heads, collections] = [createKnownHeads(), collectionsOf(db)];
  const onDurable = (of: string, { serverOffset, at }: RoomHead) => heads.learn(of, serverOffset, at);
  const insert = createInsert({ collections, onDurable, by: 'me' });
  const turnsOf = writeTurnsByRoom('me', () => performance.now());
  const deps = { client: db.client, collections, heads, insert, turnsOf };
  const keys = texts.map(({ clientOffset }) => ({ author, clientOffset }));
  const lost: ReadonlyMap<string, string>[] = [];
  const reads = readsOn({ collections, heads, onUnreadable: (rooms) => void lost.push(rooms) });
  return { room, keys, heads, harness, deps, lost, reads, execute: createExecute(deps) };
}

const soon = () => performance.now() + 5_000;

it('L1 an answer of a primary that is older than a committed head is rejected', async () => {
  const { room, keys, execute } = await scene();
  const commands = (from: number): Command[] => [
    { do: 'find', room, keys, from },
    { do: 'targets', room, keys, from },
    { do: 'head', room, from },
  ];
  for (const from of [0, 3])
    for (const command of commands(from)) {
      expect(await execute(soon())(command)).toEqual(
        command.do === 'head'
          ? { serverOffset: 3, at: 1_000 }
          : upTo(3).map((serverOffset) => expect.objectContaining({ serverOffset })),
      );
    }
  for (const command of commands(4))
    expect(await execute(soon())(command)).toEqual({ tag: 'unknown', message: expect.any(String) });
});

it('L2 reads of heads and ranges reject it too, while the heads of the other rooms are returned', async () => {
  const { room, heads, harness, deps, lost, reads } = await scene();
  heads.learn(room, 4);
  const { client, collections } = deps;
  const other = await newRoom(harness.store);
  await appendNew(harness.store, [text(other, newId(), 'hello')]);
  for (const others of [[], [other], [other, ...upTo(20).map(newId)]]) {
    const told = await reads.heads([room, ...others]);
    expect(told).toEqual(new Map(others.map((one) => [one, one === other ? 1 : 0])));
    expect(lost.pop()).toEqual(new Map([[room, expect.stringContaining('ends before')]]));
  }
  const { range } = rangesOn({ client, collections, heads });
  await expect(range(room, 1, 9, 10_000)).rejects.toMatchObject({ name: 'Unavailable' });
});

it('the heads of many rooms in one call equal those of single calls, known or not', async () => {
  const { room, heads, harness, reads } = await scene();
  const rooms = await Promise.all(upTo(20).map(() => newRoom(harness.store)));
  for (const [n, one] of rooms.entries())
    if (n > 0)
      await appendNew(
        harness.store,
        upTo(n).map((m) => text(one, newId(), `${m}`)),
      );
  for (const one of rooms.slice(10)) heads.learn(one, 5);
  const expected = new Map<string, number>([[room, 3], ...rooms.map((one, n): [string, number] => [one, n])]);
  for (const _ of ['the first time', 'and when all are known'])
    expect(await reads.heads([room, ...rooms])).toEqual(expected);
});

it('L4 a command without an answer in time is unknown; after the deadline no command is sent', async () => {
  const { room, keys, harness, execute } = await scene();
  const documents = [4, 5].map((serverOffset) => ({
    ...{ room, serverOffset, author: keys[0]!.author, clientOffset: newId(), at: 1, digest: 'd' },
    ...{ kind: 'text' as const, body: 'late' },
  }));
  const unknown = { tag: 'unknown', message: expect.any(String) };
  expect(await execute(performance.now())({ do: 'insert', documents })).toEqual(unknown);
  expect(await harness.store.log.heads([room])).toEqual(new Map([[room, 3]]));

  const slow = { failCommands: ['insert'], blockConnection: true, blockTimeMS: 500 };
  await mongo.server.failPoint(slow, { times: 1 });
  expect(await execute(performance.now() + 100)({ do: 'insert', documents })).toEqual(unknown);
});

it('a duplicate reports the index, and the number of documents inserted before', async () => {
  const { room, keys, execute } = await scene();
  const document = (serverOffset: number, clientOffset = newId()) => ({
    ...{ room, serverOffset, author: keys[0]!.author, clientOffset, at: 1, digest: 'd' },
    ...{ kind: 'text' as const, body: '' },
  });
  const insert = (...documents: ReturnType<typeof document>[]) =>
    execute(soon())({ do: 'insert', documents });
  expect(await insert(document(3), document(4))).toEqual({
    tag: 'duplicate',
    inserted: 0,
    of: 'serverOffset',
  });
  expect(await insert(document(4), document(5, keys[1]!.clientOffset))).toEqual({
    tag: 'duplicate',
    inserted: 1,
    of: 'clientOffset',
  });
  expect(await insert(document(5), document(6))).toEqual({ tag: 'inserted' });
});
