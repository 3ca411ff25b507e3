/** The drain's transaction after an answer: storing what became of what was sent. */
import type { UserDatabase, UserWrite } from '../db/schema.ts';
import { LOG_STORES, spansOf } from '../log/hold.ts';
import { spanAt } from '../log/spans.ts';
import { type Row, roomsOf, step } from './row.ts';
import { remove, repoint } from './rows.ts';
import { type Places, settleAcknowledged, tellFollowers } from './settle.ts';
import type { Verdict } from './verdicts.ts';

export interface Stored {
  /** The rooms concerned. */
  rooms: string[];
  /** Acknowledged entries that no span covers: what changed them since is not known. */
  placed: Placed[];
}

export interface Placed {
  room: string;
  serverOffset: number;
}

/**
 * Stores what became of each item; a row that an echo settled meanwhile stays settled. Whoever may not say it any more,
 * since another holder sends these rows now, stores what was acknowledged: that is true whoever says it (S5).
 */
export function storeVerdicts(
  db: UserDatabase,
  me: string,
  verdicts: readonly Verdict[],
  newKey: () => string,
  maySay: (tx: UserWrite) => boolean | Promise<boolean> = () => true,
): Promise<Stored> {
  return db.write(LOG_STORES, async (tx) => {
    const concerned: Row[] = [];
    const placed: Placed[] = [];
    const settled = new Map<string, Places>();
    const mine = await maySay(tx);
    for (const verdict of verdicts) {
      if (!mine && verdict.type !== 'acknowledged') continue;
      const row = await tx.objectStore('rows').index('clientOffset').get(verdict.clientOffset);
      if (!row) continue;
      concerned.push(row);
      await storeVerdict(tx, me, row, verdict, newKey);
      if (verdict.type !== 'acknowledged') continue;
      const { serverOffset } = verdict;
      settled.set(row.room, (settled.get(row.room) ?? new Map()).set(row.clientOffset, serverOffset));
      if (!spanAt(await spansOf(tx, row.room), serverOffset)) placed.push({ room: row.room, serverOffset });
    }
    for (const [room, places] of settled) await tellFollowers(tx, room, places);
    return { rooms: roomsOf(concerned), placed };
  });
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
  const uncertain = row.kind === 'delete' && (await rows.index('clientOffset').get(row.target));
  if (uncertain && verdict.error.code === 'not-found') {
    // The text to be deleted was parked as uncertain. Now it is certain: it is not in the log, and nobody wants it.
    await rows.delete(row.seq);
    await remove(tx, uncertain);
    return;
  }
  const after = step(row, { ...verdict, newKey: newKey() });
  await rows.put(after);
  if (after.clientOffset !== row.clientOffset) await repoint(tx, row, after.clientOffset);
}
