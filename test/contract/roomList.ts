/** The list of public rooms: by activity, in pages. */
import { describe, expect, it } from 'vitest';
import type { ListPosition, Store } from '../../server/store/port.ts';
import { ROOM_ACTIVITY_EVERY_MS } from '../../shared/limits.ts';
import { LOBBY } from '../../shared/mint.ts';
import { nameKey } from '../../shared/text.ts';
import { waitFor } from '../support/waitFor.ts';
import { changeOf } from './aboutRooms.ts';
import { appendNew, type Harness, HEARD_WITHIN_MS, inDatabase, join, newId, text, upTo } from './support.ts';

export function roomListCases(open: () => Promise<Harness>): void {
  describe('in order', () => {
    const db = inDatabase(open);

    it('lists public rooms by activity, the latest first, in pages, and no private ones', async () => {
      const made: string[] = [];
      for (const n of upTo(5)) made.push(await newRoomAt(db.store, LATER + n, n % 2 ? 'public' : 'private'));
      const [one, , three, , five] = made as [string, string, string, string, string];
      const me = newId();
      expect(await idsOf(db.store)).toEqual([five, three, one, LOBBY]);
      await appendNew(db.store, [join(one, me), text(one, me, 'x')], LATER + 2 * ROOM_ACTIVITY_EVERY_MS);
      await untilFirst(db.store, one);
      expect(await idsOf(db.store)).toEqual([one, five, three, LOBBY]);
      const [first] = await db.store.rooms.listPublic(undefined, 1);
      expect(first).toMatchObject({ ...(await db.store.rooms.byId(one)), head: 2, members: 1 });
      await db.harness.reopen();
      const pages = await pagesOf(db.store, 2);
      expect(pages).toEqual([[one, five], [three, LOBBY], []]);
    });

    it('the time of activity follows that of the newest entry, with a bounded delay', async () => {
      const room = await newRoomAt(db.store, LATER);
      const activity = async () =>
        (await db.store.rooms.listPublic(undefined, 100)).find(({ id }) => id === room)!.activeAt;
      expect(await activity()).toBe(LATER);
      for (const n of upTo(8)) {
        const at = LATER + n * 0.4 * ROOM_ACTIVITY_EVERY_MS;
        await appendNew(db.store, [text(room, newId(), `${n}`)], at);
        const follows = async () => (await activity()) > at - ROOM_ACTIVITY_EVERY_MS;
        await waitFor('the activity', follows, HEARD_WITHIN_MS);
        expect(await activity()).toBeLessThanOrEqual(at);
      }
    });
  });

  describe('searched', () => {
    const db = inDatabase(open);

    it('finds public rooms by a part of the name or the description, in any case and script, the latest first', async () => {
      const me = newId();
      const named = async (n: number, name: string, kind: 'public' | 'private' = 'public') => {
        const id = newId();
        await db.store.rooms.create({ id, kind, name, createdBy: me, createdAt: LATER + n });
        return id;
      };
      const [ward, street, kitchen, hidden] = [
        await named(1, 'WARD 5'),
        await named(2, '第五病房 Straße'),
        await named(3, 'Kitchen'),
        await named(4, 'ward of secrets', 'private'),
      ];
      await appendNew(db.store, [changeOf(kitchen, me, { description: 'Dinner for the wards' })], LATER + 5);
      const found = async (query: string) =>
        (await db.store.rooms.searchPublic(nameKey(query), undefined, 9, 99)).rooms;
      const idsFound = async (query: string) => (await found(query)).map(({ id }) => id);
      expect(await idsFound('ward')).toEqual([kitchen, ward]);
      expect(await idsFound('病房')).toEqual([street]);
      expect(await idsFound('STRASSE')).toEqual([street]);
      expect(await idsFound('nowhere')).toEqual([]);
      expect((await found('KITCH'))[0]).toMatchObject({
        ...(await db.store.rooms.byId(kitchen)),
        head: 1,
        about: { description: 'Dinner for the wards' },
      });
      expect(await idsFound('secret')).not.toContain(hidden);
      await appendNew(db.store, [changeOf(ward, me, { name: 'Deck' })], LATER + 6);
      expect(await idsFound('ward')).toEqual([kitchen]);
    });

    it('looks at so many rooms at once, finds at most so many, and goes on where it stopped', async () => {
      const made: string[] = [];
      for (const n of upTo(7)) {
        const id = newId();
        const name = n % 3 === 1 ? 'Galley' : 'Deck';
        await db.store.rooms.create({
          id,
          kind: 'public',
          name,
          createdBy: newId(),
          createdAt: LATER + 100 + n,
        });
        made.unshift(id);
      }
      const galleys = [made[0], made[3], made[6]];
      const pagesFor = async (limit: number, look: number) => {
        const pages: string[][] = [];
        for (let after: ListPosition | undefined; ; ) {
          const { rooms, next } = await db.store.rooms.searchPublic('galley', after, limit, look);
          pages.push(rooms.map(({ id }) => id));
          if (!next) return pages;
          after = next;
        }
      };
      const four = await pagesFor(9, 4);
      expect(four[0]).toEqual([made[0], made[3]]);
      expect(four.flat()).toEqual(galleys);
      const one = await pagesFor(1, 100);
      expect(one.slice(0, 3)).toEqual(galleys.map((id) => [id]));
      expect(await pagesFor(9, 1_000)).toEqual([galleys]);
    });
  });

  describe('in pages', () => {
    const db = inDatabase(open);

    it('rooms of the same activity are on one page each, also where only the beginning of an id is given', async () => {
      const rooms = await Promise.all(upTo(7).map(() => newRoomAt(db.store, LATER)));
      const ids = await idsOf(db.store);
      expect(ids.slice(0, 7).toSorted()).toEqual(rooms.toSorted());
      expect((await pagesOf(db.store, 1)).flat()).toEqual(ids);
      expect((await pagesOf(db.store, 3, 13)).flat()).toEqual(ids);
    });

    it('a room that becomes active between two pages is not listed twice, and hides no other one', async () => {
      const rooms: string[] = [];
      for (const n of upTo(6)) rooms.push(await newRoomAt(db.store, LATER + n));
      const [active] = rooms as [string];
      const first = await db.store.rooms.listPublic(undefined, 3);
      expect(first.map(({ id }) => id)).toEqual(rooms.slice(3).toReversed());
      const last = first.at(-1)!;
      const at = LATER + 2 * ROOM_ACTIVITY_EVERY_MS;
      await appendNew(db.store, [text(active, newId(), 'x'), text(last.id, newId(), 'y')], at);
      await waitFor(
        'both moved',
        async () => {
          const [one, two] = await db.store.rooms.listPublic(undefined, 2);
          return [one!.id, two!.id].toSorted().join() === [active, last.id].toSorted().join();
        },
        HEARD_WITHIN_MS,
      );
      const second = await db.store.rooms.listPublic(last, 2);
      expect(second.map(({ id }) => id)).toEqual([rooms[2], rooms[1]]);
    });
  });
}

