/**
 * The read markers: how far the person has read each room on this device. Stored until the server acknowledges; they only
 * grow, until the log that they are of is deleted.
 */
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import type { Clock } from '../db/clock.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';
import { createRoomSender, outcomeOfSending } from './sendUntilAnswered.ts';

export interface ReadMarkers {
  /** `logGeneration`: of the log that the view shows. */
  seen(room: string, upTo: number, logGeneration: number): true;
  /** A welcome is stored, so the markers are of the server's logs: sends those that are not acknowledged. */
  live(): void;
  /** This device has stored such a marker itself, since the last welcome. */
  has(room: string, upTo: number): boolean;
  /** The connection ended. Nothing is sent before the next welcome is stored. */
  down(): void;
  close(): void;
}

interface Deps {
  db: UserDatabase;
  /** Undefined while there is no connection. */
  liveConnection(): Pick<ConnectionRunner, 'ask'> | undefined;
  clock: Clock;
  /** The markers of these rooms grew. `isAtHead`: to the end of the log, as far as that is known. */
  changed(rooms: string[], isAtHead: boolean): void;
}

interface Grown {
  upTo: number;
  isAtHead: boolean;
}

export function createReadMarkers({ db, liveConnection, clock, changed }: Deps): ReadMarkers {
  /** The markers that this connection has still to send, and those that were stored since its welcome; by room. */
  const unsent = new Map<string, number>();
  const fresh = new Map<string, number>();
  const sender = createRoomSender({
    clock,
    liveConnection,
    waiting: () => unsent.keys(),
    what: 'the read markers',
    async sendOne(connection, room) {
      const upTo = unsent.get(room)!;
      const answer = await connection.ask('read', { room, upTo }, ACKNOWLEDGE_WITHIN_MS);
      const outcome = outcomeOfSending(answer);
      if (outcome !== 'settled') return outcome;
      if (unsent.get(room) === upTo) unsent.delete(room);
      if (!answer?.ok) await giveUp(room, upTo);
      return outcome;
    },
    load() {
      unsent.clear(); // a log may have been deleted since, and its marker with it
      return readUnsent();
    },
  });

  /** The welcome has said up to where the server knows each room as read: only what is beyond that has to be sent. */
  async function readUnsent(): Promise<void> {
    const marks = await db.read(['marks', 'rooms'], async (tx) => {
      const all = await tx.objectStore('marks').getAll();
      const rooms = await Promise.all(all.map(({ room }) => tx.objectStore('rooms').get(room)));
      return all.filter(({ told, upTo }, i) => !told && upTo > (rooms[i]?.readUpTo ?? 0));
    });
    for (const { room, upTo } of marks) unsent.set(room, Math.max(upTo, unsent.get(room) ?? 0));
  }

  /** The server refuses it for good: it is not sent again. */
  function giveUp(room: string, upTo: number): Promise<void> {
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
   * Resolves with where the marker is now, if it grew: at most to the head, since what lies between the head and a detached entry was not
   * shown. A view may still show a log that was deleted meanwhile: what was seen of that does not count.
   */
  function grow(room: string, seen: number, logGeneration: number): Promise<Grown | undefined> {
    return db.write(
      ['marks', 'rooms'],
      async (tx) => {
        const mark = await tx.objectStore('marks').get(room);
        const stored = await tx.objectStore('rooms').get(room);
        if (!stored || (stored.logGeneration ?? 0) !== logGeneration) return undefined;
        const upTo = Math.min(seen, stored.head);
        if (upTo <= Math.max(mark?.upTo ?? 0, stored.readUpTo)) return undefined;
        await tx.objectStore('marks').put({ room, upTo, told: false });
        return { upTo, isAtHead: upTo === stored.head };
      },
      'relaxed',
    );
  }

  return {
    seen(room, upTo, logGeneration) {
      grow(room, upTo, logGeneration).then(
        (grown) => {
          if (!grown || sender.isClosed()) return;
          unsent.set(room, grown.upTo);
          fresh.set(room, grown.upTo);
          changed([room], grown.isAtHead);
          sender.send();
        },
        (error) => {
          if (!sender.isClosed()) console.warn('a read marker could not be stored', error);
        },
      );
      return true;
    },
    has: (room, upTo) => upTo <= (fresh.get(room) ?? 0),
    live() {
      fresh.clear();
      sender.live();
    },
    down: sender.down,
    close: sender.close,
  };
}
