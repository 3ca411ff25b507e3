/** A tail that starts further back delivers no content that was deleted since. */
import { expect, it, onTestFinished } from 'vitest';
import {
  append,
  edit,
  item,
  listen,
  newId,
  newRoom,
  remove,
  text,
  upTo,
} from '../../../../contract/support.ts';
import { useProductKinds, useTestKinds } from '../../../../support/testKinds.ts';
import { mongoHarness, mongoOfFile } from '../harness.ts';

const SECRET = 'the combination is 31-7-22';
const mongo = mongoOfFile();

it('a deleted text is redacted, also where its deletion comes in a much later round', async () => {
  const harness = await mongoHarness(mongo.server);
  onTestFinished(() => harness.destroy());
  const { store } = harness;
  const [room, me] = [await newRoom(store), newId()];
  const early = await listen(store);
  await append(store, [text(room, me, 'a point to resume at')]);
  await early.count(1);
  await early.close();

  const mine = text(room, me, SECRET);
  await append(store, [mine, edit(mine, `${SECRET}!`)]);
  for (const n of upTo(2))
    await append(
      store,
      upTo(100).map((m) => text(room, me, `${n}.${m}`)),
    );
  await append(store, [remove(mine)]);
  const late = await listen(store, early.point());
  onTestFinished(() => late.close());
  await late.count(203);
  expect(late.seen.slice(0, 2)).toMatchObject([
    { entry: { serverOffset: 2, kind: 'text', deleted: true } },
    { entry: { serverOffset: 3, kind: 'edit', target: 2, deleted: true } },
  ]);
  expect(JSON.stringify(late.seen)).not.toContain(SECRET);
  expect(late.seen.map(({ entry }) => entry.serverOffset)).toEqual(upTo(204).slice(1));

  // live, the tail needs no query for new entries
  const now = text(room, me, 'just now');
  await append(store, [now]);
  await late.count(204);
  expect(late.seen.at(-1)).toMatchObject({ entry: { body: 'just now' } });
});

it('a message removed by another user loses all its fields, and a reaction to it keeps its own', async () => {
  useTestKinds();
  onTestFinished(useProductKinds);
  const harness = await mongoHarness(mongo.server);
  onTestFinished(() => harness.destroy());
  const { store } = harness;
  const [room, me, you] = [await newRoom(store), newId(), newId()];
  const early = await listen(store);
  await append(store, [text(room, me, 'a point to resume at')]);
  await early.count(1);
  await early.close();

  const key = (author: string) => ({ room, author, clientOffset: newId() });
  const mine = { ...item(key(me), { kind: 'test-message' }), content: { words: SECRET } };
  const on = { target: mine.clientOffset, targetAuthor: me };
  const reaction = { ...item(key(you), { kind: 'test-reaction' }), ...on, content: { emoji: '👍' } };
  await append(store, [mine, reaction]);
  await append(store, [{ ...item(key(you), { kind: 'test-erase' }), ...on }]);
  for (const resumed of [
    await listen(store, early.point()),
    await listen(await harness.another(), early.point()),
  ]) {
    onTestFinished(() => resumed.close());
    await resumed.count(3);
    expect(resumed.seen.map(({ entry }) => entry)).toMatchObject([
      { kind: 'test-message', deleted: true },
      { kind: 'test-reaction', target: 2, emoji: '👍' },
      { kind: 'test-erase', target: 2 },
    ]);
    expect(JSON.stringify(resumed.seen)).not.toContain(SECRET);
  }
});
