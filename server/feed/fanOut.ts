/** A room's new entries, to every socket of this process that is in it: encoded once, not compressed. */
import type { Entry } from '../../shared/entry.ts';
import { type LiveServer, socketsOf } from '../realtime/types.ts';
import type { Names } from './names.ts';

/** Never rejects. */
export function createFanOut(io: LiveServer, names: Names) {
  return async (room: string, entries: Entry[]): Promise<void> => {
    const users = await names.of(entries).catch(() => ({})); // a frame without a name beats no frame
    io.local.to(socketsOf.room(room)).compress(false).emit('entries', { room, entries, users });
  };
}
