/** The transaction after an answer to `append`: updates or settles each row that was sent. */
import type { Entry } from '../../shared/entry.ts';
import { readFollowers, readSpans } from '../db/lookups.ts';
import { type SettledRow, settleDependents } from '../db/settleRows.ts';
import type { UserDatabase, UserWrite } from '../db/userDatabase.ts';
import { findOwnText } from '../log/read/findOwnText.ts';
import { readGeneration } from '../log/store/generation.ts';
import { SYNC_STORES, storeDetached } from '../log/store/storeEntries.ts';
import type { UncoveredAck } from '../records/change.ts';
import {
  applyRowEvent,
  type Follower,
  isMessageRow,
  isRemovalRow,
  isWaiting,
  obsoleteRows,
  type Row,
  roomsOf,
} from '../records/row.ts';
import { spanAt } from '../records/spans.ts';
import { unanswered, type Verdict } from './appendBatch.ts';
import { removeWithPending, retarget } from './pendingAmendments.ts';

export interface AppliedVerdicts {
  /** The rooms concerned. */
  rooms: string[];
  /** Something that was not sent is sent after all: what changes it is held up no more. */
  freed: boolean;
  /** Acknowledged entries that no span covers: what changed them since is not known. */
  placed: UncoveredAck[];
}

/**
 * Stores what became of each item; a row that an echo settled meanwhile stays settled. Whoever may not say it any more,
 * since another holder sends these rows now, stores what was acknowledged: that is true whoever says it (S5). An answer
 * that was of another `generation` of the logs answers nothing now: all of it is asked again (S1).
 */
export function applyVerdicts(
  db: UserDatabase,
  me: string,
  verdicts: readonly Verdict[],
  newKey: () => string,
  maySay: (tx: UserWrite) => boolean | Promise<boolean> = () => true,
  generation?: number,
): Promise<AppliedVerdicts> {
  return db.write(SYNC_STORES, async (tx) => {
    const concerned: Row[] = [];
    const placed: UncoveredAck[] = [];
    const settled = new Map<string, SettledRow[]>();
    const mine = await maySay(tx);
    const isOfNow = generation === undefined || generation === (await readGeneration(tx));
    for (const verdict of isOfNow ? verdicts : unanswered(verdicts)) {
      if (!mine && verdict.type !== 'acknowledged') continue;
      const row = await tx.objectStore('rows').index('clientOffset').get(verdict.clientOffset);
      if (!row) continue;
      concerned.push(row);
      await applyVerdict(tx, me, row, verdict, newKey);
      if (verdict.type !== 'acknowledged') continue;
      const { serverOffset } = verdict;
      settled.set(row.room, [...(settled.get(row.room) ?? []), { row, serverOffset }]);
      if (!spanAt(await readSpans(tx, row.room), serverOffset)) placed.push({ room: row.room, serverOffset });
    }
    let freed = false;
    for (const [room, ended] of settled) freed = (await settleDependents(tx, room, ended)) || freed;
    const failed = new Set(verdicts.filter(isFailure).map(({ clientOffset }) => clientOffset));
    for (const room of roomsOf(concerned.filter((row) => failed.has(row.clientOffset))))
      await dropUseless(tx, room);
    return { rooms: roomsOf(concerned), freed, placed };
  });
}

function isFailure({ type }: Verdict): boolean {
  return type === 'refused' || type === 'uncertain';
}

async function applyVerdict(tx: UserWrite, me: string, row: Row, verdict: Verdict, newKey: () => string) {
  const rows = tx.objectStore('rows');
  if (verdict.type === 'acknowledged') {
    await settleAcknowledged(tx, me, row, verdict.serverOffset, verdict.at);
    return;
  }
  if (verdict.type !== 'refused') {
    await rows.put(applyRowEvent(row, verdict));
    return;
  }
  if (isRemovalRow(row) && verdict.error.code === 'not-found' && (await isGone(tx, me, row))) return;
  const after = applyRowEvent(row, { ...verdict, newKey: newKey() });
  await rows.put(after);
  if (after.clientOffset !== row.clientOffset) await retarget(tx, row, after.clientOffset);
}

/** Once for all of them: it reads all that is queued about messages of the room, and those that are to be removed. */
async function dropUseless(tx: UserWrite, room: string): Promise<void> {
  const rows = tx.objectStore('rows');
  const followers = await readFollowers(tx, room);
  const messages = new Map<string, Row>();
  for (const row of followers.filter(isRemovalRow)) {
    const message = await rows.index('clientOffset').get(row.target);
    if (message && isMessageRow(message) && message.room === room) messages.set(row.target, message);
  }
  const others = followers.filter(({ clientOffset }) => !messages.has(clientOffset)); // a message may be about another
  for (const { seq } of obsoleteRows([...messages.values(), ...others])) await rows.delete(seq);
}

/** The server has no such message to remove. True when that settles the matter, and it is written down. */
async function isGone(tx: UserWrite, me: string, row: Follower): Promise<boolean> {
  const rows = tx.objectStore('rows');
  const { room, target, targetAuthor = me, targetOffset } = row;
  const message = await rows.index('clientOffset').get(target);
  if (message && isMessageRow(message) && message.room === room) {
    // A message that waits again stands before its removal: once that is known, the removal is asked again.
    if (isWaiting(message)) await rows.put(applyRowEvent(row, { type: 'put-off' }));
    else await removeWithPending(tx, message);
    return true;
  }
  const held = await findOwnText(tx, targetAuthor, room, target, targetOffset);
  if (held && !held.isDeleted) return false; // it shows: that it stays has to be said (O3)
  await rows.delete(row.seq);
  return true;
}

/** Ends a row by the server's acknowledgement of it. The caller tells its followers, for all that were settled at once. */
export async function settleAcknowledged(
  tx: UserWrite,
  me: string,
  row: Row,
  serverOffset: number,
  at: number,
) {
  const target = await placeOf(tx, me, row);
  const entry = entryOf(row, target, { serverOffset, author: me, clientOffset: row.clientOffset, at });
  if (entry) await storeDetached(tx, row.room, [entry]); // else it changes nothing that is held, and comes as all entries do
  await tx.objectStore('rows').delete(row.seq);
}

async function placeOf(tx: UserWrite, me: string, { room, target, targetAuthor = me, targetOffset }: Row) {
  if (target === undefined) return undefined;
  return targetOffset ?? (await findOwnText(tx, targetAuthor, room, target))?.serverOffset;
}

type EntryPosition = Pick<Entry, 'serverOffset' | 'author' | 'clientOffset' | 'at'>;

/** The entry that the server made of it; undefined where that is about a message whose place is not known, and shows nothing. */
function entryOf(row: Row, target: number | undefined, placed: EntryPosition): Entry | undefined {
  const { kind, body, fields } = row;
  if (row.target !== undefined && target === undefined && !isMessageRow(row)) return undefined;
  return {
    ...fields,
    ...placed,
    kind,
    ...(body === undefined ? {} : { body }),
    ...(target === undefined ? {} : { target }),
  } as Entry;
}
