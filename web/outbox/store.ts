/** The drain's transaction after an answer: storing what became of what was sent. */
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { generationIn } from '../log/generation.ts';
import { LOG_STORES } from '../log/hold.ts';
import { spansOf } from '../log/readSpans.ts';
import { spanAt } from '../log/spans.ts';
import { remove, repoint } from './followers.ts';
import { heldMessage } from './held.ts';
import { followersIn } from './queuedChanges.ts';
import {
  type Follower,
  isMessageRow,
  isRemovalRow,
  isWaiting,
  type Row,
  roomsOf,
  step,
  uselessOf,
} from './row.ts';
import { type Ended, settleAcknowledged, tellFollowers } from './settle.ts';
import { unanswered, type Verdict } from './verdicts.ts';

export interface Stored {
  /** The rooms concerned. */
  rooms: string[];
  /** Something that was not sent is sent after all: what changes it is held up no more. */
  freed: boolean;
  /** Acknowledged entries that no span covers: what changed them since is not known. */
  placed: Placed[];
}

export interface Placed {
  room: string;
  serverOffset: number;
}

/**
 * Stores what became of each item; a row that an echo settled meanwhile stays settled. Whoever may not say it any more,
 * since another holder sends these rows now, stores what was acknowledged: that is true whoever says it (S5). An answer
 * that was of another `generation` of the logs answers nothing now: all of it is asked again (S1).
 */
export function storeVerdicts(
  db: UserDatabase,
  me: string,
  verdicts: readonly Verdict[],
  newKey: () => string,
  maySay: (tx: UserWrite) => boolean | Promise<boolean> = () => true,
  generation?: number,
): Promise<Stored> {
  return db.write(LOG_STORES, async (tx) => {
    const concerned: Row[] = [];
    const placed: Placed[] = [];
    const settled = new Map<string, Ended[]>();
    const mine = await maySay(tx);
    const isOfNow = generation === undefined || generation === (await generationIn(tx));
    for (const verdict of isOfNow ? verdicts : unanswered(verdicts)) {
      if (!mine && verdict.type !== 'acknowledged') continue;
      const row = await tx.objectStore('rows').index('clientOffset').get(verdict.clientOffset);
      if (!row) continue;
      concerned.push(row);
      await storeVerdict(tx, me, row, verdict, newKey);
      if (verdict.type !== 'acknowledged') continue;
      const { serverOffset } = verdict;
      settled.set(row.room, [...(settled.get(row.room) ?? []), { row, serverOffset }]);
      if (!spanAt(await spansOf(tx, row.room), serverOffset)) placed.push({ room: row.room, serverOffset });
    }
    let freed = false;
    for (const [room, ended] of settled) freed = (await tellFollowers(tx, room, ended)) || freed;
    const failed = new Set(verdicts.filter(isFailure).map(({ clientOffset }) => clientOffset));
    for (const room of roomsOf(concerned.filter((row) => failed.has(row.clientOffset))))
      await dropUseless(tx, room);
    return { rooms: roomsOf(concerned), freed, placed };
  });
}

function isFailure({ type }: Verdict): boolean {
  return type === 'refused' || type === 'uncertain';
}

async function storeVerdict(tx: UserWrite, me: string, row: Row, verdict: Verdict, newKey: () => string) {
  const rows = tx.objectStore('rows');
  if (verdict.type === 'acknowledged') {
    await settleAcknowledged(tx, me, row, verdict.serverOffset, verdict.at);
    return;
  }
  if (verdict.type !== 'refused') {
    await rows.put(step(row, verdict));
    return;
  }
  if (isRemovalRow(row) && verdict.error.code === 'not-found' && (await isGone(tx, me, row))) return;
  const after = step(row, { ...verdict, newKey: newKey() });
  await rows.put(after);
  if (after.clientOffset !== row.clientOffset) await repoint(tx, row, after.clientOffset);
}

/** Once for all of them: it reads all that is queued about messages of the room, and those that are to be removed. */
async function dropUseless(tx: UserWrite, room: string): Promise<void> {
  const rows = tx.objectStore('rows');
  const followers = await followersIn(tx, room);
  const messages = new Map<string, Row>();
  for (const row of followers.filter(isRemovalRow)) {
    const message = await rows.index('clientOffset').get(row.target);
    if (message && isMessageRow(message) && message.room === room) messages.set(row.target, message);
  }
  const others = followers.filter(({ clientOffset }) => !messages.has(clientOffset)); // a message may be about another
  for (const { seq } of uselessOf([...messages.values(), ...others])) await rows.delete(seq);
}

/** The server has no such message to remove. True when that settles the matter, and it is written down. */
async function isGone(tx: UserWrite, me: string, row: Follower): Promise<boolean> {
  const rows = tx.objectStore('rows');
  const { room, target, targetAuthor = me, targetOffset } = row;
  const message = await rows.index('clientOffset').get(target);
  if (message && isMessageRow(message) && message.room === room) {
    // A message that waits again stands before its removal: once that is known, the removal is asked again.
    if (isWaiting(message)) await rows.put(step(row, { type: 'put-off' }));
    else await remove(tx, message);
    return true;
  }
  const held = await heldMessage(tx, targetAuthor, room, target, targetOffset);
  if (held && !held.isDeleted) return false; // it shows: that it stays has to be said (O3)
  await rows.delete(row.seq);
  return true;
}
