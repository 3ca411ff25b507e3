/**
 * What follows from an entry, where the process that appended it died before it was done: whoever opens the database
 * looks for it, then every minute, and whoever tails such an entry.
 */

import { type Follow, kindsThatFollow, type Pending } from './follow.ts';
import { inEach } from './queries.ts';
import type { Collections } from './schema.ts';
import { isAway } from './tailFailure.ts';

export interface Repair {
  /** Looks which of these are still to be done, and does them. */
  finish(entries: readonly { room: string; serverOffset: number }[]): Promise<void>;
  close(): void;
}

interface Deps {
  collections: Collections;
  follow: Follow;
  /** What it looks after by itself passes here. */
  pass: (work: () => Promise<void>) => Promise<void>;
}

const EVERY_MS = 60_000;
/** One look takes no more; the next takes the rest. */
const AT_ONCE = 1_000;

export function startRepair({ collections, follow, pass }: Deps): Repair {
  let timer: NodeJS.Timeout;
  look();

  /** A database that is away has said so already, and is asked again. */
  function look(): void {
    void pass(finishAll).catch(() => {});
    timer = setTimeout(look, EVERY_MS * (0.5 + Math.random())); // not all processes at once
  }

  async function finishAll(): Promise<void> {
    const where = { pending: true as const, kind: { $in: kindsThatFollow() } };
    for (const entries of collections.entries)
      await doThem(await entries.find(where).project<Pending>(FIELDS).limit(AT_ONCE).toArray());
  }

  /** Of one room after the other; one that fails holds none of the others up, and is reported at the end. */
  async function doThem(pending: readonly Pending[]): Promise<void> {
    let failure: { error: unknown } | undefined;
    for (const [room, its] of Map.groupBy(pending, ({ room }) => room)) {
      try {
        await follow(room, its);
      } catch (error) {
        if (isAway(error)) throw error;
        failure ??= { error };
      }
    }
    if (failure) throw failure.error;
  }

  return {
    async finish(places) {
      const found = await inEach(collections, places, (entries, its) => {
        const [rooms, offsets] = [its.map(({ room }) => room), its.map(({ serverOffset }) => serverOffset)];
        const where = { pending: true as const, room: { $in: rooms }, serverOffset: { $in: offsets } };
        return entries.find(where).project<Pending>(FIELDS).toArray();
      });
      await doThem(found);
    },
    close: () => clearTimeout(timer),
  };
}

const FIELDS = { _id: 0, room: 1, serverOffset: 1, author: 1, subject: 1, kind: 1, target: 1 };
