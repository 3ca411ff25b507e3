/** The number of commands per call, as few as possible, because all processes share the database. */
import type { CommandStartedEvent, Document } from 'mongodb';
import { expect, it, onTestFinished } from 'vitest';
import { type MongoStore, openMongo } from '../../../../server/store/mongo/index.ts';
import {
  append,
  appendNew,
  edit,
  join,
  newId,
  newRoom,
  remove,
  text,
  upTo,
} from '../../../contract/support.ts';
import { deviceOf, someone } from '../../../contract/users.ts';
import { mongoOfFile, silent } from './harness.ts';

const mongo = mongoOfFile({ toBreak: true });

async function watched() {
  const url = `${mongo.server.anotherUrl()}&monitorCommands=true`;
  const store = await openMongo({ url, log: silent });
  onTestFinished(() => store.close());
  const room = await newRoom(store);
  await appendNew(store, [text(room, newId(), 'so that the room is known')]);
  return { url, store, room, me: newId() };
}

/** The commands during `work`, without periodic ones: the search for pending side effects at the opening is over before. */
async function commandsOf(store: MongoStore, work: () => Promise<unknown>): Promise<string[]> {
  const asked: string[] = [];
  const hear = ({ commandName, command }: CommandStartedEvent) => {
    // the activity of a room, at most once a minute
    if (commandName !== 'update' || command.update !== 'rooms') asked.push(commandName);
  };
  store.db.client.on('commandStarted', hear);
  try {
    await work();
  } finally {
    store.db.client.off('commandStarted', hear);
  }
  return asked.filter((name) => name !== 'endSessions');
}

it('a batch of texts in a room is one insert, however many', async () => {
  const { store, room, me } = await watched();
  for (const size of [1, 1, 200]) {
    const items = upTo(size).map((n) => text(room, me, `${n}`));
    expect(await commandsOf(store, () => appendNew(store, items))).toEqual(['insert']);
  }
});

it('a batch over several rooms is an insert for each', async () => {
  const { store, room, me } = await watched();
  const other = await newRoom(store);
  await appendNew(store, [text(other, me, 'known')]);
  const items = upTo(20).map((n) => text(n % 2 ? room : other, me, `${n}`));
  expect(await commandsOf(store, () => appendNew(store, items))).toEqual(['insert', 'insert']);
});

it('a batch of edits costs one lookup of texts, a batch of joins one write of rows', async () => {
  const { store, room, me } = await watched();
  const texts = upTo(10).map((n) => text(room, me, `${n}`));
  await appendNew(store, texts);
  const edits = texts.map((one) => edit(one, 'changed'));
  expect(await commandsOf(store, () => appendNew(store, edits))).toEqual(['find', 'find', 'find', 'insert']);
  const joins = upTo(50).map(() => join(room, newId()));
  expect(await commandsOf(store, () => appendNew(store, joins))).toEqual(['insert', 'update', 'update']);
  const deletes = texts.slice(5).map(remove);
  const asked = await commandsOf(store, () => appendNew(store, deletes));
  expect(asked.filter((name) => name !== 'find')).toEqual(['insert', 'update', 'update', 'update']);
});

it('a missing target is confirmed by a linearizable read', async () => {
  const { store, room, me } = await watched();
  const [there, nowhere] = [text(room, me, 'there'), text(room, me, 'nowhere')];
  await appendNew(store, [there]);
  const sure: unknown[] = [];
  store.db.client.on('commandStarted', ({ command: { readConcern, filter } }) => {
    if (readConcern?.level === 'linearizable') sure.push(filter.clientOffset);
  });
  const results = await append(store, [edit(there, 'changed'), edit(nowhere, 'changed')]);
  expect(results.map(({ tag }) => tag)).toEqual(['appended', 'no-target']);
  expect(sure).toEqual([nowhere.clientOffset]);
});

it('a batch of only repeats costs one failed insert, and one lookup for all', async () => {
  const { store, room, me } = await watched();
  const items = upTo(30).map((n) => text(room, me, `${n}`));
  await appendNew(store, items);
  const asked = await commandsOf(store, () => append(store, items));
  expect(asked).toEqual(['insert', 'find', 'find']);
});

it('a range costs two reads and one lookup of amendments; the rooms of a user cost a few queries, however many they are', async () => {
  const { store, room, me } = await watched();
  expect(await commandsOf(store, () => store.log.range(room, 1, 50, 100_000))).toEqual([
    'find',
    'find',
    'aggregate',
  ]);
  const rooms = await Promise.all(upTo(30).map(() => newRoom(store)));
  await Promise.all(rooms.map((one) => appendNew(store, [join(one, me)])));
  const asked = await commandsOf(store, () => store.rooms.ofUser(me));
  expect(asked.length).toBeLessThanOrEqual(6);
  expect(await store.rooms.ofUser(me)).toHaveLength(30);
});

it('messageAt and unread cost two queries each, of a short range', async () => {
  const { store, room, me } = await watched();
  await appendNew(
    store,
    upTo(300).map((n) => text(room, newId(), `${n}`)),
  );
  expect(await commandsOf(store, () => store.log.messageAt(room, 301, 50))).toEqual(['find', 'find']);
  expect(await commandsOf(store, () => store.log.unread(room, me, 250, 100))).toEqual(['find', 'find']);
});

