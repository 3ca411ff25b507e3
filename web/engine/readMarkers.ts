/**
 * The read markers: how far the person has read each room on this device. Stored until the server acknowledges; they only
 * grow, until the log that they are of is deleted.
 */
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { classOf } from '../../shared/protocol/codes.ts';
import type { Clock, Timer } from '../db/clock.ts';
import { coalesceCalls } from '../db/coalesceCalls.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { RETRY_MAX_MS } from '../records/pageLimits.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';

export interface ReadMarkers {
  /** `logGeneration`: of the log that the view shows. */
  seen(room: string, upTo: number, logGeneration: number): void;
  /** A welcome is stored, so the markers are of the server's logs: sends those that are not acknowledged. */
  live(): void;
  /** The connection ended. Nothing is sent before the next welcome is stored. */
  down(): void;
  close(): void;
}

interface Deps {
  db: UserDatabase;
  /** Undefined while there is no connection. */
  liveConnection(): Pick<ConnectionRunner, 'ask'> | undefined;
  clock: Clock;
  /** The markers of these rooms grew. */
  changed(rooms: string[]): void;
}

export function createReadMarkers({ db, liveConnection, clock, changed }: Deps): ReadMarkers {
  let retry: Timer | undefined;
  let closed = false;
  let isWelcomed = false;

  const send = coalesceCalls(async () => {
    const failed = new Set<string>();
    for (;;) {
      const connection = closed || !isWelcomed ? undefined : liveConnection();
      if (!connection) return;
      const marks = await db.read(['marks'], (tx) => tx.objectStore('marks').getAll());
      const mark = marks.find(({ told, room }) => !told && !failed.has(room));
      if (!mark) return failed.size > 0 ? sendLater() : undefined;
      const { room, upTo } = mark;
      const answer = await connection.ask('read', { room, upTo }, ACKNOWLEDGE_WITHIN_MS);
      if (!answer) return; // lost: sent again over the next connection
      if (!answer.ok && classOf(answer.error.code) !== 'permanent') failed.add(room);
      else await acknowledged(room, upTo);
    }
  });

  function sendLater(): void {
    if (retry !== undefined) clock.clearTimeout(retry);
    retry = closed ? undefined : clock.setTimeout(send, RETRY_MAX_MS);
  }

  /** Or the server refuses it for good: then it is not sent again. */
  function acknowledged(room: string, upTo: number): Promise<void> {
    return db.write(
      ['marks'],
      async (tx) => {
        const mark = await tx.objectStore('marks').get(room);
        if (mark?.upTo === upTo) await tx.objectStore('marks').put({ room, upTo, told: true });
      },
      'relaxed',
    );
  }

  /**
   * Resolves with whether the marker grew: at most to the head, since what lies between the head and a detached entry was not
   * shown. A view may still show a log that was deleted meanwhile: what was seen of that does not count.
   */
  function grow(room: string, seen: number, logGeneration: number): Promise<boolean> {
    return db.write(
      ['marks', 'rooms'],
      async (tx) => {
        const mark = await tx.objectStore('marks').get(room);
        const stored = await tx.objectStore('rooms').get(room);
        if (!stored || (stored.logGeneration ?? 0) !== logGeneration) return false;
        const upTo = Math.min(seen, stored.head);
        if (upTo <= Math.max(mark?.upTo ?? 0, stored.readUpTo)) return false;
        await tx.objectStore('marks').put({ room, upTo, told: false });
        return true;
      },
      'relaxed',
    );
  }

  return {
    seen(room, upTo, logGeneration) {
      grow(room, upTo, logGeneration).then(
        (hasGrown) => {
          if (!hasGrown || closed) return;
          changed([room]);
          void send();
        },
        (error) => {
          if (!closed) console.warn('a read marker could not be stored', error);
        },
      );
    },
    live() {
      isWelcomed = true;
      void send();
    },
    down() {
      isWelcomed = false;
    },
    close() {
      closed = true;
      if (retry !== undefined) clock.clearTimeout(retry);
    },
  };
}
