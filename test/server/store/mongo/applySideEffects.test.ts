/** Appends whose entry is committed, while its side effects are not applied, or only in part. */
import { type BulkWriteResult, MongoBulkWriteError, type WriteError } from 'mongodb';
import { expect, it, onTestFinished } from 'vitest';
import type { EntryDocument } from '../../../../server/store/mongo/append/commands.ts';
import { createApplySideEffects } from '../../../../server/store/mongo/applySideEffects.ts';
import type { Collections } from '../../../../server/store/mongo/base/collections.ts';
import { type NewEntry, Unavailable } from '../../../../server/store/port.ts';
import {
  append,
  appendNew,
  edit,
  item,
  join,
  leave,
  newId,
  newRoom,
  remove,
  text,
} from '../../../contract/support.ts';
import { useProductKinds, useTestKinds } from '../../../support/testKinds.ts';
import { waitFor } from '../../../support/waitFor.ts';
import { mongoHarness, mongoOfFile } from './harness.ts';

const mongo = mongoOfFile({ toBreak: true });
const SECRET = 'the combination is 31-7-22';

async function opened() {
  const harness = await mongoHarness(mongo.server);
  onTestFinished(() => harness.destroy());
  return { harness, store: harness.store, room: await newRoom(harness.store), me: newId() };
}

async function updatesFail(times: number): Promise<void> {
  await mongo.server.failPoint({ failCommands: ['update'], errorCode: 8_000 }, { times });
  onTestFinished(() => mongo.server.clearFailPoints());
}

it('L4 a deletion whose redaction failed is not acknowledged, nor are later items; a repeat redacts', async () => {
  const { harness, store, room, me } = await opened();
  const mine = text(room, me, SECRET);
  const batch = [text(room, me, 'before'), remove(mine), text(room, me, 'behind')];
  await appendNew(store, [mine, edit(mine, `${SECRET}!`)], 100);
  await updatesFail(3);
  const { results, stopped } = await store.log.append(batch, 200);
  expect(results).toEqual([{ tag: 'appended', serverOffset: 3, at: 200 }]);
  expect(stopped).toBeInstanceOf(Unavailable);
  expect(JSON.stringify(await store.log.range(room, 1, 9, 10_000))).not.toContain(SECRET);

  await mongo.server.clearFailPoints();
  expect((await append(store, batch, 300)).map(({ tag }) => tag)).toEqual(['repeat', 'repeat', 'repeat']);
  expect(await harness.stored(room)).not.toContain(SECRET);
  expect(await harness.unfinished(room)).toBe(0);
});

it.each(['the text', 'the edit'])(
  'a deletion of which only %s was redacted is complete for every reader',
  async (blanked) => {
    const { harness, store, room, me } = await opened();
    const mine = text(room, me, SECRET);
    await appendNew(store, [mine, edit(mine, SECRET), text(room, me, 'between')]);
    await harness.interrupted(remove(mine), 5);
    const serverOffset = blanked === 'the text' ? 1 : 2;
    await harness.entries.updateOne(
      { room, serverOffset },
      { $unset: { body: '' }, $set: { deleted: true } },
    );
    for (const [from, to] of [
      [1, 9],
      [1, 1],
      [1, 2],
      [2, 2],
      [2, 3],
    ] as const) {
      const { entries, amendments, head } = await store.log.range(room, from, to, 10_000);
      expect(JSON.stringify([entries, amendments])).not.toContain(SECRET);
      expect(amendments.map((entry) => entry.serverOffset)).toEqual(from === 1 && to < 9 ? [4] : []);
      expect(head).toBe(4);
    }
  },
);

it('a join whose row was not written is not acknowledged; the next store that opens writes it', async () => {
  const { harness, store, room, me } = await opened();
  await updatesFail(1);
  const { results, stopped } = await store.log.append([join(room, me)], 100);
  expect(results).toEqual([]);
  expect(stopped).toBeInstanceOf(Unavailable);
  expect(await store.rooms.isMember(room, me)).toBe(false);
  const other = await harness.another();
  await waitFor('the row is written', () => other.rooms.isMember(room, me));
  await waitFor('nothing is left to be done', async () => (await harness.unfinished(room)) === 0);
  expect((await store.rooms.byId(room))?.members).toBe(1);
});

it('a row that another process inserts concurrently ends with the greater serverOffset', async () => {
  const { harness, room } = await opened();
  const others = [await harness.another(), await harness.another()];
  for (let n = 0; n < 20; n++) {
    const you = newId();
    const came = await harness.interrupted(join(room, you), 1);
    const left = await harness.interrupted(leave(room, you), 1);
    const [join1, leave1] = await harness.entries
      .find({ room, serverOffset: { $gte: came, $lte: left } })
      .toArray();
    await Promise.all([append(others[0]!, [asItem(join1!)]), append(others[1]!, [asItem(leave1!)])]);
    expect(await harness.store.rooms.isMember(room, you)).toBe(false);
  }
});

it('after a duplicate row the upsert is repeated, in case its own serverOffset is greater', async () => {
  const asked: string[][] = [];
  const bulkWrite = async (sets: { updateOne: { filter: { user: string } } }[]) => {
    asked.push(sets.map(({ updateOne }) => updateOne.filter.user));
    if (asked.length > 1) return;
    const met = { index: 1, code: 11_000 } as WriteError;
    const result = { getWriteConcernError: () => undefined } as BulkWriteResult;
    throw new MongoBulkWriteError({ message: 'E11000', code: 11_000, writeErrors: [met] }, result);
  };
  const members = { bulkWrite } as unknown as Collections['members'];
  const entriesOf = () => ({ updateMany: async () => {} }) as never;
  const follow = createApplySideEffects({
    collections: { members, entriesOf } as unknown as Collections,
    onMembers: () => {},
  });
  const move = (author: string, serverOffset: number) => ({
    room: 'r',
    author,
    serverOffset,
    at: 1,
    kind: 'join',
  });
  await follow('r', [move('ada', 1), move('bea', 2), move('cyd', 3)]);
  expect(asked).toEqual([['ada', 'bea', 'cyd'], ['bea']]);
});

function asItem({ room, author, clientOffset, kind, digest }: EntryDocument): NewEntry {
  return { room, author, clientOffset, kind, digest };
}

it('an unapplied removal of a member and an unapplied redaction are applied to the subject and to all fields', async () => {
  useTestKinds();
  onTestFinished(useProductKinds);
  const { harness, store, room, me } = await opened();
  const you = newId();
  const key = (author: string) => ({ room, author, clientOffset: newId() });
  const note = { ...item(key(you), { kind: 'test-message' }), content: { words: SECRET } };
  await appendNew(store, [join(room, me), join(room, you), note]);
  const of = { target: note.clientOffset, targetAuthor: you };
  await harness.interrupted({ ...item(key(me), { kind: 'test-erase' }), ...of }, 5);
  await harness.interrupted({ ...item(key(me), { kind: 'test-removed' }), subject: you }, 5);
  expect(JSON.stringify(await store.log.range(room, 1, 9, 10_000))).not.toContain(SECRET);
  expect(await store.log.unread(room, me, 0, 100)).toBe(0);
  const other = await harness.another();
  await waitFor('nothing is left to be done', async () => (await harness.unfinished(room)) === 0);
  expect(await harness.stored(room)).not.toContain(SECRET);
  expect([await other.rooms.isMember(room, me), await other.rooms.isMember(room, you)]).toEqual([
    true,
    false,
  ]);
});
