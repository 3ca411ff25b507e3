import { CURSORS_MAX_ROOMS } from '../../shared/limits.ts';
import { type Cursor, type Handshake, PROTOCOL } from '../../shared/protocol/index.ts';
import type { UserDatabase } from '../db/schema.ts';

/** What a connection begins with: whose database this is, and where it ends in each room, the newest rooms first. */
export function readHandshake(db: UserDatabase, me: string, open: string | undefined): Promise<Handshake> {
  return db.read(['rooms', 'spans', 'entries', 'meta'], async (tx) => {
    const epoch = await tx.objectStore('meta').get('epoch');
    const mine = new Set(await tx.objectStore('rooms').getAllKeys());
    const ends = new Map<string, number>();
    for (const { room, to } of await tx.objectStore('spans').getAll()) if (mine.has(room)) ends.set(room, to);
    const cursors: [string, Cursor][] = [];
    for (const [room, to] of ends) {
      const last = await tx.objectStore('entries').get([room, to]);
      if (last) cursors.push([room, [to, last.at]]);
    }
    cursors.sort(([, a], [, b]) => b[1] - a[1]);
    return {
      protocol: PROTOCOL,
      as: me,
      cursors: Object.fromEntries(cursors.slice(0, CURSORS_MAX_ROOMS)),
      ...(epoch === undefined ? {} : { epoch }),
      ...(open === undefined ? {} : { open }),
    };
  });
}
