import { CURSORS_MAX_ROOMS } from '../../shared/limits.ts';
import type { Cursor, Handshake } from '../../shared/protocol/index.ts';
import { PROTOCOL } from '../../shared/protocol/version.ts';
import type { UserDatabase } from '../db/schema.ts';
import { generationIn } from './generation.ts';

export interface Beginning {
  handshake: Handshake;
  /** Where what is held ends, of all rooms: those that had no place among the cursors, and those one had left, too. */
  ends: ReadonlyMap<string, number>;
  /** As generation.ts counts: what comes of this connection is taken as long as nobody else forgets something. */
  generation: number;
}

/** What a connection begins with: whose database this is, and where it ends in each room, the newest rooms first. */
export function readBeginning(db: UserDatabase, me: string, open: string | undefined): Promise<Beginning> {
  return db.read(['rooms', 'spans', 'entries', 'loose', 'meta'], async (tx) => {
    const epoch = await tx.objectStore('meta').get('epoch');
    const spans = new Map((await tx.objectStore('spans').getAll()).map(({ room, to }) => [room, to]));
    const ends = new Map(spans);
    for (const { room, serverOffset } of await tx.objectStore('loose').getAll())
      ends.set(room, Math.max(serverOffset, ends.get(room) ?? 0)); // no cursor tells of it
    const mine = (await tx.objectStore('rooms').getAll()).filter(({ id, left }) => !left && spans.has(id));
    const lasts = await Promise.all(
      mine.map(({ id }) => tx.objectStore('entries').get([id, spans.get(id)!])),
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
