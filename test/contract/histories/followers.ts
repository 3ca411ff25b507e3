/**
 * A tail on every store of a database: each must show each room's log once, from 1 to its head, in order. They are kept
 * from one history to the next, since a database may take long to open one; one that failed closes them.
 */
import { expect } from 'vitest';
import type { Committed, NewEntry, ResumePoint, Store } from '../../../server/store/port.ts';
import { entryOf, type ModelLog } from '../model.ts';
import { type Listener, listen } from '../support.ts';

interface Follower {
  listener: Listener;
  /** What the listeners before this one have shown of this history, and where the last of them stopped. */
  seen: Committed[];
  point: ResumePoint | undefined;
}

export type Followers = ReturnType<typeof createFollowers>;

export function createFollowers() {
  let followers: Follower[] = [];
  let rooms: readonly string[] = [];
  const concerns = ({ room }: Committed) => rooms.includes(room);

  return {
    /** A history of these rooms begins. */
    async begin(stores: readonly Store[], itsRooms: readonly string[]): Promise<void> {
      rooms = itsRooms;
      for (const follower of followers) {
        follower.seen = [];
        follower.listener.seen.length = 0;
      }
      if (followers.length === 0) followers = await Promise.all(stores.map(followed));
    },

    /** Stops following one store, wherever its tail is; goes on from there by what is returned. */
    async pause(index: number, model: ModelLog): Promise<(store: Store) => Promise<void>> {
      const follower = followers[index]!;
      const { listener } = follower;
      const pointNow = () => listener.point() ?? follower.point;
      // without a point it would go on at the present: then it must have heard what there is
      if (pointNow() === undefined) await listener.count(total(model));
      await listener.close();
      follower.seen.push(...listener.seen);
      follower.point = pointNow();
      return async (store) => {
        follower.listener = await listen(store, follower.point, concerns);
      };
    },

    async heardAll(model: ModelLog, lastWords: readonly NewEntry[]): Promise<void> {
      for (const { listener, seen } of followers) {
        await listener.until('the last words of every room', () =>
          lastWords.every((word) =>
            listener.seen.some(({ entry }) => entry.clientOffset === word.clientOffset),
          ),
        );
        expect(listener.gaps()).toBe(0);
        isLogOf(model, [...seen, ...listener.seen]);
      }
    },

    async close(): Promise<void> {
      await Promise.all(followers.map(({ listener }) => listener.close()));
      followers = [];
    },
  };

  async function followed(store: Store): Promise<Follower> {
    return { listener: await listen(store, undefined, concerns), seen: [], point: undefined };
  }
}

function isLogOf(model: ModelLog, seen: readonly Committed[]): void {
  for (const [room, log] of model.rooms) {
    const shown = seen.filter((one) => one.room === room);
    // what was deleted later may have been shown before that
    const may = log.map((record, i) => {
      const isBlank = record.isBornBlank || (record.deleted && isBlankHere(shown[i]));
      return entryOf({ ...record, deleted: isBlank });
    });
    expect(shown.map(({ entry }) => entry)).toEqual(may);
  }
}

function isBlankHere(shown: Committed | undefined): boolean {
  return shown !== undefined && 'deleted' in shown.entry;
}

function total(model: ModelLog): number {
  return [...model.rooms.values()].reduce((sum, log) => sum + log.length, 0);
}
