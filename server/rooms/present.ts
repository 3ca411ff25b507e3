import type { Room } from '../../shared/protocol/index.ts';
import type { StoredRoom } from '../store/port.ts';

/** A room as it goes over the wire, in the one shape it has everywhere. Without a catch-up, `from` is head + 1. */
export function presentRoom(
  { id, kind, name, head, members }: StoredRoom,
  readUpTo: number,
  { from = head + 1, reset = false }: { from?: number; reset?: boolean } = {},
): Room {
  return { id, kind, name, head, from, ...(reset ? { reset } : {}), readUpTo, members };
}
