/** One client's copy of one room: entries by serverOffset, without a gap up to the cursor. */
import type { Entry } from '../../../../shared/entry.ts';

export interface HeldRoom {
  take(entries: readonly Entry[]): void;
  /** The greatest known head of the room. */
  hearOfHead(head: number): void;
  /** The next range to request (S2); undefined if no entry is known to be missing. */
  missing(): { from: number; to: number } | undefined;
  /** The cursor for the handshake. */
  cursor(): [serverOffset: number, at: number];
}

export function createHeldRoom(): HeldRoom {
  const held = new Map<number, Entry>();
  let cursor = 0;
  let head = 0;
  return {
    take(entries) {
      for (const entry of entries) {
        held.set(entry.serverOffset, entry);
        head = Math.max(head, entry.serverOffset);
      }
      while (held.has(cursor + 1)) cursor++;
    },
    hearOfHead: (heard) => {
      head = Math.max(head, heard);
    },
    missing() {
      if (cursor >= head) return undefined;
      let to = cursor + 1;
      while (to < head && !held.has(to + 1)) to++;
      return { from: cursor + 1, to };
    },
    cursor: () => [cursor, held.get(cursor)?.at ?? 0],
  };
}
