import { CURSORS_MAX_ROOMS } from '../../shared/limits.ts';
import type { Cursor, Handshake } from '../../shared/protocol/index.ts';
import { PROTOCOL, REQUIRED_FEATURE } from '../../shared/protocol/version.ts';
import type { HeldEntry, UserDatabase } from '../db/schema.ts';
import { generationIn } from './generation.ts';
import { usersUpToIn } from './users.ts';

export interface Beginning {
  handshake: Handshake;
  /** Where what is held ends, of all rooms: those that had no place among the cursors, and those one had left, too. */
  ends: ReadonlyMap<string, number>;
  /** As generation.ts counts: what comes of this connection is taken as long as nobody else forgets something. */
  generation: number;
}

/**
 * What a connection begins with: whose database this is, and where it ends in each room, the newest rooms first. The cursor
 * is the end of the newest span: what lies behind it comes. A later entry that is held by itself stands beside it, as a
 * proof: by both the server finds a log that was put back. Rooms that one has left are among them: one may be in them again.
 */
export function readBeginning(db: UserDatabase, me: string, open: string | undefined): Promise<Beginning> {
  return db.read(['logSpans', 'log', 'detached', 'meta'], async (tx) => {
    const epoch = await tx.objectStore('meta').get('epoch');
    const upTo = await usersUpToIn(tx);
    const usersSince = epoch === undefined ? undefined : (upTo ?? 0); // a new database has no old names
    const spans = new Map((await tx.objectStore('logSpans').getAll()).map(({ room, to }) => [room, to])); // ascending
    const lasts = await Promise.all([...spans].map((end) => tx.objectStore('log').get(end)));
    const beyond = new Map<string, HeldEntry>();
    for (const entry of await tx.objectStore('detached').getAll())
      if (entry.serverOffset > (spans.get(entry.room) ?? 0)) beyond.set(entry.room, entry); // ascending, too
    const ends = new Map(spans);
    for (const [room, { serverOffset }] of beyond) ends.set(room, serverOffset);
    const proofs = newestOf([...beyond.values()]);
    const handshake: Handshake = {
      protocol: PROTOCOL,
      as: me,
      features: [REQUIRED_FEATURE],
      cursors: newestOf(lasts.flatMap((last) => last ?? [])),
      ...(Object.keys(proofs).length === 0 ? {} : { proofs }),
      ...(epoch === undefined ? {} : { epoch }),
      ...(open === undefined ? {} : { open }),
      ...(usersSince === undefined ? {} : { usersSince }),
    };
    return { handshake, ends, generation: await generationIn(tx) };
  });
}

/** By room, those that were said last first; no more than a server takes. */
function newestOf(entries: readonly HeldEntry[]): Record<string, Cursor> {
  const newest = [...entries].sort((a, b) => b.at - a.at).slice(0, CURSORS_MAX_ROOMS);
  return Object.fromEntries(
    newest.map(({ room, serverOffset, at }): [string, Cursor] => [room, [serverOffset, at]]),
  );
}
