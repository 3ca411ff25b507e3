import { expect, it, onTestFinished } from 'vitest';
import type { Committed, Store } from '../../../server/store/port.ts';
import { waitFor } from '../../support/waitFor.ts';
import {
  appendNew,
  HEARD_WITHIN_MS,
  listen,
  newId,
  newRoom,
  type SharedHarness,
  text,
  upTo,
  wholeLog,
} from '../support.ts';
import { inSharedDatabase } from './stores.ts';

export function sharedTailCases(open: () => Promise<SharedHarness>): void {
  const db = inSharedDatabase(open);

  it('L2 every tail delivers what every store wrote, once and in order per room', async () => {
    const [rooms, me] = [[await newRoom(db.store), await newRoom(db.store)], newId()];
    const tails = await Promise.all(db.stores.map((store) => listen(store)));
    onTestFinished(async () => void (await Promise.all(tails.map((tail) => tail.close()))));
    await Promise.all(
      upTo(12).map((n) =>
        appendNew(
          db.stores[n % 3]!,
          upTo(6).map((m) => text(rooms[m % 2]!, me, `${n}.${m}`)),
        ),
      ),
    );
    for (const tail of tails) {
      await tail.count(72);
      expect(tail.seen).toHaveLength(72);
      for (const room of rooms)
        expect(tail.seen.filter((one) => one.room === room).map(({ entry }) => entry)).toEqual(
          await wholeLog(db.store, room),
        );
    }
  });

  it('L2 a tail delivers only what every store can read', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const missing: string[] = [];
    const looks: Promise<void>[] = [];
    const lookAt = async (store: Store, { entry }: Committed) => {
      const { entries } = await store.log.range(room, entry.serverOffset, entry.serverOffset, 10_000);
      if (entries[0]?.clientOffset !== entry.clientOffset) missing.push(`${entry.serverOffset}`);
    };
    const tail = await listen(db.stores[0], undefined, (one) => {
      looks.push(...db.stores.map((store) => lookAt(store, one)));
      return true;
    });
    onTestFinished(() => tail.close());
    await Promise.all(
      upTo(20).map((n) =>
        appendNew(
          db.stores[n % 3]!,
          upTo(2).map((m) => text(room, me, `${n}.${m}`)),
        ),
      ),
    );
    await tail.count(40);
    await Promise.all(looks);
    expect(missing).toEqual([]);
  });

  it('a resume point of one store’s tail is valid at another store', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const before = await listen(db.stores[0]);
    await appendNew(db.stores[1], [text(room, me, '1')]);
    await before.count(1);
    await before.close();
    await appendNew(db.stores[2], [text(room, me, '2')]);
    const tail = await listen(db.stores[1], before.point());
    onTestFinished(() => tail.close());
    await appendNew(db.stores[0], [text(room, me, '3')]);
    await tail.count(2);
    expect(tail.seen.map(({ entry }) => entry)).toEqual((await wholeLog(db.store, room)).slice(1));
    expect(tail.gaps()).toBe(0);
  });

  it('after its resume point is lost a tail reports a gap, and from then on misses nothing, while others write', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    const before = await listen(db.stores[0]);
    await appendNew(db.stores[1], [text(room, me, 'heard')]);
    await before.count(1);
    await before.close();
    await appendNew(db.stores[1], [text(room, me, 'unheard')]);
    await db.harness.forgetHistory();

    const writing = upTo(6).map((n) =>
      appendNew(
        db.stores[n % 3]!,
        upTo(4).map((m) => text(room, me, `${n}.${m}`)),
      ),
    );
    const shown = new Set<number>();
    let batchesBeforeGap = 0;
    let headsAtGap: Promise<Map<string, number>> | undefined;
    let isLastShown = false;
    const tail = await db.stores[0].log.tail(before.point(), {
      onBatch(batch) {
        if (!headsAtGap) batchesBeforeGap++;
        for (const { entry } of batch.filter((one) => one.room === room)) {
          shown.add(entry.serverOffset);
          if ('body' in entry && entry.body === 'last') isLastShown = true;
        }
      },
      onGap() {
        headsAtGap ??= db.stores[0].log.heads([room]);
      },
    });
    onTestFinished(() => tail.close());
    await Promise.all(writing);
    await appendNew(db.stores[2], [text(room, me, 'last')]);
    await waitFor('the tail shows the last entry', () => isLastShown, HEARD_WITHIN_MS);
    expect(headsAtGap).toBeDefined();
    expect(batchesBeforeGap).toBe(0);
    // the listener reads up to the head at the gap, so every later entry must have been delivered
    const heldAfterGap = (await headsAtGap)!.get(room)!;
    expect(heldAfterGap).toBeGreaterThanOrEqual(2);
    const above = upTo(27).filter((offset) => offset > heldAfterGap);
    expect(above.filter((offset) => !shown.has(offset))).toEqual([]);
  });
}
