/**
 * A tail on every store of a database: each must deliver each room's log once, from 1 to its head, in order. The tails are
 * reused for the next history, because opening one may take long; a failed history closes them.
 */
import { expect } from 'vitest';
import type { Committed, NewEntry, ResumePoint, Store } from '../../../server/store/port.ts';
import { entryOf, type ModelLog } from '../model.ts';
import { type Listener, listen } from '../support.ts';

interface Follower {
  listener: Listener;
  /** What earlier listeners of this follower have received of this history, and the resume point of the last one. */
  seen: Committed[];
  point: ResumePoint | undefined;
}

export type Followers = ReturnType<typeof createFollowers>;

export function createFollowers() {
  let followers: Follower[] = [];
  let rooms: readonly string[] = [];
  const concerns = ({ room }: Committed) => rooms.includes(room);

  return {
    /** Called at the start of each history, with its rooms. */
    async begin(stores: readonly Store[], itsRooms: readonly string[]): Promise<void> {
      rooms = itsRooms;
      for (const follower of followers) {
        follower.seen = [];
        follower.listener.seen.length = 0;
      }
      if (followers.length === 0) followers = await Promise.all(stores.map(followed));
    },

    /** Closes the tail of one store; the returned function resumes it on a reopened store. */
    async pause(index: number, model: ModelLog): Promise<(store: Store) => Promise<void>> {
      const follower = followers[index]!;
      const { listener } = follower;
      const pointNow = () => listener.point() ?? follower.point;
      // without a resume point the tail would restart at the present, so it must have received everything before
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
    // a text may have been delivered before its deletion
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
