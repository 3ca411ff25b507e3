import type { Room } from '../../shared/protocol/index.ts';
import type { StoredRoom } from '../store/port.ts';

/** What only a catch-up knows of a room. */
interface Missed {
  from?: number;
  reset?: boolean;
  unread?: number | undefined;
  older?: number | undefined;
}

/**
 * A room as it goes over the wire, in the one shape it has everywhere. Without a catch-up, `from` is head + 1. A head that
 * cannot be told now counts as 0: nobody takes it for the log's, since only a catch-up may say that a log was put back.
 */
export function presentRoom(
  { id, kind, name, head = 0, members }: StoredRoom,
  readUpTo: number,
  { from = head + 1, reset = false, unread = 0, older }: Missed = {},
): Room {
  return {
    id,
    kind,
    name,
    head,
    from,
    ...(reset ? { reset } : {}),
    readUpTo,
    members,
    ...(unread > 0 ? { unread } : {}),
    ...(older === undefined ? {} : { older }),
  };
}