it('who is far behind in a long log is answered from a short part of it, also by a planner that reads on at a limit', async () => {
  const { store, room, me } = await watched();
  await appendNew(
    store,
    upTo(300).map((n) => text(room, newId(), `${n}`)),
  );
  const filters: Document[] = [];
  store.db.client.on('commandStarted', ({ command }) => filters.push(command.filter));
  expect(await store.log.unread(room, me, 1, 20)).toBe(20);
  expect(await store.log.timesAt([{ room, serverOffset: 7 }])).toEqual([expect.any(Number)]);
  expect(filters.filter((filter) => filter?.serverOffset)).toEqual([
    { room, kind: 'text', serverOffset: { $gte: 222, $lte: Number.MAX_SAFE_INTEGER } },
    { room, serverOffset: { $in: [7] } },
  ]);
});

it('hundreds of removed messages are skipped with a few queries', async () => {
  const { store, room, me } = await watched();
  const gone = upTo(400).map((n) => text(room, me, `${n}`));
  await appendNew(store, gone);
  await store.db
    .collection('entries')
    .updateMany({ room, serverOffset: { $gt: 1 } }, { $set: { deleted: true }, $unset: { body: '' } });
  const newest = await commandsOf(store, async () => expect(await store.log.messageAt(room, 401, 1)).toBe(1));
  expect(newest.length).toBeLessThanOrEqual(6);
  const unread = await commandsOf(store, async () =>
    expect(await store.log.unread(room, me, 1, 100)).toBe(0),
  );
  expect(unread.length).toBeLessThanOrEqual(6);
});

it('an append in a room with a known head of unknown time reads the time once', async () => {
  const { url, room, me } = await watched();
  const other = await openMongo({ url, log: silent });
  onTestFinished(() => other.close());
  await other.log.heads([room]);
  expect(await commandsOf(other, () => appendNew(other, [text(room, me, 'a')]))).toEqual([
    'find',
    'find',
    'insert',
  ]);
  expect(await commandsOf(other, () => appendNew(other, [text(room, me, 'b')]))).toEqual(['insert']);
});

it('a session is looked up by two reads, however many devices its user has; a change of it is one write', async () => {
  const { store } = await watched();
  const user = someone();
  const device = deviceOf(user.id);
  expect(await commandsOf(store, () => store.users.create(user, device))).toEqual(['insert', 'insert']);
  for (const _ of upTo(20)) await store.users.addDevice(deviceOf(user.id), 0, undefined);
  expect(await commandsOf(store, () => store.users.byToken(device.tokenHash))).toEqual(['find', 'find']);
  expect(await commandsOf(store, () => store.users.byToken(newId()))).toEqual(['find']);
  expect(await commandsOf(store, () => store.users.devicesAlive(upTo(1_000).map(newId)))).toEqual(['find']);
  expect(await commandsOf(store, () => store.users.devicesSeen(upTo(500).map(newId), 1))).toEqual(['update']);
  const removed = await commandsOf(store, () => store.users.removeDevice(user.id, device.id, 1));
  expect(removed).toEqual(['update']);
});

it('what 100 people ask who come back at once is a few reads', async () => {
  const { store, room } = await watched();
  const people = await Promise.all(
    upTo(100).map(async (n) => {
      const user = someone();
      const device = deviceOf(user.id);
      await store.users.create(user, device);
      if (n <= 5) await store.users.rename(user.id, newId(), newId());
      return { user: user.id, token: device.tokenHash };
    }),
  );
  await appendNew(
    store,
    people.map(({ user }) => join(room, user)),
  );
  const each = (ask: (one: (typeof people)[0], n: number) => Promise<unknown>) =>
    commandsOf(store, () => Promise.all(people.map(ask)));
  expect(await each(({ token }) => store.users.byToken(token))).toEqual(['find', 'find']);
  // members, rooms, read markers, settings, the head, and at most the number of members
  expect((await each(({ user }) => store.rooms.ofUser(user))).length).toBeLessThanOrEqual(6);
  expect(await each(({ user }) => store.log.unread(room, user, 1, 100))).toEqual(['find', 'find']);
  expect(await each(() => store.log.timesAt([{ room, serverOffset: 90 }]))).toEqual(['find']);
  expect(await each(({ user }, n) => store.users.changedAround(user, n % 5, 100))).toEqual([
    'find',
    'find',
    'find',
  ]);
});

it('what a device has stored of many rooms is one read, and one write for each room of which it is news', async () => {
  const { store, me } = await watched();
  const rooms = upTo(20).map(() => newId());
  const reach = (from: number, to: number, some = rooms) =>
    commandsOf(store, () =>
      store.rooms.reach(
        me,
        some.map((room) => ({ room, from, to })),
      ),
    );
  await reach(5, 8);
  for (const [from, to] of [
    [5, 8],
    [6, 7],
    [1, 2], // an older one that does not touch
  ] as const)
    expect(await reach(from, to)).toEqual(['find']);
  expect(await reach(7, 9, rooms.slice(0, 3))).toEqual(['find', 'update', 'update', 'update']);
  expect(await reach(3, 4)).toEqual(['find', ...rooms.map(() => 'update')]);
});
