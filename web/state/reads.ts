/** How far a person has read, kept here until the server knows it, and as their other devices say it. It only grows. */
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import { RETRY_MAX_MS } from '../records/pageLimits.ts';
import { classOf } from '../../shared/protocol/codes.ts';
import type { Frame } from '../../shared/protocol/index.ts';
import type { Clock, Timer } from '../db/clock.ts';
import type { UserDatabase } from '../db/schema.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';
import { coalesced } from './coalesced.ts';

export interface Reads {
  seen(room: string, upTo: number): void;
  heard(frame: Frame<'read'>): void;
  /** There is a way: what was seen meanwhile is told. */
  live(): void;
  close(): void;
}

interface Deps {
  db: UserDatabase;
  /** Undefined while there is none. */
  liveConnection(): Pick<ConnectionRunner, 'ask'> | undefined;
  clock: Clock;
  me: string;
  /** These rooms are read further. */
  changed(rooms: string[]): void;
}

export function createReads({ db, liveConnection, clock, me, changed }: Deps): Reads {
  let again: Timer | undefined;
  let closed = false;

  const tell = coalesced(async () => {
    const failed = new Set<string>();
    for (;;) {
      const connection = closed ? undefined : liveConnection();
      if (!connection) return;
      const marks = await db.read(['marks'], (tx) => tx.objectStore('marks').getAll());
      const mark = marks.find(({ told, room }) => !told && !failed.has(room));
      if (!mark) return failed.size > 0 ? tellLater() : undefined;
      const { room, upTo } = mark;
      const answer = await connection.ask('read', { room, upTo }, ACKNOWLEDGE_WITHIN_MS);
      if (!answer) return; // with the next way
      if (!answer.ok && classOf(answer.error.code) !== 'permanent') failed.add(room);
      else await acknowledged(room, upTo);
    }
  });

  function tellLater(): void {
    if (again !== undefined) clock.clearTimeout(again);
    again = closed ? undefined : clock.setTimeout(tell, RETRY_MAX_MS);
  }

  /** Told, or there is nothing there to tell of. */
  function acknowledged(room: string, upTo: number): Promise<void> {
    return db.write(['marks'], async (tx) => {
      const mark = await tx.objectStore('marks').get(room);
      if (mark?.upTo === upTo) await tx.objectStore('marks').put({ room, upTo, told: true });
    });
  }

  /** True when it went further. */
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
      (went) => {
        if (!went || closed) return;
        changed([room]);
        void tell();
      },
      (error) => {
        if (!closed) console.warn('how far was read was not kept', error);
      },
    );
  }

  return {
    seen: (room, upTo) => attempt(room, grow(room, upTo)),
    heard({ room, user, upTo }) {
      if (user === me) attempt(room, raise(room, upTo));
    },
    live: () => void tell(),
    close() {
      closed = true;
      if (again !== undefined) clock.clearTimeout(again);
    },
  };
}
