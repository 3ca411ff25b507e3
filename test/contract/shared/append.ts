import { expect, it } from 'vitest';
import type { Store } from '../../../server/store/port.ts';
import {
  append,
  appendNew,
  edit,
  item,
  newId,
  newRoom,
  remove,
  type SharedHarness,
  text,
  upTo,
  wholeLog,
} from '../support.ts';
import { inSharedDatabase } from './stores.ts';

export function sharedAppendCases(open: () => Promise<SharedHarness>): void {
  const db = inSharedDatabase(open);

  it('L1 L5 several stores write one room concurrently: no gap, no duplicate, each batch in its order', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const batches = upTo(12).map((n) => upTo(8).map((m) => text(room, me, `${n}.${m}`)));
    const offsets = await Promise.all(batches.map((batch, n) => appendNew(db.stores[n % 3]!, batch)));
    expect(offsets.flat().toSorted((x, y) => x - y)).toEqual(upTo(96));
    for (const batch of offsets) expect(batch).toEqual(batch.toSorted((x, y) => x - y));
    for (const store of db.stores) {
      const log = await wholeLog(store, room);
      expect(log.map((entry) => entry.serverOffset)).toEqual(upTo(96));
      for (const [n, batch] of batches.entries()) {
        const placed = offsets[n]!.map((offset) => log[offset - 1]?.clientOffset);
        expect(placed).toEqual(batch.map((one) => one.clientOffset)); // each result has the serverOffset of its own item
      }
    }
  });

  it('L1 two stores write several rooms concurrently, in opposite order', async () => {
    const [a, b, me] = [await newRoom(db.store), await newRoom(db.store), newId()];
    const batchOf = (first: string, then: string) =>
      upTo(10).flatMap((n) => [text(first, me, `${n}`), text(then, me, `${n}`)]);
    await Promise.all([appendNew(db.stores[0], batchOf(a, b)), appendNew(db.stores[1], batchOf(b, a))]);
    for (const room of [a, b])
      expect((await wholeLog(db.stores[2], room)).map((e) => e.serverOffset)).toEqual(upTo(20));
  });

  it('L4 every store reads at once what another one has acknowledged', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    for (const n of upTo(6)) {
      const said = text(room, me, `${n}`);
      await appendNew(db.stores[n % 3]!, [said], n);
      for (const store of db.stores) {
        expect((await store.log.heads([room])).get(room)).toBe(n);
        expect(await store.log.find([said])).toEqual([{ serverOffset: n, at: n, digest: said.digest }]);
        expect(await store.log.timesAt([{ room, serverOffset: n }])).toEqual([n]);
      }
    }
  });

  it('L3 a repeat on another store gets the original serverOffset and time', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const [first, second] = [text(room, me, '1'), text(room, me, '2')];
    await appendNew(db.stores[0], [first, second], 100);
    for (const store of db.stores)
      expect(await append(store, [second, first], 200)).toEqual([
        { tag: 'repeat', serverOffset: 2, at: 100 },
        { tag: 'repeat', serverOffset: 1, at: 100 },
      ]);
    expect(await db.store.log.heads([room])).toEqual(new Map([[room, 2]]));
  });

  it('L3 the same batch on every store concurrently is in the log once, with the same result for all', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const batch = upTo(10).map((n) => text(room, me, `${n}`));
    const answers = await Promise.all(upTo(6).map((n) => append(db.stores[n % 3]!, batch, n)));
    const log = await wholeLog(db.store, room);
    expect(log.map((entry) => entry.clientOffset)).toEqual(batch.map((one) => one.clientOffset)); // L5
    for (const [place, entry] of log.entries()) {
      const { serverOffset, at } = entry;
      const said = answers.map((results) => results[place]!);
      for (const result of said) expect(result).toMatchObject({ serverOffset, at });
      expect(said.filter((result) => result.tag === 'appended')).toHaveLength(1);
      expect(said.filter((result) => result.tag === 'repeat')).toHaveLength(5);
    }
  });

  it('L3 one key with two contents on two stores concurrently: one is in the log, the other is a conflict', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    for (const n of upTo(8)) {
      const one = text(room, me, `one ${n}`);
      const other = item(one, { kind: 'text', body: `other ${n}` });
      const results = [
        ...(await Promise.all([append(db.stores[0], [one]), append(db.stores[1], [other])])),
      ].flat();
      expect(results.map((result) => result.tag).toSorted()).toEqual(['appended', 'conflict']);
      const body = results[0]?.tag === 'appended' ? `one ${n}` : `other ${n}`;
      expect((await wholeLog(db.stores[2], room)).at(-1)).toMatchObject({ serverOffset: n, body });
    }
  });

  it('a store finds a target that another one wrote', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const mine = text(room, me, 'mine');
    await appendNew(db.stores[0], [mine]);
    expect(await appendNew(db.stores[1], [edit(mine, 'changed')])).toEqual([2]);
    expect(await appendNew(db.stores[2], [remove(mine)])).toEqual([3]);
  });

  it('after a deletion on one store every other one reads the text redacted', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const mine = text(room, me, 'secret 1');
    await appendNew(db.stores[0], [mine, edit(mine, 'secret 2')]);
    for (const store of db.stores) expect(JSON.stringify(await wholeLog(store, room))).toContain('secret');
    await appendNew(db.stores[1], [remove(mine)]);
    for (const store of db.stores) {
      const log = await wholeLog(store, room);
      expect(log).toMatchObject([{ deleted: true }, { deleted: true }, { kind: 'delete', target: 1 }]);
      expect(JSON.stringify(log)).not.toContain('secret');
    }
    expect(await appendNew(db.stores[2], [edit(mine, 'secret 3')])).toEqual([4]);
    expect(JSON.stringify(await wholeLog(db.store, room))).not.toContain('secret');
  });

  it('edits on several stores race a deletion on another: in any order, the text is gone', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    for (const n of upTo(6)) {
      const mine = text(room, me, `secret ${n}`);
      const [target] = await appendNew(db.store, [mine]);
      const edits = upTo(4).map((m) => () => appendNew(db.stores[m % 3]!, [edit(mine, `secret ${n}.${m}`)]));
      const racing = edits.toSpliced(n % 3, 0, () => appendNew(db.stores[1], [remove(mine)]));
      await Promise.all(racing.map((start) => start()));
      for (const store of db.stores) expect(await readAbout(store, room, target!)).not.toContain('secret');
      expect(await db.harness.stored(room)).not.toContain('secret');
    }
  });
}

/** A text and its amendments, by every method that reads entries. */
async function readAbout(store: Store, room: string, target: number): Promise<string> {
  const [all, alone] = await Promise.all([
    store.log.range(room, target, target + 10, 100_000),
    store.log.range(room, target, target, 100_000),
  ]);
  return JSON.stringify([all, alone]);
}
