/** How many members a room has: counted in the index, never kept beside it, so that it cannot come to differ. */
import type { Collections } from './schema.ts';

export interface Counts {
  /** Of each of these rooms. */
  of(rooms: readonly string[]): Promise<Map<string, number>>;
  /** This process has just changed who is in there: what was counted before counts no more. */
  changed(room: string): void;
}

/** From so many on a count is kept for a moment: when thousands come back at once, not each of them counts thousands. */
const LARGE = 200;
const KEPT_MS = 1_000;

interface Kept {
  count: number;
  until: number;
}

/** `now`: milliseconds of a clock that never goes back. */
export function createCounts({ members }: Pick<Collections, 'members'>, now: () => number): Counts {
  const kept = new Map<string, Kept>();
  let changes = 0;

  async function count(rooms: readonly string[]): Promise<[string, number][]> {
    const before = changes;
    const counted = await members
      .aggregate<{ _id: string; count: number }>([
        { $match: { room: { $in: rooms }, present: true } },
        { $group: { _id: '$room', count: { $sum: 1 } } },
      ])
      .toArray();
    const until = now() + KEPT_MS;
    for (const { _id, count } of counted)
      if (count >= LARGE && before === changes) kept.set(_id, { count, until });
    return counted.map(({ _id, count }) => [_id, count]);
  }

  return {
    async of(rooms) {
      const at = now();
      const fresh = (room: string) => (kept.get(room)?.until ?? 0) > at;
      const known = rooms.filter(fresh).map((room): [string, number] => [room, kept.get(room)!.count]);
      const others = rooms.filter((room) => !fresh(room));
      const counted = others.length > 0 ? await count(others) : [];
      return new Map([...rooms.map((room): [string, number] => [room, 0]), ...known, ...counted]);
    },
    changed(room) {
      changes++;
      kept.delete(room);
    },
  };
}
