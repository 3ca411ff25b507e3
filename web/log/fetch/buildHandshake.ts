/** Builds the handshake of a connection from what is stored: the cursors from which the server continues. */
import { DIRECT } from '../../../shared/directPair.ts';
import { CURSORS_MAX_ROOMS } from '../../../shared/limits.ts';
import type { Cursor, Handshake } from '../../../shared/protocol/index.ts';
import { PROTOCOL, REQUIRED_FEATURE } from '../../../shared/protocol/version.ts';
import type { UserDatabase, UserRead } from '../../db/userDatabase.ts';
import type { HeldEntry } from '../../records/storedRecords.ts';
import { readGeneration } from '../store/generation.ts';
import { readUsersUpTo } from '../store/userNames.ts';

export interface BuiltHandshake {
  handshake: Handshake;
  /** The last stored serverOffset of every room: also of rooms that are not among the cursors, and of rooms the user left. */
  ends: ReadonlyMap<string, number>;
  /** The generation of the stored logs: frames of this connection are stored while it stays the same (generation.ts). */
  generation: number;
}

/**
 * The cursors are of the most recently active rooms. A cursor is the last entry of the newest span; the server sends what
 * follows it. A detached entry beyond the cursor is sent too, as a proof: by both the server detects that its data was
 * restored to an older state. Rooms that the user left are included, since they may have joined again. `open`: the room on
 * the screen.
 */
export function buildHandshake(
  db: UserDatabase,
  me: string,
  open: string | undefined,
  now: number,
): Promise<BuiltHandshake> {
  return db.read(['logSpans', 'log', 'detached', 'meta', 'rows'], async (tx) => {
    const epoch = await tx.objectStore('meta').get('epoch');
    const upTo = await readUsersUpTo(tx);
    const usersSince = epoch === undefined ? undefined : (upTo ?? 0); // a new database has no outdated names
    const spans = new Map((await tx.objectStore('logSpans').getAll()).map(({ room, to }) => [room, to])); // ascending
    const lasts = await Promise.all([...spans].map((end) => tx.objectStore('log').get(end)));
    const beyond = new Map<string, HeldEntry>();
    for (const entry of await tx.objectStore('detached').getAll())
      if (entry.serverOffset > (spans.get(entry.room) ?? 0)) beyond.set(entry.room, entry); // ascending: the last wins
    const ends = new Map(spans);
    for (const [room, { serverOffset }] of beyond) ends.set(room, serverOffset);
    const proofs = newestOf([...beyond.values()]);
    const waiting = await minutesWaited(tx, now);
    const handshake: Handshake = {
      protocol: PROTOCOL,
      as: me,
      features: [REQUIRED_FEATURE, DIRECT],
      cursors: newestOf(lasts.flatMap((last) => last ?? [])),
      ...(Object.keys(proofs).length === 0 ? {} : { proofs }),
      ...(epoch === undefined ? {} : { epoch }),
      ...(open === undefined ? {} : { open }),
      ...(usersSince === undefined ? {} : { usersSince }),
      ...(waiting === undefined ? {} : { waiting }),
    };
    return { handshake, ends, generation: await readGeneration(tx) };
  });
}

/** Of the first row that is to be sent, among the first ones: rows that wait for the person are not counted. */
async function minutesWaited(tx: UserRead, now: number): Promise<number | undefined> {
  const first = (await tx.objectStore('rows').getAll(undefined, ROWS_LOOKED_AT)).find(
    ({ state }) => state.tag !== 'parked',
  );
  return first && Math.max(0, Math.round((now - first.at) / 60_000));
}

const ROWS_LOOKED_AT = 10;

/** By room, the most recent first, at most CURSORS_MAX_ROOMS. */
function newestOf(entries: readonly HeldEntry[]): Record<string, Cursor> {
  const newest = [...entries].sort((a, b) => b.at - a.at).slice(0, CURSORS_MAX_ROOMS);
  return Object.fromEntries(
    newest.map(({ room, serverOffset, at }): [string, Cursor] => [room, [serverOffset, at]]),
  );
}
