/**
 * The read markers: how far the person has read each room, here or on another device. Stored until the server
 * acknowledges; they only grow.
 */
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { classOf } from '../../shared/protocol/codes.ts';
import type { Frame } from '../../shared/protocol/index.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { RETRY_MAX_MS } from '../records/pageLimits.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';
import { coalesceCalls } from './coalesceCalls.ts';

export interface ReadMarkers {
  seen(room: string, upTo: number): void;
  /** The person, on another device, or another member has read so far. */
  received(frame: Frame<'read'>): void;
  /** There is a connection: sends the markers that are not acknowledged. */
  live(): void;
  close(): void;
}

interface Deps {
  db: UserDatabase;
  /** Undefined while there is no connection. */
  liveConnection(): Pick<ConnectionRunner, 'ask'> | undefined;
  clock: Clock;
  me: string;
  /** The markers of these rooms grew. */
  changed(rooms: string[]): void;
}

export function createReadMarkers({ db, liveConnection, clock, me, changed }: Deps): ReadMarkers {
  let retry: Timer | undefined;
  let closed = false;

  const send = coalesceCalls(async () => {
    const failed = new Set<string>();
    for (;;) {
      const connection = closed ? undefined : liveConnection();
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
    return db.write(['marks'], async (tx) => {
      const mark = await tx.objectStore('marks').get(room);
      if (mark?.upTo === upTo) await tx.objectStore('marks').put({ room, upTo, told: true });
    });
  }

  /** Resolves with whether the marker grew. */
  function grow(room: string, upTo: number): Promise<boolean> {
    return db.write(['marks', 'rooms'], async (tx) => {
      const mark = await tx.objectStore('marks').get(room);
      const stored = await tx.objectStore('rooms').get(room);
      if (upTo <= Math.max(mark?.upTo ?? 0, stored?.readUpTo ?? 0)) return false;
      await tx.objectStore('marks').put({ room, upTo, told: false });
      return true;
    });
  }

  function raise(room: string, upTo: number): Promise<boolean> {
    return db.write(['rooms'], async (tx) => {
      const stored = await tx.objectStore('rooms').get(room);
      if (!stored || upTo <= stored.readUpTo) return false;
      await tx.objectStore('rooms').put({ ...stored, readUpTo: upTo });
      return true;
    });
  }

  function attempt(room: string, work: Promise<boolean>): void {
    work.then(
      (hasGrown) => {
        if (!hasGrown || closed) return;
        changed([room]);
        void send();
      },
      (error) => {
        if (!closed) console.warn('a read marker could not be stored', error);
      },
    );
  }

  return {
    seen: (room, upTo) => attempt(room, grow(room, upTo)),
    received({ room, user, upTo }) {
      if (user === me) attempt(room, raise(room, upTo));
    },
    live: () => void send(),
    close() {
      closed = true;
      if (retry !== undefined) clock.clearTimeout(retry);
    },
  };
}
