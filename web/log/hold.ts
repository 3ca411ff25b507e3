/**
 * Taking entries into the database: entries, spans, amendments, blanking and the outbox rows they settle, within the
 * caller's one transaction (S1).
 */
import type { Entry } from '../../shared/entry.ts';
import { isLine } from '../../shared/fold.ts';
import { HELD_STORES, ofRoom, UNMOVED_STORES, type UserWrite, within } from '../db/schema.ts';
import type { Row } from '../outbox/row.ts';
import { blankDeleted } from './blank.ts';
import { nextGeneration } from './generation.ts';
import { spansOf } from './readSpans.ts';
import { cover, raised, type Span, spanAt } from './spans.ts';
import { forgetRevs } from './users.ts';

export const LOG_STORES = [...HELD_STORES, ...UNMOVED_STORES, 'users', 'rows', 'rooms', 'meta'] as const;

export interface Incoming {
  room: string;
  /** Ascending, contiguous, at least one. */
  entries: readonly Entry[];
  /** Later entries that change them, wherever they lie, known up to `amendedTo`. */
  amendments: readonly Entry[];
  amendedTo: number;
  /** See `cover` in spans.ts. */
  opens: boolean;
  /** Live, of a room that this connection has not described yet: what is held may be of another log, and is not joined. */
  apart?: boolean;
  /** What was asked again since, these included: spans that lie within know as much. */
  checked?: readonly Span[];
}

/** True when they are held now; false where they would leave a hole, and then nothing is written. */
export async function hold(tx: UserWrite, incoming: Incoming): Promise<boolean> {
  const { room, entries, amendments, amendedTo, opens, checked = [] } = incoming;
  const run: Span = { from: entries[0]!.serverOffset, to: entries.at(-1)!.serverOffset, amendedTo };
  const before = await spansOf(tx, room);
  const covered = cover(before, run, opens);
  if (!covered) return false;
  const after = raised(covered, checked);
  const outside = amendments.filter((entry) => !spanAt(after, entry.serverOffset));
  const [inside, loose] = await blankDeleted(tx, room, entries, outside);
  await Promise.all(inside.map((entry) => tx.objectStore('log').put(asHeld(room, entry))));
  await tx.objectStore('detached').delete(within(room, run.from, run.to));
  for (const entry of loose) await tx.objectStore('detached').put({ ...entry, room });
  await writeSpans(tx, room, before, after);
  return true;
}

/** As it stands in `log`: with its room, and with its place among the lines if it is one. */
function asHeld(room: string, entry: Entry) {
  return isLine(entry) ? { ...entry, room, line: entry.serverOffset } : { ...entry, room };
}

/**
 * True when something is held where another entry stands now: the server's data was put back by hand, and no cursor told
 * of it, for one was out of the room meanwhile (S1).
 */
export async function isOfAnotherLog(
  tx: UserWrite,
  { room, entries, amendments }: Incoming,
): Promise<boolean> {
  const came = new Map([...entries, ...amendments].map((entry) => [entry.serverOffset, entry.clientOffset]));
  const ranges = [
    within(room, entries[0]!.serverOffset, entries.at(-1)!.serverOffset),
    ...amendments.map(({ serverOffset }) => within(room, serverOffset, serverOffset)),
  ];
  const held = await Promise.all(
    ranges.flatMap((range) =>
      (['log', 'detached'] as const).map((name) => tx.objectStore(name).getAll(range)),
    ),
  );
  return held.flat().some((entry) => came.get(entry.serverOffset) !== entry.clientOffset);
}

/** Keeps entries that no span covers; those that one does are held already. They extend nothing. */
export async function holdLoose(tx: UserWrite, room: string, entries: readonly Entry[]): Promise<void> {
  const spans = await spansOf(tx, room);
  const outside = entries.filter((entry) => !spanAt(spans, entry.serverOffset));
  const [, kept] = await blankDeleted(tx, room, [], outside);
  for (const entry of kept) await tx.objectStore('detached').put({ ...entry, room });
}

/** Forgets what is held of a room's log: the server's data was put back. Outbox and drafts stay. */
export async function forget(tx: UserWrite, room: string): Promise<void> {
  await deleteLogs(tx, room);
  await forgetPlaces(tx, await tx.objectStore('rows').index('room').getAll(room));
  await nextGeneration(tx);
  await forgetRevs(tx);
}

/** All that is held, moved or not, or that of one room; in pieces, since one request for very much is not answered for too long. */
export async function deleteLogs(tx: UserWrite, room?: string): Promise<void> {
  const range = room === undefined ? undefined : ofRoom(room);
  for (const name of [...HELD_STORES, ...UNMOVED_STORES]) {
    const store = tx.objectStore(name);
    for (let isMore = true; isMore; ) {
      const keys = await store.getAllKeys(range, PIECE_RECORDS);
      if (keys.length > 0) await store.delete(IDBKeyRange.bound(keys[0], keys.at(-1)));
      isMore = keys.length === PIECE_RECORDS;
    }
  }
}

const PIECE_RECORDS = 1_000;

/** Rows that wait keep their texts and keys; where their targets stood in a log that is no more says nothing now (O4). */
export async function forgetPlaces(tx: UserWrite, rows: readonly Row[]): Promise<void> {
  for (const row of rows) {
    if (row.targetOffset === undefined) continue;
    const { targetOffset: _, ...rest } = row;
    await tx.objectStore('rows').put(rest);
  }
}

async function writeSpans(tx: UserWrite, room: string, before: readonly Span[], after: readonly Span[]) {
  const kept = new Set(after.map((span) => span.from));
  for (const { from } of before) if (!kept.has(from)) await tx.objectStore('logSpans').delete([room, from]);
  for (const span of after) {
    if (
      before.some((old) => old.from === span.from && old.to === span.to && old.amendedTo === span.amendedTo)
    )
      continue;
    await tx.objectStore('logSpans').put({ from: span.from, to: span.to, amendedTo: span.amendedTo, room });
  }
}
