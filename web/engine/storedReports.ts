/**
 * Tells the server what this device has stored of the newest part of each small room's log: so the author of a message sees whom it
 * has reached. Only what is stored is told, so it is read from the database. Of each room at most once in STORED_EVERY_MS: that is
 * one read and one write of the database a minute.
 */
import {
  ACKNOWLEDGE_WITHIN_MS,
  READERS_MAX_MEMBERS,
  STORED_EVERY_MS,
  STORED_ROOMS,
} from '../../shared/limits.ts';
import type { Clock, Timer } from '../db/clock.ts';
import { readSpans } from '../db/lookups.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { STORED_SOON_MS } from '../records/pageLimits.ts';
import type { Span } from '../records/spans.ts';
import type { LocalRoom } from '../records/storedRecords.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';

export interface StoredReports {
  /** Entries of these rooms were stored. */
  stored(rooms: readonly string[]): void;
  /** A welcome is stored: what was stored without a connection is told. */
  live(): void;
  /** The connection ended. */
  down(): void;
}

interface Deps {
  db: UserDatabase;
  clock: Clock;
  connection(): Pick<ConnectionRunner, 'ask'>;
}

export function createStoredReports({ db, clock, connection }: Deps): StoredReports {
  /** Rooms to look at, with the time of the monotonic clock before which nothing is told of them. */
  const due = new Map<string, number>();
  /** When something of a room was told last in this connection. */
  const toldAt = new Map<string, number>();
  /** When to look through all rooms; Infinity where that is done. */
  let allDueAt = Number.POSITIVE_INFINITY;
  let timer: Timer | undefined;
  /** Another one for each connection. Undefined while there is none. */
  let session: object | undefined;

  function note(rooms: readonly string[]): void {
    const soon = clock.ticks() + STORED_SOON_MS;
    for (const room of rooms)
      if (!due.has(room)) due.set(room, Math.max(soon, (toldAt.get(room) ?? -Infinity) + STORED_EVERY_MS));
    setTimer();
  }

  function setTimer(): void {
    const at = Math.min(allDueAt, ...due.values());
    if (timer !== undefined || !session || at === Number.POSITIVE_INFINITY) return;
    timer = clock.setTimeout(
      () => {
        timer = undefined;
        tell().catch((error: unknown) => {
          if (session) console.warn('what is stored could not be told to the server', error);
        });
      },
      Math.max(0, at - clock.ticks()),
    );
  }

  async function tell(): Promise<void> {
    const mine = session;
    if (!mine) return;
    const now = clock.ticks();
    if (allDueAt <= now) {
      allDueAt = Number.POSITIVE_INFINITY;
      for (const room of await allWithNews()) if (!due.has(room)) due.set(room, now);
      if (mine !== session) return;
    }
    const some = [...due].filter(([, at]) => at <= now).map(([room]) => room);
    for (const room of some.slice(0, STORED_ROOMS)) due.delete(room);
    const rooms = await newestRanges(some.slice(0, STORED_ROOMS));
    if (Object.keys(rooms).length > 0) {
      const answer = await connection().ask('stored', { rooms }, ACKNOWLEDGE_WITHIN_MS);
      if (mine !== session) return;
      // an older server does not know the request
      if (answer && !answer.ok && answer.error.code === 'invalid') return down();
      for (const room of Object.keys(rooms)) toldAt.set(room, clock.ticks());
      if (answer?.ok) await remember(rooms);
      else note(Object.keys(rooms)); // again, after STORED_EVERY_MS
    }
    setTimer();
  }

  /** Of those of these rooms of which the server does not know it yet. */
  function newestRanges(rooms: readonly string[]): Promise<Record<string, [number, number]>> {
    return db.read(['rooms', 'logSpans'], async (tx) => {
      const found = await Promise.all(
        rooms.map(async (id) => {
          const [room, spans] = await Promise.all([tx.objectStore('rooms').get(id), readSpans(tx, id)]);
          const newest = spans.at(-1);
          return room && newest && isNews(room, newest)
            ? [[id, [newest.from, newest.to]] as [string, [number, number]]]
            : [];
        }),
      );
      return Object.fromEntries(found.flat());
    });
  }

  /** In two requests, since a person may be in hundreds of rooms. */
  function allWithNews(): Promise<string[]> {
    return db.read(['rooms', 'logSpans'], async (tx) => {
      const [rooms, spans] = await Promise.all([
        tx.objectStore('rooms').getAll(),
        tx.objectStore('logSpans').getAll(),
      ]);
      const newest = new Map(spans.map((span) => [span.room, span])); // ascending
      return rooms.filter((room) => isNews(room, newest.get(room.id))).map(({ id }) => id);
    });
  }

  function remember(rooms: Record<string, [number, number]>): Promise<void> {
    return db.write(
      ['rooms'],
      async (tx) => {
        for (const [id, toldStored] of Object.entries(rooms)) {
          const room = await tx.objectStore('rooms').get(id);
          if (room) await tx.objectStore('rooms').put({ ...room, toldStored });
        }
      },
      'relaxed',
    );
  }

  function down(): void {
    session = undefined;
    due.clear();
    allDueAt = Number.POSITIVE_INFINITY;
    toldAt.clear();
    if (timer !== undefined) clock.clearTimeout(timer);
    timer = undefined;
  }

  return {
    stored(rooms) {
      if (session) note(rooms);
    },
    live() {
      session ??= {};
      allDueAt = clock.ticks() + STORED_SOON_MS;
      setTimer();
    },
    down,
  };
}

/** Whether the server is to be told of this newest span. */
function isNews({ left, members, toldStored }: LocalRoom, newest: Span | undefined): boolean {
  if (left || members > READERS_MAX_MEMBERS || !newest) return false;
  return toldStored?.[0] !== newest.from || toldStored[1] !== newest.to;
}
