/** The transaction after an answer to `append`: updates or settles each row that was sent. */
import type { Entry } from '../../shared/entry.ts';
import { readFollowers, readSpans } from '../db/lookups.ts';
import { type SettledRow, settleDependents } from '../db/settleRows.ts';
import { LOG_STORES, type UserDatabase, type UserWrite } from '../db/userDatabase.ts';
import { findOwnText } from '../log/read/findOwnText.ts';
import { readGeneration } from '../log/store/generation.ts';
import { storeDetached } from '../log/store/storeEntries.ts';
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
  /** The rooms of the changed rows. */
  rooms: string[];
  /** A parked row was acknowledged after all, so rows that refer to it can be sent now. */
  freed: boolean;
  /** Some of the rows were not settled. */
  isLeft: boolean;
  /** Acknowledged entries outside all spans: amendments of them may be missing. */
  placed: UncoveredAck[];
}

/**
 * Stores a verdict for each item. A row that an echo has settled meanwhile stays settled. `mayStoreVerdicts`: whether this tab still
 * holds the fencing token; if not, another tab sends these rows now, and only acknowledgements are stored, which are true
 * whoever got them (S5). If stored logs were deleted since `generation`, all items count as unanswered and are sent again
 * (S1).
 */
export function applyVerdicts(
  db: UserDatabase,
  me: string,
  verdicts: readonly Verdict[],
  newKey: () => string,
  mayStoreVerdicts: (tx: UserWrite) => boolean | Promise<boolean> = () => true,
  generation?: number,
): Promise<AppliedVerdicts> {
  return db.write(
    ['rows', ...LOG_STORES, 'meta'],
    async (tx) => {
      const changed: Row[] = [];
      let isLeft = false;
      const placed: UncoveredAck[] = [];
      const settled = new Map<string, SettledRow[]>();
      const mayStore = await mayStoreVerdicts(tx);
      const isCurrent = generation === undefined || generation === (await readGeneration(tx));
      for (const given of isCurrent ? verdicts : unanswered(verdicts)) {
        if (given.type !== 'acknowledged') isLeft = true;
        if (!mayStore && given.type !== 'acknowledged') continue;
        const row = await tx.objectStore('rows').index('clientOffset').get(given.clientOffset);
        if (!row) continue;
        const verdict = (await isOfOtherLog(tx, row.room, given)) ? unanswered([given])[0]! : given;
        changed.push(row);
        await applyVerdict(tx, me, row, verdict, newKey);
        if (verdict.type !== 'acknowledged') {
          isLeft = true;
          continue;
        }
        const { serverOffset } = verdict;
        settled.set(row.room, [...(settled.get(row.room) ?? []), { row, serverOffset }]);
        if (!spanAt(await readSpans(tx, row.room), serverOffset))
          placed.push({ room: row.room, serverOffset });
      }
      let freed = false;
      for (const [room, rows] of settled) freed = (await settleDependents(tx, room, rows)) || freed;
      const failed = new Set(verdicts.filter(isFailure).map(({ clientOffset }) => clientOffset));
      for (const room of roomsOf(changed.filter((row) => failed.has(row.clientOffset))))
        await deleteObsolete(tx, room);
      return { rooms: roomsOf(changed), freed, isLeft, placed };
    },
    'relaxed',
  );
}

/**
 * Another entry is stored at the place of the acknowledged one: the server's data was restored, and no page has connected
 * since. Without its row the message would not be shown until one does (O3).
 */
async function isOfOtherLog(tx: UserWrite, room: string, verdict: Verdict): Promise<boolean> {
  if (verdict.type !== 'acknowledged') return false;
  const stored = await tx.objectStore('log').get([room, verdict.serverOffset]);
  return stored !== undefined && !stored.unreadable && stored.clientOffset !== verdict.clientOffset;
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
  if (isRemovalRow(row) && verdict.error.code === 'not-found' && (await resolveMissingTarget(tx, me, row)))
    return;
  const after = applyRowEvent(row, { ...verdict, newKey: newKey() });
  await rows.put(after);
  if (after.clientOffset !== row.clientOffset) await retarget(tx, row, after.clientOffset);
}

/** Deletes the room's obsolete rows. Call it once per room: it reads all followers and the messages that they remove. */
async function deleteObsolete(tx: UserWrite, room: string): Promise<void> {
  const rows = tx.objectStore('rows');
  const followers = await readFollowers(tx, room);
  const messages = new Map<string, Row>();
  for (const row of followers.filter(isRemovalRow)) {
    const message = await rows.index('clientOffset').get(row.target);
    if (message && isMessageRow(message) && message.room === room) messages.set(row.target, message);
  }
  const others = followers.filter(({ clientOffset }) => !messages.has(clientOffset)); // a message may refer to another one
  for (const { seq } of obsoleteRows([...messages.values(), ...others])) await rows.delete(seq);
}

/**
 * Handles a removal whose target the server does not have. False if the message is still on the screen: then the row parks,
 * so that the user learns that the message stays (O3).
 */
async function resolveMissingTarget(tx: UserWrite, me: string, row: Follower): Promise<boolean> {
  const rows = tx.objectStore('rows');
  const { room, target, targetAuthor = me, targetOffset } = row;
  const message = await rows.index('clientOffset').get(target);
  if (message && isMessageRow(message) && message.room === room) {
    // A waiting message is sent before its removal; then the removal is sent again.
    if (isWaiting(message)) await rows.put(applyRowEvent(row, { type: 'put-off' }));
    else await removeWithPending(tx, message);
    return true;
  }
  const held = await findOwnText(tx, targetAuthor, room, target, targetOffset);
  if (held && !held.isDeleted) return false;
  await rows.delete(row.seq);
  return true;
}

/** Deletes an acknowledged row and stores its entry. The caller calls `settleDependents` for all rows of the room. */
async function settleAcknowledged(tx: UserWrite, me: string, row: Row, serverOffset: number, at: number) {
  const target = await targetOffsetOf(tx, me, row);
  const entry = entryOf(row, target, { serverOffset, author: me, clientOffset: row.clientOffset, at });
  if (entry) await storeDetached(tx, row.room, [entry]); // else it amends nothing that is stored, and will arrive as a frame
  await tx.objectStore('rows').delete(row.seq);
}

async function targetOffsetOf(
  tx: UserWrite,
  me: string,
  { room, target, targetAuthor = me, targetOffset }: Row,
) {
  if (target === undefined) return undefined; // of a reply, whose frame will tell: what it has is a hint from the screen
  return targetOffset ?? (await findOwnText(tx, targetAuthor, room, target))?.serverOffset;
}

type EntryPosition = Pick<Entry, 'serverOffset' | 'author' | 'clientOffset' | 'at'>;

/** The entry that the server made of the row; undefined if the serverOffset of its target is not known. */
function entryOf(row: Row, target: number | undefined, position: EntryPosition): Entry | undefined {
  const { kind, body, fields } = row;
  if (row.target !== undefined && target === undefined && !isMessageRow(row)) return undefined;
  return {
    ...fields,
    ...position,
    kind,
    ...(body === undefined ? {} : { body }),
    ...(target === undefined ? {} : { target }),
  } as Entry;
}
