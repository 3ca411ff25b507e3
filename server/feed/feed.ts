/**
 * The only reader of what was committed: tails the store, keeps each hosted room's place, heals what the tail lost, and
 * hands on runs of entries that are in order and without gap.
 */
import type { Entry } from '../../shared/entry.ts';
import { membershipOf } from '../../shared/kinds.ts';
import { retryUntilDone } from '../base/timeout.ts';
import type { Committed, LogStore, Tail } from '../store/port.ts';
import { createCoalescer } from './coalesce.ts';
import { createHeadOf } from './heads.ts';
import { createRoomFeed, type RoomFeed } from './room.ts';

export interface Feed {
  start(): Promise<void>;
  /** False while commits may go unheard. */
  isOpen(): boolean;
  /** The room's feed; nothing of it is missed once it is open. */
  host(room: string): RoomFeed;
  hosted(): string[];
  /**
   * The heads of all hosted rooms, from the store and not from the tail, in one question; those that cannot be told now are
   * left out. What that shows to be missing is then read, room by room.
   */
  checkHeads(): Promise<Map<string, number>>;
  /** Nobody here looks at it any more. */
  release(room: string): void;
  close(): Promise<void>;
}

interface Deps {
  log: LogStore;
  /** A room's new entries, for the sockets of this process. Must not reject. */
  deliver: (room: string, entries: Entry[]) => Promise<void>;
  /** Every entry committed that changes who is in a room, hosted room or not. */
  onMembership: (room: string, entry: Entry) => void;
  /** Such entries may have passed unheard. What else passed is healed here. */
  onGap: () => void;
  onLag: (ms: number) => void;
  now: () => number;
}

export function createFeed({ log, deliver, onMembership, onGap, onLag, now }: Deps): Feed {
  const rooms = new Map<string, RoomFeed>();
  const headOf = createHeadOf(log);
  let tail: Tail | undefined;
  let closed = false;

  function hear(batch: readonly Committed[]) {
    const last = batch.at(-1);
    if (last) onLag(now() - last.entry.at);
    for (const [room, entries] of byRoom(batch)) {
      rooms.get(room)?.hear(entries);
      for (const entry of entries) {
        if (membershipOf(entry)) onMembership(room, entry);
      }
    }
  }

  async function checkHeads(): Promise<Map<string, number>> {
    const hosted = [...rooms.keys()];
    const heads = hosted.length > 0 ? await log.heads(hosted) : new Map<string, number>();
    for (const [room, head] of heads) rooms.get(room)?.reach(head);
    return heads;
  }

  return {
    async start() {
      tail = await log.tail(undefined, {
        onBatch: hear,
        onGap() {
          onGap();
          void retryUntilDone(checkHeads, { pause, isOver: () => closed });
        },
      });
    },
    isOpen: () => tail?.isOpen() ?? false,
    host(room) {
      const known = rooms.get(room);
      if (known) return known;
      const send = createCoalescer<Entry>((entries) => deliver(room, entries), now);
      const made = createRoomFeed({ room, log, headOf, deliver: send, pause });
      if (closed) made.close(); // a catch-up that is still under way asks for rooms that nobody will feed any more
      rooms.set(room, made);
      return made;
    },
    hosted: () => [...rooms.keys()],
    checkHeads,
    release(room) {
      rooms.get(room)?.close();
      rooms.delete(room);
    },
    async close() {
      closed = true;
      for (const room of rooms.values()) room.close();
      await tail?.close();
    },
  };
}

function byRoom(batch: readonly Committed[]): Map<string, Entry[]> {
  const rooms = new Map<string, Entry[]>();
  for (const { room, entry } of batch) {
    const entries = rooms.get(room);
    if (entries) entries.push(entry);
    else rooms.set(room, [entry]);
  }
  return rooms;
}

/** A real pause in every case: what tries again without one, while the store is closed, would never let anything else run. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
