/** Stores received frames and range answers: entries, spans, users and settled outbox rows, in one transaction (S1). */
import type { Entry } from '../../../shared/entry.ts';
import { isAmendment, ruleOf } from '../../../shared/kinds.ts';
import type { Users } from '../../../shared/protocol/index.ts';
import { type Settled, settleEchoes } from '../../db/settleRows.ts';
import type { UserDatabase, UserWrite } from '../../db/userDatabase.ts';
import { type LogVersion, StaleLogError, writeIfCurrent } from './generation.ts';
import {
  conflictsWithStored,
  forgetLog,
  type LogRun,
  SYNC_STORES,
  storeDetached,
  storeEntries,
} from './storeEntries.ts';
import { updateHead } from './storeRooms.ts';
import { putUsers } from './userNames.ts';

/** A run of entries with the users that the frame or answer names. */
export interface ReceivedRun {
  run: LogRun;
  users: Users;
}

export interface AppliedRun {
  /** The entries are stored and a span covers them; false if they would have left a hole. */
  stored: boolean;
  /** Outbox rows whose entries arrived. */
  settled: Settled;
  /** The server's data was restored from a backup: the stored log of the room conflicted and was deleted. */
  isRestored: boolean;
}

export async function applyFrame(
  db: UserDatabase,
  me: string,
  run: LogRun,
  users: Users,
  version?: LogVersion,
): Promise<AppliedRun> {
  return (await applyFrames(db, me, [{ run, users }], version)).applied[0]!;
}

/**
 * Applies the runs in order. `renamed`: ids of users who had another name before. Rejects with `StaleLogError`, and stores
 * nothing, if the database does not have this `version` of the logs.
 */
export function applyFrames(
  db: UserDatabase,
  me: string,
  received: readonly ReceivedRun[],
  version?: LogVersion,
): Promise<{ applied: AppliedRun[]; renamed: string[] }> {
  return writeIfCurrent(db, SYNC_STORES, version, async (tx) => {
    if (version && version.epoch !== (await tx.objectStore('meta').get('epoch'))) throw new StaleLogError();
    const applied: AppliedRun[] = [];
    for (const { run } of received) applied.push(await applyRun(tx, me, run));
    const renamed: string[] = [];
    for (const { users } of received) renamed.push(...(await putUsers(tx, users)));
    return { applied, renamed };
  });
}

/**
 * If the run would leave a hole, only entries that are useful alone are stored, as detached ones: own entries, amendments,
 * and entries with a target whose kind this version does not know.
 */
async function applyRun(tx: UserWrite, me: string, run: LogRun): Promise<AppliedRun> {
  const { room, entries, amendments } = run;
  const isRestored = await conflictsWithStored(tx, run);
  if (isRestored) await forgetLog(tx, room);
  const settled = await settleEchoes(tx, me, room, [...entries, ...amendments]);
  const stored = !run.undescribed && (await storeEntries(tx, isRestored ? { ...run, opens: true } : run));
  const detached = entries.filter((entry) => entry.author === me || mayAmendOthers(entry));
  if (stored) await updateHead(tx, room, entries);
  else await storeDetached(tx, room, [...detached, ...amendments]);
  return { stored, settled, isRestored };
}

function mayAmendOthers(entry: Entry): boolean {
  return isAmendment(entry) || (ruleOf(entry.kind) === undefined && entry.target !== undefined);
}

/** Whether the entries have the consecutive serverOffsets `from`, `from` + 1 … Anything else is a fault of the server. */
export function isContiguous(entries: readonly Entry[], from: number): boolean {
  return entries.length > 0 && entries.every((entry, i) => entry.serverOffset === from + i);
}
