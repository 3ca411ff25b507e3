/**
 * The time by which public rooms are listed, a field of the room's document. The append does not wait for it: it is written
 * behind, at most once per room in ROOM_ACTIVITY_EVERY_MS by each process, with one write under way at a time. It is a hint: one
 * that is lost with its process or its connection is made up for by the next entry.
 */
import { ROOM_ACTIVITY_EVERY_MS } from '../../../shared/limits.ts';
import type { Collections } from './base/collections.ts';

export interface RoomActivity {
  /** The room has an entry of this time, or was created then. */
  appended(room: string, at: number): void;
  /** The same, where the room's document says so already. */
  isStored(room: string, at: number): void;
}

interface Deps {
  rooms: Collections['rooms'];
  pass: (work: () => Promise<void>) => Promise<void>;
  /** A monotonic clock in milliseconds. */
  now: () => number;
}

export function createRoomActivity({ rooms, pass, now }: Deps): RoomActivity {
  /** Of rooms with entries within about ROOM_ACTIVITY_EVERY_MS: the activity that was written. */
  const written = new Map<string, number>();
  let clearedAt = now();
  let pending = new Map<string, number>();
  let isWriting = false;

  async function writeAll(): Promise<void> {
    isWriting = true;
    while (pending.size > 0) {
      const updates = [...pending].map(([_id, activeAt]) => ({
        updateOne: { filter: { _id }, update: { $max: { activeAt } } },
      }));
      pending = new Map();
      await pass(async () => void (await rooms.bulkWrite(updates, { ordered: false }))).catch(() => {}); // a hint
    }
    isWriting = false;
  }

  function isStored(room: string, at: number) {
    if (now() - clearedAt >= ROOM_ACTIVITY_EVERY_MS) {
      written.clear();
      clearedAt = now();
    }
    written.set(room, at);
  }

  return {
    isStored,
    appended(room, at) {
      const before = written.get(room);
      if (before !== undefined && at - before < ROOM_ACTIVITY_EVERY_MS) return;
      isStored(room, at);
      pending.set(room, at);
      if (!isWriting) void writeAll();
    },
  };
}
