/**
 * What the person wants of each room: muted, pinned, hidden, marked as unread. A choice is stored on this device first, where
 * it holds at once, and sent until the server has acknowledged it: with the time since it was made, so that of choices on
 * several devices the newest holds, whichever arrives last.
 */
import { ACKNOWLEDGE_WITHIN_MS } from '../../shared/limits.ts';
import type { RoomChoice } from '../../shared/protocol/index.ts';
import type { Clock } from '../db/clock.ts';
import { type StorageHealth, storageReason } from '../db/failure.ts';
import type { UserDatabase } from '../db/userDatabase.ts';
import { putSettings } from '../log/store/applyFrames.ts';
import type { Reason } from '../records/errorReason.ts';
import type { LocalRoom, WaitingChoices } from '../records/storedRecords.ts';
import type { ConnectionRunner } from '../transport/connectionRunner.ts';
import { createRoomSender, outcomeOfSending } from './sendUntilAnswered.ts';

export interface RoomChoices {
  /** Resolves ok once the choice is on this device. */
  choose(room: string, choice: ChosenNow): Promise<{ ok: true } | { ok: false; reason: Reason }>;
  /** A welcome is stored: sends what waits. */
  live(): void;
  /** The connection ended. Nothing is sent before the next welcome is stored. */
  down(): void;
  close(): void;
}

/** `hidden` with a serverOffset is what the server stores; a person hides what there is now. */
export type ChosenNow = Omit<RoomChoice, 'hidden'> & { hidden?: boolean };

interface Deps {
  db: UserDatabase;
  /** Undefined while there is no connection. */
  liveConnection(): Pick<ConnectionRunner, 'ask'> | undefined;
  clock: Clock;
  storage: StorageHealth;
  /** What holds for these rooms has changed. */
  changed(rooms: string[]): void;
}

export function createRoomChoices({ db, liveConnection, clock, storage, changed }: Deps): RoomChoices {
  /** Rooms with choices to be sent. */
  const waiting = new Set<string>();
  const sender = createRoomSender({
    clock,
    liveConnection,
    waiting: () => waiting,
    what: 'the settings of rooms',
    async sendOne(connection, room) {
      const stored = await db.read(['rooms'], (tx) => tx.objectStore('rooms').get(room));
      const choices = stored?.making ? {} : (stored?.choices ?? {}); // what the server does not know yet waits for the next welcome
      const at = Math.min(...Object.values(choices).map((one) => one.at)); // the oldest first
      const sent = Object.entries(choices).filter(([, one]) => one.at === at) as Sent;
      if (sent.length === 0) {
        waiting.delete(room);
        return 'settled';
      }
      const request = Object.fromEntries(sent.map(([name, { value }]) => [name, value]));
      const ago = Math.max(0, clock.now() - at);
      const answer = await connection.ask('room:choose', { room, ...request, ago }, ACKNOWLEDGE_WITHIN_MS);
      const outcome = outcomeOfSending(answer);
      if (outcome === 'settled') await settle(room, sent, answer?.ok ? answer.settings : undefined);
      return outcome;
    },
    /** Also what another tab has stored. */
    async load() {
      const rooms = await db.read(['rooms'], (tx) => tx.objectStore('rooms').getAll());
      for (const { id, choices } of rooms) if (choices) waiting.add(id);
    },
  });

  /** The server has these choices, or refuses them for good: only what was chosen meanwhile still waits. */
  async function settle(id: string, sent: Sent, settings: LocalRoom['settings']): Promise<void> {
    await db.write(
      ['rooms'],
      async (tx) => {
        if (settings) await putSettings(tx, id, settings);
        const stored = await tx.objectStore('rooms').get(id);
        if (!stored) return;
        const { choices = {}, ...room } = stored;
        const left = Object.entries(choices).filter(
          ([name, { value, at }]) =>
            !sent.some(([its, one]) => its === name && one.value === value && one.at === at),
        );
        await tx
          .objectStore('rooms')
          .put(left.length > 0 ? { ...room, choices: Object.fromEntries(left) } : room);
      },
      'relaxed',
    );
    if (!sender.isClosed()) changed([id]);
  }

  return {
    async choose(room, { hidden, ...choice }) {
      try {
        await db.write(['rooms'], async (tx) => {
          const stored = await tx.objectStore('rooms').get(room);
          if (!stored) return;
          const values = { ...choice, ...(hidden !== undefined && { hidden: hidden ? stored.head : null }) };
          const at = clock.now();
          const chosen = Object.entries(values).map(([name, value]) => [name, { value, at }]);
          const choices = { ...stored.choices, ...Object.fromEntries(chosen) };
          await tx.objectStore('rooms').put({ ...stored, choices });
        });
      } catch (error) {
        storage.failed(error);
        return { ok: false, reason: storageReason(error) };
      }
      storage.worked();
      changed([room]);
      waiting.add(room);
      sender.send();
      return { ok: true };
    },
    live: sender.live,
    down: sender.down,
    close: sender.close,
  };
}

/** By name. */
type Sent = [string, NonNullable<WaitingChoices[keyof WaitingChoices]>][];