/** After the creation of the lobby, so that it is the last room of a list. */
const LATER = Date.now() + 24 * 60 * 60 * 1000;

async function newRoomAt(
  store: Store,
  createdAt: number,
  kind: 'public' | 'private' = 'public',
): Promise<string> {
  const id = newId();
  await store.rooms.create({ id, kind, name: 'Deck', createdBy: newId(), createdAt });
  return id;
}

async function idsOf(store: Store): Promise<string[]> {
  return (await store.rooms.listPublic(undefined, 1_000)).map(({ id }) => id);
}

/** The ids of each page of `size` rooms. The next page begins after the last room, of whose id so many characters are given. */
async function pagesOf(store: Store, size: number, idLength = 22): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after: ListPosition | undefined; pages.length < 100; ) {
    const page = await store.rooms.listPublic(after, size);
    pages.push(page.map(({ id }) => id));
    const last = page.at(-1);
    if (!last) break;
    after = { activeAt: last.activeAt, id: last.id.slice(0, idLength) };
  }
  return pages;
}

async function untilFirst(store: Store, room: string): Promise<void> {
  const isFirst = async () => (await store.rooms.listPublic(undefined, 1))[0]?.id === room;
  await waitFor(`${room} first`, isFirst, HEARD_WITHIN_MS);
}
