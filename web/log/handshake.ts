import { CURSORS_MAX_ROOMS } from '../../shared/limits.ts';
import type { Cursor, Handshake } from '../../shared/protocol/index.ts';
import { PROTOCOL } from '../../shared/protocol/version.ts';
import type { HeldEntry, UserDatabase } from '../db/schema.ts';
import { generationIn } from './generation.ts';

export interface Beginning {
  handshake: Handshake;
  /** Where what is held ends, of all rooms: those that had no place among the cursors, and those one had left, too. */
  ends: ReadonlyMap<string, number>;
  /** As generation.ts counts: what comes of this connection is taken as long as nobody else forgets something. */
  generation: number;
}

/**
 * What a connection begins with: whose database this is, and where it ends in each room, the newest rooms first. That is
 * the last entry that is held, in a span or loose: by it the server finds a log that was put back, and what lies in a hole
 * before it is asked for as in any hole. Rooms that one has left are among them: one may be in them again.
 */
export function readBeginning(db: UserDatabase, me: string, open: string | undefined): Promise<Beginning> {
  return db.read(['logSpans', 'log', 'detached', 'meta'], async (tx) => {
    const epoch = await tx.objectStore('meta').get('epoch');
    const spans = new Map((await tx.objectStore('logSpans').getAll()).map(({ room, to }) => [room, to]));
    const beyond = new Map<string, HeldEntry>();
    for (const entry of await tx.objectStore('detached').getAll())
      if (entry.serverOffset > (spans.get(entry.room) ?? 0)) beyond.set(entry.room, entry); // ascending
    const ends = new Map(spans);
    for (const [room, { serverOffset }] of beyond) ends.set(room, serverOffset);
    const lasts = await Promise.all(
      [...spans].map(([room, to]) => beyond.get(room) ?? tx.objectStore('log').get([room, to])),
    );
    const cursors = lasts.flatMap((last): [string, Cursor][] =>
      last ? [[last.room, [last.serverOffset, last.at]]] : [],
    );
    cursors.sort(([, a], [, b]) => b[1] - a[1]);
    const handshake: Handshake = {
      protocol: PROTOCOL,
      as: me,
      cursors: Object.fromEntries(cursors.slice(0, CURSORS_MAX_ROOMS)),
      ...(epoch === undefined ? {} : { epoch }),
      ...(open === undefined ? {} : { open }),
    };
    return { handshake, ends, generation: await generationIn(tx) };
  });
}
