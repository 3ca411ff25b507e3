import { expect, it } from 'vitest';
import { appendNew, edit, type Harness, inDatabase, newId, newRoom, remove, text, upTo } from './support.ts';

const PLENTY = 1_000_000;

export function rangeCases(open: () => Promise<Harness>): void {
  const db = inDatabase(open);

  async function filled(count: number) {
    const [room, me] = [await newRoom(db.store), newId()];
    const items = upTo(count).map((n) => text(room, me, `body ${n}`));
    await appendNew(db.store, items);
    return { room, me, items };
  }

  async function offsets(room: string, from: number, to: number, maxBytes = PLENTY): Promise<number[]> {
    return (await db.store.log.range(room, from, to, maxBytes)).entries.map((entry) => entry.serverOffset);
  }

  it('is inclusive, ascending, and ends at the head', async () => {
    const { room } = await filled(5);
    expect(await offsets(room, 2, 4)).toEqual([2, 3, 4]);
    expect(await offsets(room, 3, 3)).toEqual([3]);
    expect(await offsets(room, 4, 99)).toEqual([4, 5]);
    expect(await db.store.log.range(room, 6, 9, PLENTY)).toEqual({ entries: [], amendments: [], head: 5 });
  });

  it('of an empty or missing room is empty with head 0', async () => {
    const nothing = { entries: [], amendments: [], head: 0 };
    expect(await db.store.log.range(await newRoom(db.store), 1, 10, PLENTY)).toEqual(nothing);
    expect(await db.store.log.range(newId(), 1, 10, PLENTY)).toEqual(nothing);
  });

  it('is limited by the bytes of its JSON, but has at least one entry', async () => {
    const { room } = await filled(20);
    const { entries } = await db.store.log.range(room, 1, 20, PLENTY);
    const seven = Buffer.byteLength(JSON.stringify(entries.slice(0, 7)));
    expect(await offsets(room, 1, 20, seven)).toEqual(upTo(7));
    expect(await offsets(room, 1, 20, seven - 1)).toEqual(upTo(6));
    expect(await offsets(room, 5, 20, 1)).toEqual([5]);
  });

  it('counts bytes, not characters', async () => {
    const [room, me] = [await newRoom(db.store), newId()];
    await appendNew(db.store, [text(room, me, '𝒳'.repeat(1_000)), text(room, me, '𝒳'.repeat(1_000))]);
    expect(await offsets(room, 1, 2, 4_300)).toEqual([1]);
  });

  it('S3 includes the last later edit of each message, or its first deletion', async () => {
    const { room, items } = await filled(4);
    const [edited, deleted, both, untouched] = items as [
      (typeof items)[0] & {},
      (typeof items)[0] & {},
      (typeof items)[0] & {},
      (typeof items)[0] & {},
    ];
    await appendNew(db.store, [
      edit(edited, 'first'), // 5
      edit(both, 'blanked soon'), // 6
      remove(deleted), // 7
      edit(edited, 'second'), // 8
      remove(both), // 9
      remove(both), // 10
      edit(both, 'too late'), // 11
      text(untouched.room, untouched.author, 'more'), // 12
    ]);
    const { entries, amendments, head } = await db.store.log.range(room, 1, 4, PLENTY);
    expect(head).toBe(12);
    expect(entries).toMatchObject([
      { body: 'body 1' },
      { deleted: true },
      { deleted: true },
      { body: 'body 4' },
    ]);
    expect(amendments).toMatchObject([
      { serverOffset: 7, kind: 'delete', target: 2 },
      { serverOffset: 8, kind: 'edit', target: 1, body: 'second' },
      { serverOffset: 9, kind: 'delete', target: 3 },
    ]);
  });

  it('S3 includes only amendments after the last entry that fitted', async () => {
    const { room, items } = await filled(2);
    await appendNew(db.store, [edit(items[0]!, 'in'), edit(items[1]!, 'out')]); // 3, 4
    const amendmentsOf = async (from: number, to: number, maxBytes = PLENTY) =>
      (await db.store.log.range(room, from, to, maxBytes)).amendments.map((entry) => entry.serverOffset);
    expect(await amendmentsOf(1, 3)).toEqual([4]);
    expect(await amendmentsOf(1, 4)).toEqual([]);
    expect(await amendmentsOf(1, 4, 1)).toEqual([3]); // only the first text fitted
    expect(await amendmentsOf(2, 2)).toEqual([4]);
    expect(await amendmentsOf(3, 4)).toEqual([]);
  });
}
