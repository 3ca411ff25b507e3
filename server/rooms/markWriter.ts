/**
 * Write-behind of read markers: the greatest one of each user and room is kept for up to a second, and then all of them are
 * one transaction. They are part of what this process reads of them meanwhile. A crash loses the markers of that second; the
 * person's next message moves the marker again. While the database is moved to another one, each is written before it is
 * acknowledged: what waited then would stay behind.
 */
import type { Logger } from '../base/logger.ts';
import { createRecentMap } from '../base/recentMap.ts';
import { Unavailable } from '../base/refusal.ts';
import { MARKS_EVERY_MS, MARKS_PENDING_MAX, MARKS_PER_WRITE } from '../base/serverLimits.ts';
import type { RaisedMark, RoomStore } from '../store/port.ts';

export interface MarkWriter {
  /**
   * Returns the marker afterwards, as far as it is known here. One that is not above the last one is not written. Throws
   * `Unavailable` where too many markers wait, because the store does not take them.
   */
  raise(mark: RaisedMark): number;
  /**
   * Resolves when the marker is written. Rejects with `Unavailable` where it is not: it still waits, or, where the store failed
   * otherwise than by `Unavailable`, it is given up.
   */
  stored(mark: RaisedMark): Promise<void>;
  /** The same store, in whose answers the markers that wait to be written count. */
  overlay(rooms: RoomStore): RoomStore;
  /** Writes what waits. Resolves also where the store fails: then it still waits. */
  flush(): Promise<void>;
}

interface Deps {
  store: Pick<RoomStore, 'mark'>;
  logger: Pick<Logger, 'error'>;
  /** A monotonic clock in milliseconds. */
  now: () => number;
}

export function createMarkWriter({ store, logger, now }: Deps): MarkWriter {
  /** By user, then by room. */
  const pending = new Map<string, Map<string, number>>();
  /** Reads under way of a user's markers, or of a room's, and what was written meanwhile: they may have begun before. */
  const reads = new Map<string, { count: number; written: Map<string, number> }>();
  const written = createRecentMap<string, number>({ maxEntries: WRITTEN_MAX, keepMs: WRITTEN_KEPT_MS, now });
  const givenUp = createRecentMap<string, number>({ maxEntries: WRITTEN_MAX, keepMs: WRITTEN_KEPT_MS, now });
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;

  const pendingOf = (user: string, room: string) => pending.get(user)?.get(room) ?? 0;

  /** What `read` finds in the store, and the greatest marker that it may lack. `id`: of the user or the room that it reads. */
  async function readWith<T, R>(
    id: string,
    read: () => Promise<readonly T[]>,
    added: (found: T, i: number, atLeast: (user: string, room: string) => number) => R,
  ): Promise<R[]> {
    const underWay = reads.get(id) ?? { count: 0, written: new Map<string, number>() };
    reads.set(id, underWay);
    underWay.count++;
    try {
      const found = await read();
      const atLeast = (user: string, room: string) =>
        Math.max(pendingOf(user, room), underWay.written.get(keyOf(room, user)) ?? 0);
      return found.map((one, i) => added(one, i, atLeast));
    } finally {
      if (--underWay.count === 0) reads.delete(id);
    }
  }

  function raise({ room, user, upTo }: RaisedMark): number {
    const before = pendingOf(user, room);
    const known = before || (written.get(keyOf(room, user)) ?? 0);
    if (upTo <= known) return known;
    if (before === 0) {
      if (count >= MARKS_PENDING_MAX) throw new Unavailable('Read markers cannot be stored now; try again.');
      count++;
    }
    const theirs = pending.get(user) ?? new Map<string, number>();
    pending.set(user, theirs.set(room, upTo));
    flushLater();
    return upTo;
  }

  function settle(mark: RaisedMark): void {
    const { room, user, upTo } = mark;
    written.set(keyOf(room, user), upTo);
    for (const id of [user, room]) reads.get(id)?.written.set(keyOf(room, user), upTo);
    remove(mark);
  }

  /** A later report of the same marker is written. */
  function giveUp(mark: RaisedMark): void {
    givenUp.set(keyOf(mark.room, mark.user), mark.upTo);
    remove(mark);
  }

  /** It stays where it was raised meanwhile. */
  function remove({ room, user, upTo }: RaisedMark): void {
    const theirs = pending.get(user);
    if (theirs?.get(room) !== upTo) return;
    theirs.delete(room);
    count--;
    if (theirs.size === 0) pending.delete(user);
  }

  function flushLater(): void {
    timer ??= setTimeout(() => void flush(), MARKS_EVERY_MS).unref();
  }

  async function writeAll(): Promise<void> {
    const marks = [...pending].flatMap(([user, rooms]) =>
      [...rooms].map(([room, upTo]) => ({ room, user, upTo })),
    );
    for (let i = 0; i < marks.length; i += MARKS_PER_WRITE) {
      const some = marks.slice(i, i + MARKS_PER_WRITE);
      try {
        await store.mark(some);
        some.forEach(settle);
      } catch (error) {
        if (error instanceof Unavailable) return;
        logger.error({ err: error }, 'read markers could not be stored');
        some.forEach(giveUp);
      }
    }
  }

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    await writing;
    writing ??= writeAll().finally(() => {
      writing = undefined;
      if (count > 0) flushLater();
    });
    await writing;
  }

  async function stored({ room, user, upTo }: RaisedMark): Promise<void> {
    await flush();
    const key = keyOf(room, user);
    if ((written.get(key) ?? 0) >= upTo) return;
    if (pendingOf(user, room) > 0 || (givenUp.get(key) ?? 0) >= upTo)
      throw new Unavailable('The read marker cannot be stored now; try again.');
  }

  return {
    raise,
    stored,
    flush,
    overlay: (rooms) => ({
      ...rooms,
      ofUser: (user) =>
        readWith(
          user,
          () => rooms.ofUser(user),
          (membership, _, atLeast) => ({
            ...membership,
            readUpTo: Math.max(membership.readUpTo, atLeast(user, membership.room.id)),
          }),
        ),
      readUpTo: (user, ids) =>
        readWith(
          user,
          () => rooms.readUpTo(user, ids),
          (upTo, i, atLeast) => Math.max(upTo, atLeast(user, ids[i]!)),
        ),
      readers: (room, limit) =>
        readWith(
          room,
          () => rooms.readers(room, limit),
          ({ user, upTo }, _, atLeast) => ({ user, upTo: Math.max(upTo, atLeast(user, room)) }),
        ),
    }),
  };
}

/**
 * Written markers that are remembered: an app that repeats one, or several devices that report the same one. And as many that
 * were given up, for the requests that wait for them.
 */
const WRITTEN_MAX = 20_000;
const WRITTEN_KEPT_MS = 60_000;

function keyOf(room: string, user: string): string {
  return `${room} ${user}`;
}
