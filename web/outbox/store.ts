/** The drain's transaction after an answer: storing what became of what was sent. */
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { generationIn } from '../log/generation.ts';
import { LOG_STORES } from '../log/hold.ts';
import { spansOf } from '../log/readSpans.ts';
import { spanAt } from '../log/spans.ts';
import { remove, repoint } from './followers.ts';
import { ownText } from './held.ts';
import { changesIn } from './queuedChanges.ts';
import { isWaiting, type Row, roomsOf, step, uselessOf } from './row.ts';
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
    for (const verdict of isOfNow ? verdicts : unanswered(verdicts.map(({ clientOffset }) => clientOffset))) {
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
  if (row.kind === 'delete' && verdict.error.code === 'not-found' && (await isGone(tx, me, row))) return;
  const after = step(row, { ...verdict, newKey: newKey() });
  await rows.put(after);
  if (after.clientOffset !== row.clientOffset) await repoint(tx, row, after.clientOffset);
}

/** Once for all of them: it reads all changes that are queued in the room, and the texts that are to be deleted. */
async function dropUseless(tx: UserWrite, room: string): Promise<void> {
  const rows = tx.objectStore('rows');
  const changes = await changesIn(tx, room);
  const texts = new Map<string, Row>();
  for (const { kind, target } of changes) {
    const text = kind === 'delete' ? await rows.index('clientOffset').get(target) : undefined;
    if (text?.kind === 'text' && text.room === room) texts.set(target, text);
  }
  for (const { seq } of uselessOf([...texts.values(), ...changes])) await rows.delete(seq);
}

/** The server has no such text to delete. True when that settles the matter, and it is written down. */
async function isGone(tx: UserWrite, me: string, row: Row & { kind: 'delete' }): Promise<boolean> {
  const rows = tx.objectStore('rows');
  const text = await rows.index('clientOffset').get(row.target);
  if (text?.kind === 'text' && text.room === row.room) {
    // A text that waits again stands before its deletion: once that is known, the deletion is asked again.
    if (isWaiting(text)) await rows.put(step(row, { type: 'put-off' }));
    else await remove(tx, text);
    return true;
  }
  const held = await ownText(tx, me, row.room, row.target, row.targetOffset);
  if (held?.body !== undefined) return false; // it shows: that it stays has to be said (O3)
  await rows.delete(row.seq);
  return true;
}
