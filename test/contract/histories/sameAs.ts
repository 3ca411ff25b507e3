/** Compares everything that can be read of the rooms of a history with the model, at its end. */
import { expect } from 'vitest';
import type { Store } from '../../../server/store/port.ts';
import type { ModelLog } from '../model.ts';
import type { Marks } from './marks.ts';

export async function sameAs(model: ModelLog, marks: Marks, store: Store, people: string[]): Promise<void> {
  for (const [room, log] of model.rooms) {
    const { entries, head } = await store.log.range(room, 1, log.length + 10, 10_000_000);
    expect(entries).toEqual(model.entries(room));
    expect(head).toBe(log.length);
    const originals = log.map(({ serverOffset, at, item: { digest } }) => ({ serverOffset, at, digest }));
    expect(await store.log.find(log.map((record) => record.item))).toEqual(originals);
    const points = log.map(({ serverOffset }) => ({ room, serverOffset }));
    expect(await store.log.timesAt([...points, { room, serverOffset: log.length + 1 }])).toEqual([
      ...log.map(({ at }) => at),
      undefined,
    ]);
    const present = await Promise.all(people.map((person) => store.rooms.isMember(room, person)));
    expect(present).toEqual(people.map((person) => model.members(room).has(person)));
  }
  for (const person of people) {
    const mine = [...model.rooms.keys()].filter((room) => model.members(room).has(person));
    const told = await store.rooms.ofUser(person);
    expect(new Map(told.map(({ room, readUpTo }) => [room.id, [room.head, room.members, readUpTo]]))).toEqual(
      new Map(
        mine.map((room) => [
          room,
          [
            model.head(room),
            model.members(room).size,
            Math.max(marks.of(room, person), model.members(room).get(person)!),
          ],
        ]),
      ),
    );
  }
}
